"""What restoration learns from: a sharp scene, what the optics made of it, and the mosaic that a sensor recorded.

The noise is drawn for the blurred signal, also where the patch is sharp: the same random field lies on *noise* and
on *noise + blur*, so that a network learns either without touching the other (JP 7686428 B2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image
from rawfix.physics import noise, psf, scene
from rawfix.training.synthesis import LearnedNoise, draw_light, draw_noise

BLURRED, NOISY = 0.65, 0.8
"""Shares of the patches that have either component."""
FLAT = 0.08
"""Share of the patches that are even: there nothing hides noise, and nothing else keeps the mean honest."""
LOWNESS = 1.0
"""How much more often low ISOs are drawn, see `rawfix.training.synthesis.draw_noise`."""


@dataclass(frozen=True, slots=True)
class RestorePair:
    """One training sample, linear and white-balanced, clipped where the sensor saturates.

    Attributes
    ----------
    sharp, seen
        ``(H, W, 3)``: the ideal, and the light that met the sensor; equal where there is no blur.
    quiet, mosaic, sigma
        ``(H, W)``: what a sensor without noise records, what this one did, and its noise model's deviation at that
        value.
    shot, read
        ``(3,)``: the noise model after white balance.
    wb
        The multipliers, where the channels saturate.
    """

    sharp: Image
    seen: Image
    quiet: Image
    mosaic: Image
    sigma: Image
    shot: Image
    read: Image
    wb: tuple[float, float, float]


def draw_blur(rng: np.random.Generator) -> tuple[Image, Image, Image]:
    """A kernel for each channel: optics, filter, focus and motion of a fair lens; red and blue off by up to 0.7 px."""
    kind = rng.choice(5, p=(0.4, 0.2, 0.2, 0.12, 0.08))
    if kind == 0:
        kernel = psf.gaussian(float(rng.uniform(0.3, 1.6)))
    elif kind == 1:
        kernel = psf.airy(float(rng.uniform(0.8, 3.2)))
    elif kind == 2:
        kernel = psf.disc(float(rng.uniform(0.6, 2.2)))
    elif kind == 3:
        kernel = psf.low_pass(float(rng.uniform(0.5, 1.4)))
    else:
        kernel = psf.motion(float(rng.uniform(1.0, 4.0)), float(rng.uniform(0, np.pi)))
    if rng.random() < 0.7:
        return kernel, kernel, kernel
    angle, red = rng.uniform(0, 2 * np.pi), float(rng.uniform(0, 0.7))
    blue = float(rng.uniform(-0.7, 0.7))
    red_kernel, blue_kernel = (
        psf.shifted(kernel, float(amount * np.sin(angle)), float(amount * np.cos(angle)))
        for amount in (red, blue)
    )
    return red_kernel, kernel, blue_kernel


def make_restore_pair(
    photo: NDArray[np.uint8],
    cfa: Cfa,
    rng: np.random.Generator,
    *,
    natural: float = 0.5,
    learned: LearnedNoise | None = None,
) -> RestorePair:
    """Expose an 8-bit sRGB crop ``(H, W, 3)`` through drawn optics on a drawn sensor, or on the ``learned`` one."""
    light = draw_light(rng, natural)
    wb = np.asarray(light.wb, np.float32)
    if rng.random() < FLAT:
        photo = np.broadcast_to(photo.mean((0, 1)).astype(np.uint8), photo.shape)
    scene_light = scene.to_camera(scene.linearize(photo), light)
    kernels = draw_blur(rng)
    blurred, sharp = (np.clip(x, 0, wb) for x in (psf.blur(scene_light, kernels), scene_light))
    has_blur, has_noise = rng.random() < BLURRED, rng.random() < NOISY
    shape = (photo.shape[0], photo.shape[1])
    multiplier = wb[cfa.channels(shape)]
    shot, read, structure = draw_noise(rng, LOWNESS) if has_noise else (1e-6, 1e-10, noise.Structure())
    field = np.zeros(shape, np.float32)
    if has_noise and learned is not None:
        field, shot, read = learned.draw_field(cfa.mosaic(blurred) / multiplier, rng)
    elif has_noise:
        field = noise.draw_white(cfa.mosaic(blurred) / multiplier, shot, read, rng)
        field += noise.draw_structure(shape, structure, rng)
    seen = blurred if has_blur else sharp
    signal = cfa.mosaic(seen) / multiplier
    observed = np.minimum(signal + field, 1)
    misjudged = np.exp(rng.normal(0, 0.1, 2))
    sigma = np.sqrt(noise.variance(observed, shot * misjudged[0], read * misjudged[1]))
    return RestorePair(
        sharp=sharp,
        seen=seen,
        quiet=np.asarray(signal * multiplier, np.float32),
        mosaic=np.asarray(observed * multiplier, np.float32),
        sigma=np.asarray(sigma * multiplier, np.float32),
        shot=np.asarray(shot * misjudged[0] * wb, np.float32),
        read=np.asarray(read * misjudged[1] * wb**2, np.float32),
        wb=light.wb,
    )
