"""The way of the light: the order of the stages, on one screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rawfix.auto_strengths import decide_strengths
from rawfix.cfa import Cfa
from rawfix.classical import deblur_camera, denoise_light
from rawfix.demosaicing import demosaic_frame, demosaic_model
from rawfix.finish import Developed as Developed
from rawfix.finish import Watch as Watch
from rawfix.finish import check_look, finish
from rawfix.frame import Image, NoiseModel, RawFrame, with_infrared
from rawfix.lens import find_correction
from rawfix.maps import Maps, apply_maps
from rawfix.nn.stand_ins import stand_ins
from rawfix.nn.threads import thread_share
from rawfix.optics import tell_optics, with_optics
from rawfix.physics.neighbors import fill
from rawfix.physics.noise_estimation import estimate_noise, most_shot
from rawfix.restoration import balanced, check_strengths, find_maps, needs_network, network_strengths
from rawfix.settings import Settings, Strengths
from rawfix.stages.infrared import crosstalk_matrix, remove_infrared
from rawfix.stages.normalize import normalize
from rawfix.upscaling import upscale_camera, upscale_model

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What networks found in a frame.

    Attributes
    ----------
    camera
        ``(H, W, 3)`` float32 on the sensor's grid, linear, balanced with the frame's ``wb``, signed.
    bad
        ``(H, W)`` bool, samples replaced; None where none was looked for, nor known.
    noise
        Noise model before white balance; None where nothing needed it.
    maps
        None where no strength needs them, or where they were weighed.
    strengths
        As asked for, ``auto`` decided.
    models
        Ids of the networks that ran.
    notes
        Bad lines; what ``auto`` decided, and why; what was found of fringes and haze.
    realigned
        Whether the strengths move channels back onto green, so that a lens correction must not do it again.
    """

    camera: Image
    bad: NDArray[np.bool_] | None
    noise: NoiseModel | None
    maps: Maps | None
    strengths: Strengths
    models: tuple[str, ...]
    notes: tuple[str, ...] = ()
    realigned: bool = False


def check_settings(settings: Settings, *, every: bool = False) -> None:
    """Refuse, before a file is read, what cannot be done, or with ``every`` not kept.

    Raises `ModelError` where a network is missing, else `SettingsError`.
    """
    check_look(settings)
    check_strengths(settings, every=every)


def find(
    frame: RawFrame, settings: Settings, progress: Progress | None = None, *, every: bool = False
) -> Found:
    """Normalise, demosaic, and find what the strengths weigh: all that networks do for a picture.

    Samples that the frame knows to be bad are filled before anything looks at them, and told to the network.
    Infrared, where the sensor measures it, is taken out of the visible channels as the settings tell.

    Parameters
    ----------
    frame, settings, progress
        As for `develop`.
    every
        Maps even where strengths are 0, for other strengths later.
    """
    model = demosaic_model(frame, settings)
    light = normalize(frame)
    noise = frame.noise
    told: tuple[str, ...] = ()
    bad = known_bad = None if settings.bad_pixels == "off" or frame.cfa is None else frame.known_bad
    if known_bad is not None and frame.cfa is not None:
        light = fill(light, frame.cfa, known_bad)
        if noise is None or noise.source == "estimated":
            noise = _noise_of(light, frame.cfa, frame)
    if settings.denoise_method == "classical" and settings.strengths.active:
        light, noise = denoise_light(light, noise, frame, settings, progress)
    if model is None:
        camera = light if light.ndim == 3 else np.repeat(light[..., None], 3, 2)
    else:
        assert frame.cfa is not None
        noise = noise or _noise_of(light, frame.cfa, frame)
        camera, bad, told = demosaic_frame(light, frame, noise, known_bad, model, settings, progress)
        if frame.cfa.has_infrared:
            camera = remove_infrared(camera, frame.wb, crosstalk_matrix(settings.ir_crosstalk))
    del light
    ids = () if model is None else (model.manifest.id,)
    if not (every or settings.strengths.active):
        return Found(camera, bad, noise, None, settings.strengths, ids, told)
    noise = noise or estimate_noise(
        np.divide(camera, np.asarray(frame.wb, np.float32), dtype=np.float32), most_shot=most_shot(frame)
    )
    strengths, decided = decide_strengths(settings.strengths, camera, noise, frame.wb, settings.exposure)
    notes = (*told, *decided)
    settings = replace(settings, strengths=strengths)
    if every or needs_network(settings):
        maps = find_maps(camera, noise, frame, settings, progress, every=every)
        ids = (*ids, maps.model)
    elif network_strengths(settings).active:
        maps = Maps(None, None, *balanced(noise, frame), "")
    else:
        return Found(camera, bad, noise, None, strengths, ids, notes)
    maps = with_optics(maps, camera, frame, strengths, every=every)
    notes = (*notes, *tell_optics(maps, strengths))
    return Found(camera, bad, noise, maps, strengths, ids, notes, maps.realigns(strengths))


def restored(found: Found, frame: RawFrame, settings: Settings, progress: Progress | None = None) -> Found:
    """With components taken away by the strengths, and without the maps; the very image where all are 0.

    The camera image that was found may be written over.
    """
    decided = replace(settings, strengths=found.strengths)
    if found.maps is not None:
        threads, maps = thread_share(settings.threads or None), found.maps
        left = apply_maps(found.camera, maps, network_strengths(decided), threads, in_place=True)
        found = replace(found, camera=left, maps=None)
    camera, notes = deblur_camera(found.camera, found.noise, frame, decided, progress)
    return replace(found, camera=camera, notes=(*found.notes, *notes))


def to_camera(
    frame: RawFrame, settings: Settings, progress: Progress | None = None
) -> tuple[Image, NDArray[np.bool_] | None, tuple[str, ...]]:
    """Normalise, demosaic and restore: ``camera (H, W, 3)``, the bad map or None, and the ids of the models used."""
    found = restored(find(frame, settings, progress), frame, settings, progress)
    return found.camera, found.bad, found.models


def _noise_of(mosaic: Image, cfa: Cfa, frame: RawFrame) -> NoiseModel:
    """The noise model measured from a frame's white-balanced mosaic."""
    gain = with_infrared(frame.wb)[cfa.channels((mosaic.shape[0], mosaic.shape[1]))]
    step = 1 / max(frame.white)
    return estimate_noise(mosaic / gain, cfa.unit(), step=step, most_shot=most_shot(frame))


def enlarged(
    frame: RawFrame,
    settings: Settings,
    progress: Progress | None = None,
    keep: Callable[[Found], None] | None = None,
) -> Found:
    """All that comes before color: `find`, `restored`, and at the resolution asked for; parameters as for `develop`."""
    if settings.upscale != 1:
        upscale_model(settings.upscale, settings.quality)  # a missing one is told before the others run
    found = find(frame, settings, progress, every=keep is not None)
    if keep:
        keep(found)
    found = restored(found, frame, settings, progress)
    camera, more = upscale_camera(found.camera, frame.wb, settings, progress)
    models = (*found.models, *more)
    return replace(
        found, camera=camera, models=models, notes=(*found.notes, *stand_ins(models, settings.quality))
    )


def develop(
    frame: RawFrame,
    settings: Settings,
    progress: Progress | None = None,
    watch: Watch | None = None,
    keep: Callable[[Found], None] | None = None,
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
    keep
        Called with the camera image and its maps, which then are found whatever the strengths.

    Raises
    ------
    UnsupportedRawError, SettingsError, ModelError
        See there.
    """
    check_settings(settings)
    lens, said = find_correction(frame, settings, (frame.mosaic.shape[0], frame.mosaic.shape[1]))
    found = enlarged(frame, settings, progress, keep)
    lens = lens.without_lateral_color() if lens is not None and found.realigned else lens
    decided, notes = replace(settings, strengths=found.strengths), (*found.notes, *said)
    return finish(
        found.camera, frame, decided, watch, bad=found.bad, models=found.models, notes=notes, lens=lens
    )
