"""Clusters of bad samples, of which a part was found.

What hits a sensor hits whole neighborhoods, and a network that sees one value several times side by side takes some of
it for the scene's. But next to a bad sample another is likely; so each that touches one is held against samples of its
color farther off.

A lamp or a sparkle that was mistaken for a defect looks the same, except at its rim: a lens spreads light beyond the
brightest samples, a defect ends where it ends; and the light of a star falls off from one sample on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image, NoiseModel, with_infrared
from rawfix.physics.neighbors import same_color_offsets, samples_at
from rawfix.physics.noise import variance
from rawfix.physics.point_sources import Sites, are_point_sources

Bool = NDArray[np.bool_]
Index = NDArray[np.intp]

_ROUNDS = 2
"""How many samples a cluster may reach beyond what was found of it."""
_NEAREST, _FEWEST = 24, 6
"""Samples around that are looked at, and how many of them are good, at least, for a judgment."""
_SPREADS, _SIGMAS, _WHITE, _BRIGHTEST = 5.0, 8.0, 0.02, 0.1
"""A bad sample is off by more than the sum of these times the spread around it, its noise, white, and the brightest
sample around it;"""
_BEYOND = 2.0
"""and beyond the range of the samples around it by so many of their deviations."""
_BESIDE = 2
"""Where so many bad ones touch it, it need be off by one part in so many of that only."""
_RIM_ERRORS, _RIM = 1.5, 0.004
"""A cluster is light where its rim is off to the same side, by more than so many standard errors and by this share of
what is most off in it."""
_STAR, _FALL = 4, 0.7
"""Least samples of a star's group, of which most read less than this part of its brightest."""
_AT_ONCE = 1 << 16
_STEPS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))


class _Around(NamedTuple):
    """What the trustworthy samples of its color say of each site, all ``(N,)``."""

    middle: Image
    spread: Image
    least: Image
    most: Image
    number: Index


def find_clustered(
    mosaic: Image, cfa: Cfa, wb: tuple[float, float, float], noise: NoiseModel, found: Bool, bad: Bool
) -> Bool:
    """Clusters, whole: touching samples of which a part was found, and the others are as far off.

    Parameters
    ----------
    mosaic
        ``(H, W)`` float32, linear, balanced with ``wb``.
    cfa, wb, noise
        Filter array from the first pixel, the multipliers it carries, noise before them.
    found
        ``(H, W)`` bool: bad samples that others may lie beside: beside those that are far off themselves.
    bad
        ``(H, W)`` bool: all that are bad, ``found`` included.

    Returns
    -------
    ``(H, W)`` bool: of ``found`` and of what was not ``bad`` yet, all that touches another and is no light. What lies
    beside samples that are ``bad`` but not ``found`` stays: a map of known ones is taken for complete.
    """
    more = np.zeros_like(bad)
    seeds = _sites(found)
    seeds = _pick(seeds, _are_off(mosaic, cfa, wb, noise, seeds, bad | _touched(seeds, bad.shape, 2)))
    for _ in range(_ROUNDS):
        suspects = _sites(_touched(seeds, bad.shape) & ~bad & ~more)
        worthless = bad | more | _touched(seeds, bad.shape, 2)
        seeds = _pick(
            suspects,
            _are_off(mosaic, cfa, wb, noise, suspects, worthless, _share(suspects, found | more)),
        )
        if not seeds[0].size:
            break
        more[seeds] = True
    whole = more | found
    sites = _sites(whole)
    groups = _group(sites, bad.shape[1])
    together = np.bincount(groups, minlength=groups.size)[groups] > 1
    sites, groups = _pick(sites, together), groups[together]
    is_light = _fade(mosaic, cfa, sites, groups, bad | more) | _are_stars(
        mosaic, cfa, wb, noise, sites, groups, bad & ~found
    )
    clusters = np.zeros_like(bad)
    clusters[_pick(sites, ~is_light)] = True
    return clusters


def _sites(marked: Bool) -> Sites:
    rows, columns = np.nonzero(marked)
    return rows, columns


def _pick(sites: Sites, chosen: Bool) -> Sites:
    return sites[0][chosen], sites[1][chosen]


def _touched(sites: Sites, shape: tuple[int, ...], reach: int = 1) -> Bool:
    """The sites and the eight around each, or more, as a map."""
    marked = np.zeros(shape, bool)
    steps = range(-reach, reach + 1)
    for dy in steps:
        for dx in steps:
            marked[np.clip(sites[0] + dy, 0, shape[0] - 1), np.clip(sites[1] + dx, 0, shape[1] - 1)] = True
    return marked


def _share(sites: Sites, marked: Bool) -> Image:
    """Of what one must be off by, the part each site must: the less, the more marked ones touch it."""
    padded = np.pad(marked, 1)
    count = sum(padded[sites[0] + 1 + dy, sites[1] + 1 + dx].astype(np.intp) for dy, dx in _STEPS)
    return (1 / np.clip(count, 1, _BESIDE)).astype(np.float32)


def _look_around(mosaic: Image, cfa: Cfa, sites: Sites, worthless: Bool) -> _Around:
    """Mean by inverse squared distance, spread and range of what is not worthless around some sites."""
    offsets = same_color_offsets(cfa, _NEAREST)
    weights = 1 / (offsets**2).sum(-1).astype(np.float32)
    parts = []
    for start in range(0, max(sites[0].size, 1), _AT_ONCE):
        rows, columns = (index[start : start + _AT_ONCE] for index in sites)
        place = rows % cfa.period[0], columns % cfa.period[1]
        values, good = samples_at(mosaic, worthless, (rows, columns), offsets[place])
        values = np.where(good, values, np.float32(0))
        weight = good * weights[place]
        middle = (weight * values).sum(1) / np.maximum(weight.sum(1), np.float32(1e-9))
        number = good.sum(1)
        mean = values.sum(1) / np.maximum(number, 1)
        spread = np.sqrt((good * (values - mean[:, None]) ** 2).sum(1) / np.maximum(number, 1))
        least, most = np.where(good, values, np.inf).min(1), np.where(good, values, -np.inf).max(1)
        parts.append((middle, spread, least, most, number))
    return _Around(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _are_off(
    mosaic: Image,
    cfa: Cfa,
    wb: tuple[float, float, float],
    noise: NoiseModel,
    sites: Sites,
    worthless: Bool,
    share: Image | float = 1.0,
) -> Bool:
    """Which samples depart from the trustworthy ones of their color around them."""
    gain = with_infrared(wb)
    shot, read = with_infrared(noise.shot) * gain, with_infrared(noise.read) * gain**2
    color = cfa.unit()[sites[0] % cfa.period[0], sites[1] % cfa.period[1]]
    value, around = mosaic[sites], _look_around(mosaic, cfa, sites, worthless)
    sigma = np.sqrt(variance(around.middle, shot[color], read[color]))
    least_departure = _SPREADS * around.spread + _SIGMAS * sigma
    least_departure += _WHITE + _BRIGHTEST * np.maximum(around.most, 0)
    far = np.abs(value - around.middle) > share * least_departure
    beyond = np.maximum(value - around.most, around.least - value) > share * _BEYOND * around.spread
    return np.asarray(far & beyond & (around.number >= _FEWEST))


def _fade(mosaic: Image, cfa: Cfa, sites: Sites, groups: Index, worthless: Bool) -> Bool:
    """Which sites belong to a group that fades into its surroundings."""
    height, width = mosaic.shape
    rims = []
    for dy, dx in _STEPS:
        y, x = sites[0] + dy, sites[1] + dx
        inside = np.flatnonzero((y >= 0) & (y < height) & (x >= 0) & (x < width))
        inside = inside[~worthless[y[inside], x[inside]]]
        rims.append(groups[inside] * (height * width) + y[inside] * width + x[inside])
    group, rim = np.divmod(np.unique(np.concatenate(rims)), height * width)
    rim_sites = rim // width, rim % width
    blind = worthless.copy()
    blind[rim_sites] = True
    rim_around = _look_around(mosaic, cfa, rim_sites, blind)
    seen = rim_around.number >= _FEWEST
    number = int(groups.max(initial=0)) + 1
    sign, peak = _extreme(mosaic[sites] - _look_around(mosaic, cfa, sites, blind).middle, groups)
    count = np.maximum(np.bincount(group[seen], minlength=number), 1)
    departure = (mosaic[rim_sites] - rim_around.middle)[seen]
    mean = np.bincount(group[seen], departure, number) / count * sign
    error = np.sqrt(np.bincount(group[seen], rim_around.spread[seen] ** 2, number)) / count
    return np.asarray(((mean > _RIM_ERRORS * error) & (mean > _RIM * peak))[groups])


def _are_stars(
    mosaic: Image,
    cfa: Cfa,
    wb: tuple[float, float, float],
    noise: NoiseModel,
    sites: Sites,
    groups: Index,
    worthless: Bool,
) -> Bool:
    """Which sites belong to a group that is a point of light, falling off from one sample on."""
    gain = with_infrared(wb)[cfa.unit()[sites[0] % cfa.period[0], sites[1] % cfa.period[1]]]
    value = mosaic[sites] / gain
    count = np.bincount(groups, minlength=groups.size)
    most = np.zeros(count.size, np.float32)
    np.maximum.at(most, groups, value)
    fainter = np.bincount(groups, value < _FALL * most[groups], count.size)
    could = (count >= _STAR) & (2 * fainter > count)
    asked = could[groups]
    points = np.zeros(value.size, bool)
    points[asked] = are_point_sources(mosaic, _pick(sites, asked), cfa, wb, noise, worthless)
    return np.asarray(could & (2 * np.bincount(groups, points, count.size) > count))[groups]


def _extreme(departure: Image, groups: Index) -> tuple[Image, Image]:
    """By number of the group, the sign and the size of what departs most in it."""
    above, below = np.zeros((2, int(groups.max(initial=0)) + 1), np.float32)
    np.maximum.at(above, groups, departure)
    np.maximum.at(below, groups, -departure)
    return np.where(above > below, 1, -1).astype(np.float32), np.maximum(above, below)


def _group(sites: Sites, width: int) -> Index:
    """Numbers of the groups of touching sites; sites as `numpy.nonzero` gives them."""
    flat = sites[0] * (width + 2) + sites[1]  # a gap between rows: their ends do not touch
    label = np.arange(flat.size)
    if not flat.size:
        return label
    pairs = []
    for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
        there = flat + dy * (width + 2) + dx
        at = np.minimum(np.searchsorted(flat, there), flat.size - 1)
        touches = np.flatnonzero(flat[at] == there)
        pairs.append(np.stack((touches, at[touches])))
    first, second = np.concatenate(pairs, axis=1)
    while (differ := label[first] != label[second]).any():
        first, second = first[differ], second[differ]
        one, other = label[first], label[second]
        np.minimum.at(label, np.maximum(one, other), np.minimum(one, other))
        while ((root := label[label]) != label).any():
            label = root
    return label
