"""Residual maps and the user's strengths: what is taken away, and how much of it.

``camera = ideal + Σ signal-like maps + noise-like maps``. Taking blur or haze away changes the signal, and with it the
noise that belongs to it, so noise-like maps are rescaled before they are weighed (after JP 7686428 B2, and its
extension to more components)::

    signal = camera − Σ noise-like maps                         what the noise lies on
    ideal  = signal − Σ strength · map                          signal-like components
    map'   = map · σ(ideal) / σ(signal)                         noise-like components
    result = ideal + Σ (1 − strength) · map'

A signal-like map that was found under another component follows it: blur found in haze is weaker by the haze's
transmission, and where haze is taken away (of light that is deblurred already) it grows with it. So at denoise 0 the
deblurred picture carries the noise that a camera would have recorded of it, and at denoise 1 none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image
from rawfix.physics.noise import LUMA, variance

_ROWS = 16
"""Rows at a time: temporaries stay in the processor's cache. Drawn maps that reach far take more."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A map that follows from the light it lies on, rows at a time: nothing of the picture's size is held.

    Attributes
    ----------
    draw
        Called with rows of light without noise, ``(h, W, 3)``, of which the components before are taken away, and
        the first one's number; returns a map of that shape and mutates nothing.
    reach
        Rows around a row that its map depends on.
    """

    draw: Callable[[Image, int], Image]
    reach: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One residual map, observed − ideal, and how much of it is taken away.

    Attributes
    ----------
    name
        As the user knows it: ``blur``, ``noise``, ``fringe``, ``haze``.
    map
        ``(H, W, 3)`` float, linear, white-balanced; or, of a signal-like component, how to draw it.
    strength
        0 leaves, 1 removes, −1…2.
    dependence
        ``signal``: its removal changes the signal that noise belongs to; ``noise``: it is that noise.
    chroma
        Strength of a noise-like map's colour part; None: as its luma, `strength`.
    """

    name: str
    map: NDArray[np.floating] | Drawn
    strength: float
    dependence: Literal["signal", "noise"]
    chroma: float | None = None


def combine(
    camera: Image,
    components: Sequence[Component],
    shot: Image,
    read: Image,
    *,
    rescale: bool = True,
    threads: int = 1,
    in_place: bool = False,
) -> Image:
    """Take components away, each by its strength.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32, linear, white-balanced, signed, unclipped.
    components
        In the order in which they are removed. Where every strength is 0, `camera` itself is returned.
    shot, read
        ``(3,)`` variance per unit signal and in the dark, after white balance.
    rescale
        False leaves noise-like maps as they were found: for showing what the rescaling is for.
    threads
        Blocks of rows that are worked on at a time; the result is the same for any number.
    in_place
        Write into ``camera`` where nobody else needs it, unless a drawn map reaches beyond its row: saves a copy.

    Returns
    -------
    ndarray
        ``(H, W, 3)`` float32, linear in the strength of each noise-like component.
    """
    if not any(c.strength or c.chroma for c in components):
        return camera
    changes = [c for c in components if c.dependence == "signal" and c.strength]
    noises = [c for c in components if c.dependence == "noise"]
    reach = sum(c.map.reach for c in changes if isinstance(c.map, Drawn))
    height, width = camera.shape[:2]
    step = max(_ROWS, 8 * reach)
    result = camera if in_place and not reach else np.empty_like(camera)
    # Along whole rows: NumPy crawls along an axis of three.
    shots, reads = np.tile(shot, width), np.tile(read, width)

    def fill(top: int) -> None:
        start = max(0, top - reach)
        rows = slice(start, top + step + reach)
        maps = [_rows_of(c, rows) for c in noises]
        out = camera[rows].copy()
        flat = out.reshape(len(out), -1)
        if changes:
            found = sum(maps[1:], maps[0]) if maps else None
            if found is not None:
                out -= found
            before = variance(flat, shots, reads) if rescale and maps else None
            for change in changes:
                if isinstance(change.map, Drawn):
                    out -= np.float32(change.strength) * change.map.draw(out, start)
                else:
                    out -= np.float32(change.strength) * _rows_of(change, rows)
            if found is not None:
                for noise, values in zip(noises, maps, strict=True):
                    found = found - weigh(noise, values)
                if before is not None:
                    found = found.reshape(flat.shape) * np.sqrt(variance(flat, shots, reads) / before)
                flat += found.reshape(flat.shape)
        else:
            for noise, values in zip(noises, maps, strict=True):
                out -= weigh(noise, values)
        result[top : top + step] = out[top - start : top - start + step]

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(fill, range(0, height, step)):
            pass
    return result


def _rows_of(component: Component, rows: slice) -> Image:
    assert not isinstance(component.map, Drawn)
    return np.asarray(component.map[rows], np.float32)


def weigh(component: Component, values: Image) -> Image:
    """A map ``(H, W, 3)`` times its strength; luma and colour apart where they differ."""
    strength = np.float32(component.strength)
    if component.chroma is None or component.chroma == component.strength:
        return strength * values
    luma = (values @ LUMA)[..., None]
    return np.asarray(strength * luma + np.float32(component.chroma) * (values - luma), np.float32)
