"""Charts developed and measured: sharpness of edges, moiré of a zone plate, flux of stars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image
from rawfix.training.evaluation.protocol import EXPOSURE, Develop, expose, generator, grain, inside
from rawfix.training.evaluation.sharpness import mtf50
from rawfix.training.evaluation.targets import STAR_WIDTHS, Stars, slanted_edge, star_field, zone_plate
from rawfix.training.evaluation.targets import ring_frequency as frequencies
from rawfix.training.evaluation.whole import Demosaicer

CHANNELS = ("red", "green", "blue")
EDGES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "gray": ((0.05, 0.05, 0.05), (0.75, 0.75, 0.75)),
    "blue to yellow": ((0.04, 0.09, 0.5), (0.8, 0.6, 0.06)),
    "red to cyan": ((0.55, 0.06, 0.05), (0.05, 0.45, 0.5)),
}
BANDS = ((0.0, 0.2), (0.2, 0.35), (0.35, 0.5))
"""Of the zone plate, in cycles a pixel."""
EDGE_SIDE, ZONE_SIDE, STAR_SIDE = 168, 480, 480
STAR_ISO, APERTURE, LOST = 100.0, 5, 0.2


def sides(cfa: Cfa, side: int) -> int:
    """The side cut to whole units of the filter array."""
    return side // cfa.period[0] * cfa.period[0]


def _through(develop: Develop, light: Image, cfa: Cfa) -> Image:
    return develop(expose(light * np.float32(EXPOSURE), cfa)) / np.float32(EXPOSURE)


def _mtf50(plane: Image) -> float:
    """`mtf50`, or NaN where a developer left no edge."""
    try:
        return mtf50(plane)
    except ValueError:
        return float("nan")


def edges(develop: Develop, cfa: Cfa) -> dict[str, dict[str, float]]:
    """Per edge and channel: MTF50 over that of the truth, mean of an upright and a lying edge; and the truth's own."""
    found: dict[str, dict[str, float]] = {}
    for name, (dark, bright) in EDGES.items():
        ratios: dict[str, list[float]] = {channel: [] for channel in CHANNELS}
        truths = []
        for upright in (True, False):
            truth = slanted_edge(
                sides(cfa, EDGE_SIDE),
                np.asarray(dark, np.float32),
                np.asarray(bright, np.float32),
                upright=upright,
            )
            result = inside(_through(develop, truth, cfa))
            for channel, label in enumerate(CHANNELS):
                planes = [image[..., channel] for image in (result, inside(truth))]
                measured, own = (_mtf50(plane if upright else plane.T) for plane in planes)
                ratios[label].append(measured / own)
                truths.append(own)
        found[name] = {label: float(np.mean(values)) for label, values in ratios.items()}
        found[name]["truth_cycles_per_pixel"] = float(np.mean(truths))
    return found


def zone(develop: Develop, cfa: Cfa) -> tuple[dict[str, float], Image]:
    """False color of a gray zone plate, and the developed plate in linear light.

    Chroma is the root mean square of red − green and blue − green, over the deviation of the truth's gray, in
    percent; per band of frequency, and over all. The truth has none. ``gray_error`` is the green channel's.
    """
    truth = zone_plate(sides(cfa, ZONE_SIDE))
    result = _through(develop, truth, cfa)[..., :3]
    image, wanted = inside(result).astype(np.float64), inside(truth)
    frequency = inside(frequencies(len(truth)))
    chroma = ((image[..., ::2] - image[..., 1:2]) ** 2).mean(2)
    error = (image[..., 1] - wanted[..., 1]) ** 2
    spread = float(wanted[frequency < 0.5, 1].std())
    figures = {}
    for low, high in (*BANDS, (0.0, 0.5)):
        band = (frequency >= low) & (frequency < high)
        label = "all" if (low, high) == (0.0, 0.5) else f"{low:.2f}–{high:.2f} cycles/px"
        figures[label] = 100 * float(np.sqrt(chroma[band].mean())) / spread
    figures["gray_error"] = 100 * float(np.sqrt(error[frequency < 0.5].mean())) / spread
    return figures, result


def _fluxes(image: Image, field: Stars) -> NDArray[np.float64]:
    """Light above the sky in a square aperture about each star, ``(stars, 3)``."""
    above = image[..., :3].astype(np.float64) - field.sky
    return np.array(
        [
            above[y - APERTURE : y + APERTURE + 1, x - APERTURE : x + APERTURE + 1].sum((0, 1))
            for y, x in field.places
        ]
    )


def stars(network: Demosaicer) -> tuple[dict[str, dict[str, float]], Image, Image]:
    """Per width of star: what is left of its flux; and the developed and the true field.

    ``flux`` is the median over the stars, all channels together; ``flux_red`` and so on that of all stars together in
    one channel, lest one channel make up for another; ``lost_percent`` the share of stars that lost a fifth of theirs
    or more, ``flagged_percent`` the share of which a sample was taken for a defect. The grain is that of `STAR_ISO`:
    below 2 % of the faintest star's flux.
    """
    field = star_field(sides(network.cfa, STAR_SIDE), generator("stars"))
    plane = expose(field.light * np.float32(EXPOSURE), network.cfa)
    noise = grain(plane, STAR_ISO, generator("stars", "grain"))
    camera, bad = network(plane + noise, STAR_ISO)
    result = camera / np.float32(EXPOSURE)
    kept, whole = _fluxes(result, field), _fluxes(field.light, field)
    ratio = kept.sum(1) / whole.sum(1)
    flagged = np.array([bad[y - 2 : y + 3, x - 2 : x + 3].any() for y, x in field.places])
    figures = {}
    for width in STAR_WIDTHS:
        these = field.widths == width
        figures[f"σ {width} px"] = {
            "flux": float(np.median(ratio[these])),
            **{
                f"flux_{name}": float(kept[these, channel].sum() / whole[these, channel].sum())
                for channel, name in enumerate(CHANNELS)
            },
            "lost_percent": 100 * float((ratio[these] < 1 - LOST).mean()),
            "flagged_percent": 100 * float(flagged[these].mean()),
        }
    return figures, result[..., :3], field.light
