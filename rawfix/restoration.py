"""Residual maps of a camera image: estimated once by a network, then weighed by the user's strengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rawfix.centering import center
from rawfix.cfa import CANONICAL
from rawfix.errors import ModelError, SettingsError
from rawfix.frame import Image, NoiseModel, RawFrame
from rawfix.maps import Half, Maps
from rawfix.nn.manifest import nearest_model, tiers
from rawfix.nn.session import open_session
from rawfix.nn.tiles import Finish, Plane, Window, run_tiled
from rawfix.nn.turn import run_turned
from rawfix.physics.noise import variance
from rawfix.settings import Settings, Strengths
from rawfix.symmetry import Symmetry

Progress = Callable[[int, int], None]
TASK, SPACE = "restore", "camera"


def check_strengths(settings: Settings, *, every: bool = False) -> None:
    """Refuse, before a file is read, strengths that no installed network can serve.

    ``every``: maps are to be found whatever the strengths. Raises `ModelError` for want of a network, `SettingsError`.
    """
    if every and not tiers(TASK, SPACE):
        raise ModelError(
            "--save-maps needs a restore network and none is installed; leave it out, or install rawfix again"
        )
    if every and (settings.denoise_method, settings.deblur_method) != ("network", "network"):
        raise SettingsError("--save-maps keeps the maps of networks; leave the other methods out")
    if network_strengths(settings).learned and not tiers(TASK, SPACE):
        raise ModelError(
            "--denoise and --deblur need a restore network and none is installed; install rawfix again, or let develop "
            "do with --denoise-method classical, --deblur-method richardson-lucy"
        )


def network_strengths(settings: Settings) -> Strengths:
    """The strengths that are left to networks: 0 for what a classical method takes away."""
    strengths = settings.strengths
    if settings.denoise_method == "classical":
        strengths = replace(strengths, denoise=0.0, denoise_luma=None, denoise_chroma=None)
    if settings.deblur_method == "richardson-lucy":
        strengths = replace(strengths, deblur=0.0)
    return strengths


def needs_network(settings: Settings) -> bool:
    """Whether a network is to look: for what it takes away itself, and so that noise stays out of other components."""
    strengths = network_strengths(settings)
    is_there = settings.denoise_method == "network" and bool(tiers(TASK, SPACE))
    return strengths.learned or (strengths.active and is_there)


def balanced(noise: NoiseModel, frame: RawFrame) -> tuple[Image, Image]:
    """``(3,)`` shot and read variance after white balance."""
    wb = np.asarray(frame.wb, np.float32)
    return np.asarray(noise.shot, np.float32) * wb, np.asarray(noise.read, np.float32) * wb**2


def find_maps(
    camera: Image,
    noise: NoiseModel,
    frame: RawFrame,
    settings: Settings,
    progress: Progress | None = None,
    method: Literal["parallel", "cascade"] = "parallel",
    *,
    every: bool = False,
) -> Maps:
    """Estimate the residual maps of a camera image.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32 on the sensor's grid, linear, balanced with the frame's ``wb``.
    noise
        Noise model before white balance.
    frame, settings
        The white balance; tier, tile, provider, threads, and which maps are needed.
    method
        ``parallel``: both maps from the observed image, in one pass. ``cascade``: blur from the denoised image, in
        a second one. The meaning of the maps is the same.
    every
        Also a map whose strength is 0.

    Returns
    -------
    Maps
        Of a monochrome sensor without color: the mean of the three channels in each.

    Raises
    ------
    ModelError
        No tier is installed, or a model cannot run.
    """
    shot, read = balanced(noise, frame)
    model = nearest_model(TASK, SPACE, settings.quality)
    session = open_session(model, settings.provider, settings.threads or None)
    manifest = model.manifest
    is_gray = frame.cfa is not None and frame.cfa.name == "mono"

    shape = (camera.shape[0], camera.shape[1])
    symmetry, origin, period = phase_of(frame, shape)

    def run_tiles(inputs: Mapping[str, Plane | Window], finish: Finish | None) -> dict[str, NDArray[Any]]:
        return run_tiled(
            session.run,
            inputs,
            session.outputs,
            tile=settings.tile or manifest.tile,
            halo=manifest.halo,
            multiple=manifest.multiple,
            period=period,
            origin=origin,
            progress=progress,
            finish=finish,
        )

    def run(image: Image, floor: float, wanted: tuple[str, ...]) -> Mapping[str, NDArray[Any]]:
        def sigma(y0: int, y1: int, x0: int, x1: int) -> Plane:
            return np.float32(floor) * np.sqrt(variance(image[y0:y1, x0:x1], shot, read))

        def keep(_y: int, _x: int, found: dict[str, Plane]) -> dict[str, Half]:
            return {name: _to_half(found[name], gray=is_gray) for name in wanted}

        return run_turned(run_tiles, {"camera": image, "sigma": sigma}, keep, symmetry, shape)

    with_blur = every or network_strengths(settings).deblur != 0
    white = np.asarray(frame.clip(), np.float32)
    if method == "parallel":
        found = run(camera, 1.0, ("noise_map", "blur_map") if with_blur else ("noise_map",))
        center(found["noise_map"], camera, shot, read, white)
        return Maps(found["noise_map"], found.get("blur_map"), shot, read, manifest.id)
    noise_map = run(camera, 1.0, ("noise_map",))["noise_map"]
    center(noise_map, camera, shot, read, white)
    blur_map = run(camera - noise_map, 0.1, ("blur_map",))["blur_map"] if with_blur else None
    return Maps(noise_map, blur_map, shot, read, manifest.id)


def phase_of(frame: RawFrame, shape: tuple[int, int]) -> tuple[Symmetry, tuple[int, int], tuple[int, int]]:
    """How a camera image is seen in the canonical phase of its filter array: symmetry, origin, period.

    A measured sample carries all of its noise and an interpolated one a part: the network learned which is which.
    Seen a photosite off, it leaves 0.6 dB more at ISO 6400, 1.2 dB more at 25600.
    """
    placed = frame.cfa.to_canonical(shape) if frame.cfa is not None and frame.cfa.name != "mono" else None
    if placed is None:
        return Symmetry(), (0, 0), (1, 1)
    family, symmetry, origin = placed
    return symmetry, origin, CANONICAL[family].period


def _to_half(found: Plane, *, gray: bool) -> Half:
    """A map in 16 bits; beyond their range, where only floating-point files go, it ends."""
    if gray:
        found = np.repeat(found.mean(-1, keepdims=True), found.shape[-1], -1)
    limit = np.float32(np.finfo(np.float16).max)
    return np.clip(found, -limit, limit).astype(np.float16)
