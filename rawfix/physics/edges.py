"""Widths of straight edges, measured on the samples of each color where they lie.

As in the edge-based spatial frequency response, samples are laid out by their distance from a slanted edge, so that
they scan it more finely than the pixels do. Instead of a Fourier transform of that scan, the edge of a Gaussian is
fitted to it: red and blue of a mosaic are too sparse, and photographs too short of long edges, for spectra.

References
----------
ISO 12233:2017, annex D (edge-based SFR).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image, NoiseModel

Float = NDArray[np.float64]

SIDE = 36
"""Side of the square of pixels in which one edge is measured."""
_STEP = 18
_SLANT_BINS = 8
_ROUNDS = 25
_BOX = 1 / 12
"""Variance of a pixel's own aperture, at any angle."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One straight edge.

    Attributes
    ----------
    y, x
        Center of the square it was measured in, pixels.
    sigmas
        Deviation of the Gaussian that blurred it, pixels, by channel (red, green, blue), without the pixel's own
        aperture; NaN where a channel could not be measured.
    contrast
        Difference of its sides in the light's units, of the channel that was measured best.
    """

    y: float
    x: float
    sigmas: tuple[float, float, float]
    contrast: float


def find_edges(
    light: Image, channels: NDArray[np.integer] | None, noise: NoiseModel, *, limit: int = 400
) -> list[Edge]:
    """Measure the straight, isolated, slanted edges of a frame.

    Parameters
    ----------
    light
        ``(H, W)`` mosaic or ``(H, W, 3)`` full color, float32, linear, black 0, white 1, before white balance.
    channels
        ``(period_y, period_x)`` channel of each site of a mosaic (0 red, 1 green, 2 blue; others are left out);
        None for full color.
    noise
        Tells edges from noise.
    limit
        Most edges to measure: those that stand out most, spread over a grid.

    Returns
    -------
    list of Edge
        By contrast over noise, the strongest first; empty where there is none.
    """
    squares = sorted(_candidates(light, channels, noise), reverse=True)[: 4 * limit]
    edges = []
    for _, y, x in squares:
        if (edge := _measure(light, channels, noise, y, x)) is not None:
            edges.append(edge)
        if len(edges) == limit:
            break
    return edges


def _candidates(
    light: Image, channels: NDArray[np.integer] | None, noise: NoiseModel
) -> list[tuple[float, int, int]]:
    """``(strength, y, x)`` of squares whose gradients lie along one straight line."""
    cell_y, cell_x = (1, 1) if channels is None else channels.shape
    if channels is not None and max(cell_y, cell_x) == 1:
        cell_y = cell_x = 2
    height, width = light.shape[0] // cell_y, light.shape[1] // cell_x
    cells = light[: height * cell_y, : width * cell_x].reshape(height, cell_y, width, cell_x, -1)
    gray = cells.mean((1, 3, 4), dtype=np.float64)
    spread = np.sqrt(np.mean(noise.shot) * np.maximum(gray, 0) + np.mean(noise.read))
    found = []
    rows, columns = -(-SIDE // cell_y), -(-SIDE // cell_x)
    for y in range(0, light.shape[0] - SIDE + 1, _STEP):
        for x in range(0, light.shape[1] - SIDE + 1, _STEP):
            part = np.s_[y // cell_y : y // cell_y + rows, x // cell_x : x // cell_x + columns]
            square = gray[part]
            if min(square.shape) < 5:
                continue
            strength = float(np.ptp(square)) / float(spread[part].mean())
            if strength > 12 and _is_straight(square):
                found.append((strength, y, x))
    return found


def _is_straight(square: Float) -> bool:
    """Whether gradients point one way, and lie near one line through the middle half of the square."""
    down, right = np.gradient(square)
    yy, xx, yx = (down**2).sum(), (right**2).sum(), (down * right).sum()
    coherence = np.hypot(yy - xx, 2 * yx) / max(yy + xx, 1e-30)
    if coherence < 0.85:
        return False
    angle = 0.5 * np.arctan2(2 * yx, xx - yy)
    y, x = np.indices(square.shape)
    weight = down**2 + right**2
    along = x * np.cos(angle) + y * np.sin(angle)
    middle = (weight * along).sum() / weight.sum()
    deviation = np.sqrt((weight * (along - middle) ** 2).sum() / weight.sum())
    center = (square.shape[1] - 1) / 2 * np.cos(angle) + (square.shape[0] - 1) / 2 * np.sin(angle)
    return bool(deviation < 0.12 * len(square) + 0.6 and abs(middle - center) < 0.25 * len(square))


def _measure(
    light: Image, channels: NDArray[np.integer] | None, noise: NoiseModel, y: int, x: int
) -> Edge | None:
    """The edge in the square at ``(y, x)``, or None where it is no clean one."""
    square = np.asarray(light[y : y + SIDE, x : x + SIDE], np.float64)
    rows, cols = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    sigmas, contrasts = [], []
    for channel in range(3):
        if square.ndim == 3:
            here: NDArray[np.bool_] | slice = np.ones((SIDE, SIDE), bool)
            values = square[..., channel].ravel()
        else:
            unit = np.zeros((1, 1), int) if channels is None else np.asarray(channels)
            moved = np.roll(unit, (-y, -x), (0, 1))
            index = np.tile(moved, (-(-SIDE // unit.shape[0]), -(-SIDE // unit.shape[1])))[:SIDE, :SIDE]
            # A sensor of one channel is all three.
            here = index == channel if unit.size > 1 else np.ones((SIDE, SIDE), bool)
            values = square[here]
        fitted = (
            _fit(values, rows[here], cols[here], noise.shot[channel], noise.read[channel])
            if len(values) > 60
            else None
        )
        sigmas.append(np.nan if fitted is None else fitted[0])
        contrasts.append(0.0 if fitted is None else fitted[1])
    if not np.isfinite(sigmas).any():
        return None
    red, green, blue = sigmas
    return Edge(y + SIDE / 2, x + SIDE / 2, (red, green, blue), max(contrasts))


def _fit(values: Float, rows: Float, cols: Float, shot: float, read: float) -> tuple[float, float] | None:
    """Deviation and contrast of the Gaussian edge through scattered samples, or None where it fits badly.

    ``a + b·d + c·Φ(d / s)`` of the distance ``d = x·cos θ + y·sin θ − o``, by Levenberg and Marquardt.
    """
    low, high = np.quantile(values, (0.1, 0.9))
    if values.max() > 0.97 or high - low < 10 * np.sqrt(shot * max(high, 0) + read):
        return None
    plane = np.linalg.lstsq(np.stack((np.ones_like(rows), cols, rows), 1), values, rcond=None)[0]
    angle = float(np.arctan2(plane[2], plane[1]))
    along = cols * np.cos(angle) + rows * np.sin(angle)
    offset = float(along.max() - (along.max() - along.min()) * (values > (low + high) / 2).mean())
    state = np.array([low, 0.0, high - low, angle, offset, 1.0])
    damping, cost = 1e-3, np.inf
    residual, jacobian = _edge(state, values, rows, cols)
    cost = float(residual @ residual)
    for _ in range(_ROUNDS):
        normal = jacobian.T @ jacobian
        try:
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-12), jacobian.T @ residual)
        except np.linalg.LinAlgError:
            return None
        trial = state + step
        trial[5] = min(max(abs(trial[5]), 0.15), 8.0)
        trial_residual, trial_jacobian = _edge(trial, values, rows, cols)
        trial_cost = float(trial_residual @ trial_residual)
        if trial_cost < cost:
            is_done = cost - trial_cost < 1e-7 * cost
            state, residual, jacobian, cost = trial, trial_residual, trial_jacobian, trial_cost
            damping = max(damping / 5, 1e-9)
            if is_done:
                break
        else:
            damping *= 8
            if damping > 1e8:
                break
    return _checked(state, residual, jacobian, rows, cols, shot, read, high)


def _checked(
    state: Float, residual: Float, jacobian: Float, rows: Float, cols: Float,
    shot: float, read: float, high: float,
) -> tuple[float, float] | None:  # fmt: skip
    """What was fitted, where it is one edge, crossed in all phases, near the middle, and little else."""
    _, ramp, contrast, angle, offset, width = state
    noise = np.sqrt(shot * max(high, 0.0) + read)
    rms = float(np.sqrt(np.mean(residual**2)))
    distance = cols * np.cos(angle) + rows * np.sin(angle) - offset
    near = np.abs(distance) < 2 * width + 1
    phases = np.histogram(np.mod(distance[near], 1.0), _SLANT_BINS, (0, 1))[0]
    if (
        contrast < 10 * noise
        or rms > 1.3 * noise + 0.015 * contrast
        or abs(ramp) * SIDE > 0.5 * contrast
        or abs(offset) > SIDE / 4
        or phases.min() < 0.4 * phases.mean()
    ):
        return None
    try:
        covariance = np.linalg.inv(jacobian.T @ jacobian) * rms**2
    except np.linalg.LinAlgError:
        return None
    if not 0 <= covariance[5, 5] < (0.08 * width) ** 2:
        return None
    return float(np.sqrt(max(width**2 - _BOX, 0.0))), float(contrast)


def _edge(state: Float, values: Float, rows: Float, cols: Float) -> tuple[Float, Float]:
    """Residual of the model, and its derivatives by a, b, c, θ, o, s."""
    base, ramp, contrast, angle, offset, width = state
    distance = cols * np.cos(angle) + rows * np.sin(angle) - offset
    turned = rows * np.cos(angle) - cols * np.sin(angle)
    scaled = distance / width
    rise = normal_cdf(scaled)
    bell = np.exp(-0.5 * scaled**2) * (contrast / (width * np.sqrt(2 * np.pi)))
    slope = ramp + bell
    jacobian = np.stack((np.ones_like(rows), distance, rise, slope * turned, -slope, -bell * scaled), 1)
    return values - (base + ramp * distance + contrast * rise), jacobian


def normal_cdf(x: Float) -> Float:
    """Gaussian distribution function, within 1e-7 (Abramowitz and Stegun 26.2.17)."""
    t = 1 / (1 + 0.2316419 * np.abs(x))
    poly = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    upper = np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi) * poly
    return np.asarray(np.where(x >= 0, 1 - upper, upper), np.float64)
