"""Noise and blur without restoration networks: the classical methods, in the pipeline's terms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image, NoiseModel, PsfModel, RawFrame, with_infrared
from rawfix.physics.edges import find_edges
from rawfix.physics.noise import residual
from rawfix.physics.noise_estimation import estimate_noise, most_shot
from rawfix.physics.psf_field import LEAST_EDGES, estimate_width
from rawfix.settings import Settings
from rawfix.stages.deconvolve import blur_map
from rawfix.stages.nonlocal_means import noise_map
from rawfix.stages.normalize import normalize
from rawfix.stages.restore import Component, combine

Progress = Callable[[int, int], None]


def denoise_light(
    light: Image,
    noise: NoiseModel | None,
    frame: RawFrame,
    settings: Settings,
    progress: Progress | None = None,
) -> tuple[Image, NoiseModel]:
    """Take noise from a mosaic, or from full color, before anything is made of it.

    Parameters
    ----------
    light
        Of `rawfix.stages.normalize.normalize`; not mutated.
    noise
        Noise model before white balance; None: it is measured.
    frame
        What it was made of.
    settings
        Where they ask for no classical denoising, ``light`` itself is returned.

    Returns
    -------
    light, noise
        What is left of both; noise before white balance, the frame's own or measured.
    """
    noise = noise or measured_noise(light, frame)
    strength = settings.strengths.noise[0]
    if not strength or settings.denoise_method != "classical":
        return light, noise
    shot, read = balanced(noise, frame.wb)
    channels = None if frame.cfa is None else frame.cfa.unit()
    known_bad = None if settings.bad_pixels == "off" or frame.cfa is None else frame.known_bad
    found = noise_map(light, channels, shot, read, known_bad, progress)
    found *= np.float32(-strength)
    found += light
    return found, residual(noise, strength, strength)


def deblur_camera(
    camera: Image,
    noise: NoiseModel | None,
    frame: RawFrame,
    settings: Settings,
    progress: Progress | None = None,
) -> tuple[Image, tuple[str, ...]]:
    """Take blur from a developed picture, before it is balanced or cut.

    Parameters
    ----------
    camera
        ``(H, W, 3)``, balanced as ``frame``, on the sensor's grid.
    noise
        Noise model before white balance of what ``camera`` was made of; None: it is measured.
    frame, settings
        Where the settings ask for no Richardson-Lucy, ``camera`` itself is returned.

    Returns
    -------
    camera, notes
        And what blur was assumed.
    """
    if settings.deblur_method != "richardson-lucy" or not settings.strengths.blur:
        return camera, ()
    strength = settings.strengths.blur
    light = normalize(frame)
    psf, note = psf_of(light, frame, frame.noise or measured_noise(light, frame))
    if psf is None:
        return camera, (note,)
    noise = noise or measured_noise(light, frame)
    if settings.denoise_method == "network":
        noise = residual(noise, *settings.strengths.noise, frame.wb)
    shot, read = balanced(noise, frame.wb)
    clip = np.asarray(frame.clip(), np.float32)
    found = blur_map(camera, psf, shot[:3], read[:3], clip, progress=progress)
    component = Component("blur", found, strength, "signal")
    return combine(camera, [component], shot[:3], read[:3]), (note,)


def psf_of(light: Image, frame: RawFrame, noise: NoiseModel) -> tuple[PsfModel | None, str]:
    """The blur of a frame, measured beforehand or from its own edges, and a sentence that tells which."""
    if frame.psf is not None:
        return frame.psf, f"deblurred by the calibrated PSF, {describe_psf(frame.psf)}"
    raw, channels = unbalanced(light, frame)
    edges = find_edges(raw, channels, noise)
    psf = estimate_width(edges)
    if psf is None:
        return None, (
            f"not deblurred: the frame shows {len(edges)} clean straight edges, {LEAST_EDGES} are needed to tell "
            "its blur; calibrate the lens with rawfix calibrate psf"
        )
    return psf, f"deblurred by a PSF estimated from {len(edges)} of the frame's edges, {describe_psf(psf)}"


def describe_psf(psf: PsfModel) -> str:
    """Green's deviation, at center and corner where they differ."""
    center, corner = psf.center[1], psf.corner[1]
    if abs(center - corner) < 0.005:
        return f"σ {center:.2f} px"
    return f"σ {center:.2f} px in the center, {corner:.2f} in the corners"


def unbalanced(light: Image, frame: RawFrame) -> tuple[Image, NDArray[np.uint8] | None]:
    """Light with every channel's white at 1, and the channels of a mosaic's sites."""
    if frame.cfa is None:
        return np.asarray(light / np.asarray(frame.wb, np.float32)), None
    gain = with_infrared(frame.wb)[frame.cfa.channels((light.shape[0], light.shape[1]))]
    return np.asarray(light / gain, np.float32), frame.cfa.unit()


def measured_noise(light: Image, frame: RawFrame) -> NoiseModel:
    """The noise model measured from white-balanced light."""
    return estimate_noise(*unbalanced(light, frame), step=1 / max(frame.white), most_shot=most_shot(frame))


def balanced(noise: NoiseModel, wb: tuple[float, float, float]) -> tuple[Image, Image]:
    """``(4,)`` shot and read variance after white balance; infrared as green."""
    gain = with_infrared(wb)
    return with_infrared(noise.shot) * gain, with_infrared(noise.read) * gain**2
