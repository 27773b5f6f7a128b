"""The way of the light: the order of the stages, on one screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import CANONICAL, Cfa
from rawfix.color.spaces import WORKING, space_named
from rawfix.color.transfer import Display
from rawfix.errors import ManifestError, UnsupportedRawError
from rawfix.frame import Image, NoiseModel, RawFrame, with_infrared
from rawfix.io.ocio import open_view
from rawfix.io.writers import check_format
from rawfix.nn.manifest import Model, find_model, tiers
from rawfix.nn.session import open_session
from rawfix.nn.threads import thread_share
from rawfix.nn.tiles import Finish as TileFinish
from rawfix.nn.tiles import run_tiled
from rawfix.nn.turn import run_turned
from rawfix.physics.neighbors import fill
from rawfix.physics.noise_estimation import estimate_noise
from rawfix.restoration import apply_maps, check_strengths, find_maps
from rawfix.settings import Settings
from rawfix.stages.demosaic import DemosaicNetwork, Window, demosaic
from rawfix.stages.highlights import rebuild_highlights
from rawfix.stages.infrared import crosstalk_matrix, remove_infrared
from rawfix.stages.normalize import normalize
from rawfix.stages.orient import orient, square_pixels
from rawfix.stages.render import render
from rawfix.stages.to_working import to_working
from rawfix.stages.white_balance import wb_multipliers, wb_ratio

Progress = Callable[[int, int], None]
Watch = Callable[[str, Image], None]
"""Called with the name and the image of each stage that was reached; the next stage may write over the image."""


@dataclass(frozen=True, slots=True, eq=False)
class Developed:
    """A finished picture and what was learnt on the way.

    Attributes
    ----------
    display
        ``(H, W, 3)`` uint8, uint16 or float32, upright, in the settings' space.
    bad
        ``(H, W)`` bool on the sensor's grid: samples replaced; None where none was looked for, nor known.
    wb
        Multipliers that were used.
    models
        Ids of the networks that ran.
    notes
        Sentences about what had to be assumed.
    """

    display: Display
    bad: NDArray[np.bool_] | None
    wb: tuple[float, float, float]
    models: tuple[str, ...]
    notes: tuple[str, ...] = ()


def demosaic_model(frame: RawFrame, settings: Settings) -> Model | None:
    """The network this frame needs; None for frames that need none.

    Raises
    ------
    UnsupportedRawError
        No network exists for the filter array, of any tier.
    ModelError
        None of this tier.
    """
    if frame.cfa is None or frame.cfa.name == "mono":
        return None
    family = frame.cfa.name
    if family == "unknown" or not tiers("demosaic", family):
        able = [name for name in CANONICAL if tiers("demosaic", name)]
        raise UnsupportedRawError(
            f"its {family} filter array ({frame.cfa.letters}) has no demosaicing network; "
            f"{', '.join([*able, 'monochrome'])} and already demosaiced files can be developed"
        )
    return find_model("demosaic", family, settings.quality)


def check_settings(settings: Settings) -> None:
    """Refuse, before a file is read, what cannot be done; raises `SettingsError`."""
    check_format(settings.format)
    if settings.ocio:
        open_view(settings.ocio, settings.ocio_display, settings.ocio_view)
    check_strengths(settings)
    crosstalk_matrix(settings.ir_crosstalk)
    if settings.wb != "auto":
        wb_multipliers(settings.wb, (1.0, 1.0, 1.0), np.eye(3))


def tiled(model: Model, frame: RawFrame, settings: Settings, progress: Progress | None) -> DemosaicNetwork:
    """A demosaicing model as a callable over this frame: tiles on the grid of its canonical phase.

    Where no crop leads to that phase, the network sees the frame turned or mirrored.
    """
    assert frame.cfa is not None
    shape = (frame.mosaic.shape[0], frame.mosaic.shape[1])
    canonical = frame.cfa.to_canonical(shape)
    assert canonical is not None
    family, symmetry, origin = canonical
    session = open_session(model, settings.provider, settings.threads or None)
    manifest = model.manifest
    if session.outputs["camera"] != (4 if frame.cfa.has_infrared else 3):
        raise ManifestError(
            f"{manifest.id}: its {session.outputs['camera']} channels are not those of {family}"
        )

    def run_tiles(inputs: Mapping[str, Image | Window], finish: TileFinish | None) -> dict[str, NDArray[Any]]:
        return run_tiled(
            session.run,
            inputs,
            session.outputs,
            tile=settings.tile or manifest.tile,
            halo=manifest.halo,
            multiple=manifest.multiple,
            period=CANONICAL[family].period,
            origin=origin,
            progress=progress,
            finish=finish,
        )

    return lambda inputs, finish: run_turned(run_tiles, inputs, finish, symmetry, shape)


def to_camera(
    frame: RawFrame, settings: Settings, progress: Progress | None = None
) -> tuple[Image, NDArray[np.bool_] | None, tuple[str, ...]]:
    """Normalise, demosaic and restore: ``camera (H, W, 3)``, the bad map or None, and the ids of the models used.

    Samples that the frame knows to be bad are filled before anything looks at them, and told to the network.
    Infrared, where the sensor measures it, is taken out of the visible channels as the settings tell.
    """
    model = demosaic_model(frame, settings)
    light = normalize(frame)
    noise = frame.noise
    known_bad = None if settings.bad_pixels == "off" or frame.cfa is None else frame.known_bad
    if known_bad is not None and frame.cfa is not None:
        light = fill(light, frame.cfa, known_bad)
        if noise is None or noise.source == "estimated":
            noise = _noise_of(light, frame.cfa, frame.wb, 1 / max(frame.white))
    if model is None:
        camera = light if light.ndim == 3 else np.repeat(light[..., None], 3, 2)
        camera, restored = _restore(camera, noise, frame, settings, progress)
        return camera, known_bad, restored
    assert frame.cfa is not None
    noise = noise or _noise_of(light, frame.cfa, frame.wb, 1 / max(frame.white))
    network = tiled(model, frame, settings, progress)
    camera, bad = demosaic(light, frame.cfa, frame.wb, noise, network, known_bad)
    del light
    if frame.cfa.has_infrared:
        camera = remove_infrared(camera, frame.wb, crosstalk_matrix(settings.ir_crosstalk))
    camera, restored = _restore(camera, noise, frame, settings, progress)
    return camera, bad, (model.manifest.id, *restored)


def _restore(
    camera: Image, noise: NoiseModel | None, frame: RawFrame, settings: Settings, progress: Progress | None
) -> tuple[Image, tuple[str, ...]]:
    """Noise and blur taken away by the user's strengths; the very image where all are 0."""
    if not settings.strengths.active:
        return camera, ()
    noise = noise or estimate_noise(np.divide(camera, np.asarray(frame.wb, np.float32), dtype=np.float32))
    maps = find_maps(camera, noise, frame, settings, progress)
    return apply_maps(camera, maps, settings.strengths), (maps.model,)


def _noise_of(mosaic: Image, cfa: Cfa, wb: tuple[float, float, float], step: float) -> NoiseModel:
    """The noise model measured from a white-balanced mosaic, of counts ``step`` of white apart."""
    gain = with_infrared(wb)[cfa.channels((mosaic.shape[0], mosaic.shape[1]))]
    return estimate_noise(mosaic / gain, cfa.unit(), step=step)


def xyz_to_native(frame: RawFrame) -> NDArray[np.float64] | None:
    """XYZ → unbalanced camera, at any scale; None where the daylight balance is unknown."""
    if frame.daylight_wb is None:
        return None
    return np.asarray(np.linalg.inv(frame.cam_to_xyz) / np.asarray(frame.daylight_wb)[:, None])


def choose_wb(
    frame: RawFrame, settings: Settings, camera: Image
) -> tuple[tuple[float, float, float], tuple[str, ...]]:
    """The multipliers asked for, green = 1, and what had to be assumed for them."""
    if frame.cfa is not None and frame.cfa.name == "mono":
        return frame.wb, () if settings.wb == "as-shot" else ("monochrome: --wb has nothing to balance",)
    chosen = wb_multipliers(settings.wb, frame.wb, frame.cam_to_xyz, camera, xyz_to_native(frame))
    guessed = (
        frame.daylight_wb is None and settings.wb not in ("as-shot", "auto") and settings.wb.count(",") < 2
    )
    note = (
        f"the camera's daylight balance is unknown: --wb {settings.wb} takes the as-shot light for daylight"
    )
    return chosen, (note,) if guessed else ()


def cut(camera: Image, clip: tuple[float, float, float]) -> Image:
    """Cut every channel where the first one saturates, in place, so that what blew is neutral."""
    return np.minimum(camera, np.float32(min(clip)), out=camera)


def develop(
    frame: RawFrame, settings: Settings, progress: Progress | None = None, watch: Watch | None = None
) -> Developed:
    """Develop one frame.

    Parameters
    ----------
    frame
        From `rawfix.io.raw.read_raw` or `rawfix.physics.sensor.expose`.
    settings
        What the user asked for.
    progress
        Called after each tile with tiles done and their number.
    watch
        Called with each stage's result: ``camera``, ``working``.

    Raises
    ------
    UnsupportedRawError, SettingsError, ModelError
        See there.
    """
    check_settings(settings)
    camera, bad, models = to_camera(frame, settings, progress)
    if watch:
        watch("camera", camera)
    camera = square_pixels(camera, frame.pixel_aspect)
    chosen, notes = choose_wb(frame, settings, camera)
    if settings.ir_crosstalk and not (frame.cfa is not None and frame.cfa.has_infrared):
        notes += ("--ir-crosstalk: the sensor measures no infrared, nothing was taken away",)
    if (ratio := wb_ratio(chosen, frame.wb)) != (1.0, 1.0, 1.0):
        for channel, gain in enumerate(ratio):
            camera[..., channel] *= np.float32(gain)
    if frame.mosaic.dtype == np.uint16:  # floating-point files do not saturate
        if settings.highlights == "rebuild":
            camera = rebuild_highlights(camera, chosen, in_place=True)
        else:
            camera = cut(camera, chosen)
    tone: str = settings.tone
    if settings.space == "camera":
        working, space, tone = camera, WORKING, "none"
        working *= np.float32(2.0**settings.exposure)
    else:
        working = to_working(camera, frame.cam_to_xyz, exposure=settings.exposure, in_place=True)
        space = space_named(settings.space)
    del camera
    if watch:
        watch("working", working)
    view = None
    if settings.ocio:
        view, name = open_view(settings.ocio, settings.ocio_display, settings.ocio_view)
        space, tone = space_named("aces2065-1"), "none"
        notes += (f"no color profile is embedded: the values are for OpenColorIO's {name}",)
    threads = thread_share(settings.threads or None)
    upright = orient(working, frame.orientation)
    display = render(upright, space, tone, settings.linear, settings.render_bits, threads, view)
    return Developed(display, bad, chosen, models, notes)
