"""The distributions that training draws from; the formulas are in `rawfix.physics`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import INFRARED, Cfa
from rawfix.frame import Image
from rawfix.physics import noise, psf, scene
from rawfix.physics.defects import Bool, Defects, plant
from rawfix.physics.lift_blown import lift_all

POINTS = 0.08
"""Share of the patches with point sources."""


class LearnedNoise(Protocol):
    """A camera's noise as a generator draws it, `rawfix.training.noise_generator.CameraNoise` for one."""

    def draw_field(self, signal: Image, rng: np.random.Generator) -> tuple[Image, float, float]:
        """Noise for a mosaic ``(H, W)`` before white balance, and its ``shot`` and ``read`` variance."""


@dataclass(frozen=True, slots=True)
class MosaicPair:
    """One training sample, linear and white-balanced.

    Attributes
    ----------
    mosaic, sigma
        ``(H, W)``: what the network sees, blown samples lifted, and the noise model's deviation at the observed value.
    known_bad
        ``(H, W)`` float32: 1 where the caller tells that a sample is worthless, and outside of the frame.
    clean
        ``(H, W, 3)``, or 4 with infrared: the light, clipped where the sensor saturates.
    clip
        ``(3,)`` or ``(4,)``: where that is.
    noise
        ``(H, W)``: the noise that lies on the measured samples (the target carries it, demosaiced linearly).
    bad
        ``(H, W)`` bool: planted defects.
    """

    mosaic: Image
    sigma: Image
    known_bad: Image
    clean: Image
    clip: Image
    noise: Image
    bad: Bool


def draw_light(rng: np.random.Generator, natural: float = 0.5) -> scene.Light:
    """Exposure (a seventh of the draws clip), white balance, and a color matrix, often a saturating one."""
    exposure = np.exp(rng.uniform(np.log(0.3), np.log(1.0)))
    if rng.random() < 0.15:
        exposure = rng.uniform(1.0, 2.2)
    wb = (float(rng.uniform(1.2, 2.6)), 1.0, float(rng.uniform(1.2, 2.4)))
    matrix = np.eye(3, dtype=np.float32)
    if rng.random() >= natural:
        matrix = scene.saturation_matrix(rng.uniform(-0.3, 0.3, 6))
    if rng.random() < 0.1:
        matrix = matrix[rng.permutation(3)]
    return scene.Light(float(exposure), wb, matrix)


def add_infrared(image: Image, rng: np.random.Generator) -> Image:
    """A fourth, infrared channel ``(H, W, 4)`` for ``(H, W, 3)`` light; half of the draws leak it into the others.

    No photograph tells the infrared of its scene: a drawn mixture of the colors stands for materials and lamps,
    lifted where green rules, as foliage is (Vollmer and Möllmann, Infrared Thermal Imaging, 2018).
    """
    mixture = rng.uniform(0, 0.8, 3).astype(np.float32)
    foliage = np.maximum(image[..., 1] - np.maximum(image[..., 0], image[..., 2]), 0)
    infrared = image @ mixture + np.float32(rng.uniform(0, 3)) * foliage
    leak = np.zeros(3) if rng.random() < 0.5 else rng.uniform(0.02, 0.5, 3)
    visible = image + infrared[..., None] * leak.astype(np.float32)
    return np.concatenate((visible, infrared[..., None]), 2)


def draw_optics(rng: np.random.Generator) -> tuple[Image, ...] | None:
    """A kernel a channel: softness σ 0…1.2 px, and red and blue off by up to 1 px; three in four have neither."""
    if rng.random() < 0.75:
        return None
    sigma = float(rng.uniform(0, 1.2)) if rng.random() < 0.5 else 0.0
    kernel = psf.gaussian(sigma) if sigma > 0.2 else np.ones((1, 1), np.float32)
    angle, red = rng.uniform(0, 2 * np.pi), float(rng.triangular(0, 0, 1))
    blue = -red * float(rng.uniform(0.3, 1)) if rng.random() < 0.7 else red * float(rng.uniform(0, 1))
    shifts = [amount * np.array((np.sin(angle), np.cos(angle))) for amount in (red, 0.0, blue)]
    return tuple(psf.shifted(kernel, float(dy), float(dx)) for dy, dx in shifts)


def add_points(image: Image, rng: np.random.Generator) -> Image:
    """Camera light with stars, lamps or glints, in half of the draws by night: what must not pass for bad pixels.

    Up to 16, of deviations 0.5 to 1.6 px before the lens, brightest pixels 0.02 to 2 of white, colors near white.
    """
    lit = image * np.float32(np.exp(rng.uniform(np.log(0.005), np.log(0.3))) if rng.random() < 0.5 else 1)
    shape = (image.shape[0], image.shape[1])
    for _ in range(int(rng.integers(1, 17))):
        width = float(np.exp(rng.uniform(np.log(0.5), np.log(1.6))))
        shown = psf.spot(shape, (rng.uniform(0, shape[0]), rng.uniform(0, shape[1])), width)
        peak = np.exp(rng.uniform(np.log(0.02), np.log(2.0))) * np.exp(rng.normal(0, 0.25, image.shape[2]))
        lit += (shown / shown.max())[..., None].astype(np.float32) * peak.astype(np.float32)
    return lit


def draw_noise(rng: np.random.Generator, lowness: float = 2.5) -> tuple[float, float, noise.Structure]:
    """Shot and read variance before white balance, and structured noise; ISO 50…51200-like.

    With ``lowness`` 1 every doubling of the ISO is as likely as any other; above, low ones come more often.
    """
    full_well = np.exp(rng.uniform(np.log(15e3), np.log(120e3)))
    read_electrons = rng.uniform(1.0, 6.0)
    gain = 0.5 * np.exp(np.log(1024) * rng.random() ** lowness)
    shot, read = gain / full_well, (read_electrons / full_well * gain) ** 2
    sigma = float(np.sqrt(read))
    structure = noise.Structure()
    if rng.random() < 0.3:
        structure = noise.Structure(
            row=float(rng.uniform(0, 0.15)) * sigma,
            column=float(rng.uniform(0, 0.1)) * sigma,
            fixed_pattern=float(rng.uniform(0, 0.3)) * sigma,
            telegraph=float(rng.uniform(1, 4)) * sigma if rng.random() < 0.5 else 0.0,
            telegraph_share=0.01,
        )
    return float(shot), float(read), structure


def draw_defects(rng: np.random.Generator) -> Defects | None:
    """A third of the patches have none; the others from a few to one in a hundred, clusters, lines."""
    if rng.random() < 0.33:
        return None
    return Defects(
        probability=float(np.exp(rng.uniform(np.log(1e-3), np.log(1e-2)))),
        clusters=300.0 if rng.random() < 0.4 else 0.0,
        lines=1.0 if rng.random() < 0.12 else 0.0,
        scale=float(np.exp(rng.uniform(np.log(0.03), np.log(0.35)))),
    )


def draw_outside(shape: tuple[int, int], rng: np.random.Generator) -> Bool:
    """What of a patch lies outside of the frame, ``(H, W)``: in one patch of eight, up to 24 px on one or two sides."""
    inside = np.ones(shape, bool)
    if rng.random() < 0.125:
        for axis in {int(a) for a in rng.integers(2, size=2)}:
            depth = int(rng.integers(1, 25))
            cut = slice(None, depth) if rng.random() < 0.5 else slice(-depth, None)
            inside[(cut, slice(None)) if axis == 0 else (slice(None), cut)] = False
    return ~inside


def ring(outside: Bool, width: int) -> Bool:
    """The outermost pixels of a frame along the sides that ``outside`` has, so many deep."""
    grown = outside.copy()
    for axis in (0, 1):
        for step in range(1, width + 1):
            for sign in (-1, 1):
                moved = np.roll(outside, sign * step, axis)
                edge = [slice(None), slice(None)]
                edge[axis] = slice(None, step) if sign > 0 else slice(-step, None)
                moved[tuple(edge)] = False
                grown |= moved
    return grown & ~outside


def make_pair(
    photo: NDArray[np.uint8],
    cfa: Cfa,
    rng: np.random.Generator,
    *,
    quiet: float = 0.3,
    natural: float = 0.5,
    learned: LearnedNoise | None = None,
) -> MosaicPair:
    """Expose an 8-bit sRGB crop ``(H, W, 3)`` on a drawn sensor with a canonical filter array.

    ``quiet`` and ``natural`` as in `TrainConfig`; ``learned``, where given, draws the noise.
    """
    light = draw_light(rng, natural)
    wb = np.asarray(light.wb, np.float32)
    if rng.random() < 0.04:  # flat fields keep the mean honest
        photo = np.broadcast_to(photo.mean((0, 1)).astype(np.uint8), photo.shape)
    seen = scene.to_camera(scene.linearize(photo), light)
    if rng.random() < POINTS:
        seen = add_points(seen, rng)
    if (kernels := draw_optics(rng)) is not None:
        seen = psf.blur(seen, kernels)
    if cfa.unit().max() == INFRARED:
        seen, wb = add_infrared(seen, rng), np.append(wb, np.float32(1))
    clean = np.clip(seen, 0, wb)
    shape = clean.shape[:2]
    outside = draw_outside((shape[0], shape[1]), rng)
    if outside.any() and rng.random() < 0.4:  # scans and crops have borders, and masked pixels leak in
        clean = (
            clean
            * np.where(
                ring(outside, int(rng.integers(1, 4))), np.float32(rng.uniform(0, 0.4)), np.float32(1)
            )[..., None]
        )
    multiplier = wb[cfa.channels((shape[0], shape[1]))]
    signal = cfa.mosaic(clean) / multiplier
    if rng.random() < quiet:  # no noise at all: synthetic and binned frames
        shot, read, field = 1e-5, 1e-9, np.zeros_like(signal)
    elif learned is not None:
        field, shot, read = learned.draw_field(signal, rng)
    else:
        shot, read, structure = draw_noise(rng)
        field = noise.draw_white(signal, shot, read, rng)
        field += noise.draw_structure((shape[0], shape[1]), structure, rng)
    observed = np.minimum(signal + field, 1)
    field = observed - signal
    defects = draw_defects(rng)
    bad = np.zeros(signal.shape, bool)
    if defects is not None:
        observed, bad = plant(observed, defects, rng)
    known_bad = bad & (rng.random() < 0.15)
    known_bad, bad = known_bad | outside, bad & ~outside
    misjudged = np.exp(rng.normal(0, 0.2))  # noise models are never exact
    sigma = np.sqrt(noise.variance(observed, shot, read)) * np.float32(misjudged)
    return MosaicPair(
        mosaic=lift_all(np.asarray(observed * multiplier, np.float32), cfa, light.wb),
        sigma=np.asarray(sigma * multiplier, np.float32),
        known_bad=known_bad.astype(np.float32),
        clean=np.asarray(clean, np.float32),
        clip=wb,
        noise=np.asarray(field * multiplier, np.float32),
        bad=bad,
    )
