"""The least-squares linear demosaic, and a bank of them for different local structures.

Everything happens on the packed mosaic: each cell of the filter array's period becomes a vector of its
samples. A linear demosaic is then one convolution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import CANONICAL, INFRARED, Cfa
from rawfix.frame import Image
from rawfix.physics import scene
from rawfix.training.data import Photo, draw_crop
from rawfix.training.synthesis import add_infrared, draw_light

PERCEPTUAL_OFFSET = 0.0015
"""Offset of the square-root encoding: its slope in the dark is about that of sRGB."""


def packed_sites(cfa: Cfa) -> NDArray[np.intp]:
    """Raster indices of a unit's sites in the order of packing, see `pack`: ``(period²,)``."""
    period = cfa.period[0]
    return (
        pack(np.arange(period**2, dtype=np.float32).reshape(period, period), period).ravel().astype(np.intp)
    )


def packed_channels(cfa: Cfa) -> NDArray[np.intp]:
    """What each packed site measures: ``(period²,)``."""
    return cfa.unit().ravel()[packed_sites(cfa)].astype(np.intp)


def pack(plane: NDArray[np.float32], period: int) -> NDArray[np.float32]:
    """``(H, W, …)`` → ``(H/p, W/p, p·p·…)``: by place in a 2×2 cell, then by the cell's place in the unit.

    It is what `torch.nn.functional.pixel_unshuffle` does by 2 and then by half the period. The period is even.
    """
    height, width, half = plane.shape[0] // period, plane.shape[1] // period, period // 2
    cells = plane[: height * period, : width * period].reshape(
        height, half, 2, width, half, 2, *plane.shape[2:]
    )
    return np.ascontiguousarray(np.moveaxis(cells, (2, 5, 1, 4), (2, 3, 4, 5)).reshape(height, width, -1))


def _windows(packed: NDArray[np.float32], kernel: int) -> NDArray[np.float32]:
    """Every valid ``kernel × kernel`` window of cells as a row: ``(N, channels·kernel²)`` in (C, ky, kx) order."""
    view = np.lib.stride_tricks.sliding_window_view(packed, (kernel, kernel), axis=(0, 1))
    return view.reshape(-1, packed.shape[2] * kernel * kernel)


def missing_outputs(cfa: Cfa) -> list[tuple[int, int]]:
    """``(packed site, channel)`` pairs which a mosaic does not measure.

    By place in a 2×2 cell, then by channel, then by the cell's place in the unit: so that the planes, shuffled by
    half the period, are those of a mosaic packed 2×2.
    """
    measured = packed_channels(cfa)
    channels, cells = max(3, int(measured.max()) + 1), measured.size // 4
    outputs = []
    for place in range(4):
        sites = range(place * cells, (place + 1) * cells)
        missing = {site: [c for c in range(channels) if c != measured[site]] for site in sites}
        outputs += [(site, missing[site][k]) for k in range(channels - 1) for site in sites]
    return outputs


def gather(
    photos: tuple[tuple[str, Photo], ...], cfa: Cfa, kernel: int, samples: int, rng: np.random.Generator
) -> tuple[Image, Image]:
    """Windows of packed, encoded mosaics ``(N, F)`` and the colors of their central cells ``(N, p·p·3)``."""
    period = cfa.period[0]
    margin = kernel // 2
    xs, ys, count = [], [], 0
    while count < samples:
        photo = draw_crop(photos, 96 // period * period, rng)
        light = np.maximum(scene.to_camera(scene.linearize(photo), draw_light(rng)), 0)
        light = add_infrared(light, rng) if cfa.unit().max() == INFRARED else light
        clean = np.sqrt(light + np.float32(PERCEPTUAL_OFFSET)) - np.float32(PERCEPTUAL_OFFSET**0.5)
        xs.append(_windows(pack(cfa.mosaic(clean), period), kernel))
        truth = pack(clean, period)
        ys.append(truth[margin:-margin, margin:-margin].reshape(-1, truth.shape[2]))
        count += len(xs[-1])
    return np.concatenate(xs), np.concatenate(ys)


def _solve(x: Image, y: Image, ridge: float) -> NDArray[np.float64]:
    """Ridge regression of one output."""
    wide = x.astype(np.float64)
    gram = wide.T @ wide
    gram[np.diag_indices_from(gram)] += ridge * np.trace(gram) / len(gram)
    return np.asarray(np.linalg.solve(gram, wide.T @ y.astype(np.float64)), np.float64)


def fit_leave_one_out(
    photos: tuple[tuple[str, Photo], ...], cfa_name: str, kernel: int, *, samples: int = 60_000, seed: int = 1
) -> NDArray[np.float32]:
    """Least-squares prediction of each sample from its window without itself: ``(cells, cells, k, k)``."""
    cfa = CANONICAL[cfa_name]
    x, _ = gather(photos, cfa, kernel, samples, np.random.default_rng(seed))
    cells = cfa.unit().size
    fitted = np.zeros((cells, x.shape[1]))
    for site in range(cells):
        own = site * kernel**2 + kernel**2 // 2
        others = np.arange(x.shape[1]) != own
        fitted[site, others] = _solve(x[:, others], x[:, own], 1e-6)
    return fitted.reshape(cells, cells, kernel, kernel).astype(np.float32)


def fit_bank(
    photos: tuple[tuple[str, Photo], ...],
    cfa_name: str,
    demosaicers: int,
    kernel: int,
    *,
    samples: int = 120_000,
    rounds: int = 3,
    seed: int = 1,
) -> NDArray[np.float32]:
    """Fit linear demosaicers to different local structures by alternating assignment and least squares.

    Returns ``(demosaicers, missing, channels, kernel, kernel)`` float32: for each demosaicer one convolution
    kernel a missing output, in the order of `missing_outputs`. With one demosaicer this is the plain
    least-squares demosaic.
    """
    cfa = CANONICAL[cfa_name]
    rng = np.random.default_rng(seed)
    x, y = gather(photos, cfa, kernel, samples, rng)
    cells = cfa.unit().size
    outputs = missing_outputs(cfa)
    encoded = x.reshape(len(x), cells, kernel, kernel)
    across = np.abs(np.diff(encoded, axis=3)).mean((1, 2, 3))
    down = np.abs(np.diff(encoded, axis=2)).mean((1, 2, 3))
    direction = np.log((across + 1e-3) / (down + 1e-3))
    edges = np.quantile(direction, np.linspace(0, 1, demosaicers + 1)[1:-1])
    group = np.repeat(np.searchsorted(edges, direction)[:, None], cells, 1)
    bank = np.zeros((demosaicers, len(outputs), x.shape[1]))
    for _ in range(rounds if demosaicers > 1 else 1):
        error = np.zeros((len(x), cells, demosaicers), np.float32)
        for index, (site, channel) in enumerate(outputs):
            truth = y[:, site * 3 + channel]
            for which in range(demosaicers):
                chosen = group[:, site] == which
                if chosen.sum() > 4 * x.shape[1]:
                    bank[which, index] = _solve(x[chosen], truth[chosen], 1e-6)
                error[:, site, which] += (x @ bank[which, index].astype(np.float32) - truth) ** 2
        group = error.argmin(2)
    return bank.reshape(demosaicers, len(outputs), cells, kernel, kernel).astype(np.float32)
