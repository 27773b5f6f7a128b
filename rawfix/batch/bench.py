"""How fast each network runs here, and how much memory it takes."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np

from rawfix.batch.machine import apart, peak_memory
from rawfix.batch.speeds import circumstances, remember
from rawfix.cfa import CANONICAL
from rawfix.frame import Image
from rawfix.nn.manifest import Model, load_model
from rawfix.nn.measure import Speed, measure, predict
from rawfix.physics.light import draw_light
from rawfix.physics.noise import draw_white, variance

_SHOT, _READ = 4e-4, 2e-6
"""Noise of the frames that are measured: about ISO 3200 on a full-frame sensor."""
_PIECE = 480
"""What is drawn: so small that drawing takes less memory than any network, and a multiple of every period."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What one model costs on this machine.

    Attributes
    ----------
    model
        Its id.
    megapixels
        Size of the frame it ran on.
    seconds
        For that frame, the median of ``runs`` runs after a warm-up.
    computed_megapixels
        What the network computed for that frame: halos overlap, tiles are rounded up.
    gflop_per_mp
        The manifest's, per megapixel computed.
    peak_bytes, base_bytes
        The most memory the process held, and what it held before the network was opened: the interpreter,
        its libraries and the frame.
    """

    model: str
    provider: str
    threads: int
    megapixels: float
    seconds: float
    runs: int
    computed_megapixels: float
    gflop_per_mp: float
    peak_bytes: int
    base_bytes: int
    notes: tuple[str, ...] = ()

    @property
    def seconds_per_megapixel(self) -> float:
        """Of the picture, halos paid."""
        return self.seconds / self.megapixels

    @property
    def gflops(self) -> float:
        """GFLOP/s that reach the picture: the manifest's cost of its megapixels over the time."""
        return self.gflop_per_mp * self.megapixels / self.seconds

    @property
    def gflops_with_halos(self) -> float:
        """GFLOP/s that the processor does, halos counted."""
        return self.gflop_per_mp * self.computed_megapixels / self.seconds

    @property
    def halo_share(self) -> float:
        """What halos and rounding add to the work: 0.3 is 30 % more."""
        return self.computed_megapixels / self.megapixels - 1

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "model": self.model,
            "provider": self.provider,
            "threads": self.threads,
            "megapixels": round(self.megapixels, 3),
            "runs": self.runs,
            "seconds_per_mp": round(self.seconds_per_megapixel, 4),
            "gflop_per_mp": self.gflop_per_mp,
            "gflop_per_s": round(self.gflops, 2),
            "gflop_per_s_with_halos": round(self.gflops_with_halos, 2),
            "halo_share": round(self.halo_share, 4),
            "peak_mib": round(self.peak_bytes / 2**20, 1),
            "base_mib": round(self.base_bytes / 2**20, 1),
            "notes": list(self.notes),
        }


def planes_for(model: Model, shape: tuple[int, int], rng: np.random.Generator) -> dict[str, Image]:
    """A frame of the model's contract: drawn light with a sensor's noise, one piece of it repeated."""
    cfa = None if model.manifest.cfa is None else CANONICAL[model.manifest.cfa]
    if cfa is None:
        light = draw_light(_PIECE, _PIECE, rng)
    else:
        light = cfa.mosaic(draw_light(_PIECE, _PIECE, rng, channels=max(3, int(cfa.unit().max()) + 1)))
    image = light + draw_white(light, _SHOT, _READ, rng)
    sources = {
        **dict.fromkeys(("mosaic", "camera", "image"), image),
        "sigma": np.sqrt(variance(image, _SHOT, _READ)),
        "known_bad": np.zeros((_PIECE, _PIECE), np.float32),
        "noise": rng.standard_normal((_PIECE, _PIECE), np.float32),
    }
    return {plane.name: _repeat(sources[plane.name], shape) for plane in model.contract.inputs}


def _repeat(piece: Image, shape: tuple[int, int]) -> Image:
    """Side by side until the shape is filled."""
    repeats = (-(-shape[0] // _PIECE), -(-shape[1] // _PIECE), *[1] * (piece.ndim - 2))
    return np.tile(piece, repeats)[: shape[0], : shape[1]]


def bench(model: Model, megapixels: float, provider: str, threads: int) -> Bench:
    """Measure one model in a process of its own, and remember its speed for ``--quality auto``.

    Parameters
    ----------
    model
        From `find_models`.
    megapixels
        Size of the frame.
    provider, threads
        As in `Settings`.

    Raises
    ------
    ModelError
        The model or the provider cannot run.
    """
    here = circumstances(model, provider, threads)
    speed, seconds, base, peak = apart(_measure, model.folder, megapixels, provider, here.threads)
    return Bench(
        model=model.manifest.id,
        provider=provider,
        threads=here.threads,
        megapixels=speed.megapixels,
        seconds=seconds,
        runs=speed.runs,
        computed_megapixels=seconds / speed.seconds,
        gflop_per_mp=model.manifest.gflop_per_mp,
        peak_bytes=peak,
        base_bytes=base,
        notes=remember(here, speed),
    )


def _measure(folder: Path, megapixels: float, provider: str, threads: int) -> tuple[Speed, float, int, int]:
    """In the process of its own: speed, seconds a frame, memory before and at the peak."""
    model = load_model(folder)
    manifest = model.manifest
    period = CANONICAL[manifest.cfa].period if manifest.cfa else (1, 1)
    shape = frame_shape(megapixels, lcm(manifest.multiple, *period))
    planes = planes_for(model, shape, np.random.default_rng(0))
    base = peak_memory()
    speed = measure(model, planes, period, provider, threads)
    return speed, predict(speed, manifest, shape, period), base, peak_memory()


def frame_shape(megapixels: float, step: int = 2) -> tuple[int, int]:
    """Height and width of a 2:3 frame of about so many megapixels, both multiples of ``step``."""
    height = max(1, round((megapixels * 1e6 * 2 / 3) ** 0.5 / step)) * step
    width = max(1, round(megapixels * 1e6 / height / step)) * step
    return height, width
