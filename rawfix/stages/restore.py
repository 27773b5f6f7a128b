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
from threading import local
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image
from rawfix.physics.noise import LUMA

_ROWS = 16
"""Rows at a time: temporaries stay in the processor's cache. Drawn maps that reach far take more."""
_LEAST_READ = np.float32(1e-12)
"""Variance of a sensor without noise: what is divided by it is finite."""


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
        Strength of a noise-like map's color part; None: as its luma, `strength`.
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
    shots, reads = np.tile(shot, width), np.tile(np.maximum(read, _LEAST_READ), width)
    scratch = _Scratch(step + 2 * reach, width)

    def fill(top: int) -> None:
        start = max(0, top - reach)
        rows = slice(start, min(top + step + reach, height))
        found, other, third, spare = (plane[: rows.stop - start] for plane in scratch.planes)
        out = spare if reach else result[rows]
        np.copyto(out, camera[rows])
        if not changes:
            for noise in noises:
                out -= weigh(noise, rows, other)
        else:
            found[...] = 0
            for noise in noises:
                found += _map_of(noise)[rows]
            out -= found
            before = _variance(out, shots, reads, third) if rescale and noises else None
            for change in changes:
                if isinstance(change.map, Drawn):
                    out -= np.multiply(change.map.draw(out, start), np.float32(change.strength), out=other)
                else:
                    out -= weigh(change, rows, other)
            for noise in noises:
                found -= weigh(noise, rows, other)
            if before is not None:
                gain = np.divide(_variance(out, shots, reads, other), before, out=other)
                found *= np.sqrt(gain, out=gain)
            out += found
        if reach:
            result[top : top + step] = out[top - start : top - start + step]

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(fill, range(0, height, step)):
            pass
    return result


def _map_of(component: Component) -> NDArray[np.floating]:
    assert not isinstance(component.map, Drawn)
    return component.map


class _Scratch(local):
    """Four planes of rows for each thread: to ask the system for memory block by block costs as much as the work."""

    def __init__(self, rows: int, width: int) -> None:
        self.planes = [np.empty((rows, width, 3), np.float32) for _ in range(4)]


def _variance(signal: Image, shots: Image, reads: Image, out: Image) -> Image:
    """`rawfix.physics.noise.variance` of rows ``(h, W, 3)``, into an array."""
    np.maximum(signal, np.float32(0), out=out)
    flat = out.reshape(len(out), -1)
    flat *= shots
    flat += reads
    return out


def weigh(component: Component, rows: slice, out: Image) -> Image:
    """Rows of a map times its strength, into an array; luma and color apart where they differ."""
    strength, values = np.float32(component.strength), _map_of(component)[rows]
    if component.chroma is None or component.chroma == component.strength:
        np.multiply(values, strength, out=out, dtype=np.float32, casting="same_kind")
        return out
    chroma = np.float32(component.chroma)
    luma = sum(weight * values[..., channel].astype(np.float32) for channel, weight in enumerate(LUMA))
    np.multiply(values, chroma, out=out, dtype=np.float32, casting="same_kind")
    out += ((strength - chroma) * luma)[..., None]
    return out
