"""The whole way from file to file, timed stage by stage."""

from __future__ import annotations

import cProfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType
from typing import Any

import numpy as np

from rawfix.batch.bench import frame_shape
from rawfix.batch.machine import apart, peak_memory
from rawfix.batch.options import Options
from rawfix.batch.plan import Job
from rawfix.batch.recipe import Recipe
from rawfix.batch.result import Result
from rawfix.batch.run import compute, read, write
from rawfix.batch.work import Work
from rawfix.errors import SettingsError
from rawfix.finish import cut
from rawfix.frame import NoiseModel
from rawfix.io.dng import write_cfa_dng
from rawfix.io.raw import read_raw
from rawfix.io.writers import SUFFIXES, WRITERS
from rawfix.nn.session import open_session
from rawfix.nn.threads import available_threads
from rawfix.physics.defects import Defects
from rawfix.physics.light import draw_light
from rawfix.physics.sensor import Sensor, expose
from rawfix.settings import Settings
from rawfix.stages.demosaic import demosaic
from rawfix.stages.highlights import rebuild_highlights
from rawfix.stages.normalize import normalize
from rawfix.stages.render import render
from rawfix.stages.to_working import to_working

STAGES: dict[str, tuple[Callable[..., Any], ...]] = {
    "read": (read_raw,),
    "open networks": (open_session,),
    "normalize": (normalize,),
    "demosaic": (demosaic,),
    "highlights": (rebuild_highlights, cut),
    "working": (to_working,),
    "render": (render,),
    "write": tuple(WRITERS.values()),
}
"""What is timed, in order: the functions that are a stage."""
_PIECE = (1000, 1500)
_NOISE = NoiseModel((4e-5,) * 3, (5e-8,) * 3)


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """Where the time and the memory of one picture went.

    Attributes
    ----------
    source
        The RAW file.
    megapixels
        Of its sensor.
    quality, models, threads, provider
        What developed it.
    stages
        Wall seconds of each of `STAGES`, and of the rest.
    seconds, cpu_seconds
        All of it, by the clock and of the processor.
    peak_bytes
        The most memory the process held.
    notes
        What was told about the file.
    """

    source: str
    megapixels: float
    quality: str
    models: tuple[str, ...]
    threads: int
    provider: str
    stages: dict[str, float]
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    notes: tuple[str, ...]

    @property
    def cpu_use(self) -> float:
        """Processors kept busy on average."""
        return self.cpu_seconds / self.seconds

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "source": self.source,
            "megapixels": round(self.megapixels, 3),
            "quality": self.quality,
            "models": list(self.models),
            "threads": self.threads,
            "provider": self.provider,
            "stages": {name: round(seconds, 4) for name, seconds in self.stages.items()},
            "seconds": round(self.seconds, 4),
            "seconds_per_mp": round(self.seconds / self.megapixels, 4),
            "cpu_seconds": round(self.cpu_seconds, 4),
            "cpu_use": round(self.cpu_use, 3),
            "peak_mib": round(self.peak_bytes / 2**20, 1),
            "notes": list(self.notes),
        }


def profile(source: Path | None, megapixels: float, settings: Settings) -> EndToEnd:
    """Develop a file in a process of its own, into a temporary folder, under a profiler.

    Parameters
    ----------
    source
        A RAW file; None draws a Bayer photograph as an uncompressed DNG.
    megapixels
        Size of the drawn one.
    settings
        As for `develop`; the tier must be named.

    Raises
    ------
    RawfixError
        As in `rawfix.batch.run`.
    """
    if settings.quality == "auto":
        raise SettingsError("a tier must be named to be measured, not auto")
    with TemporaryDirectory(prefix="rawfix-bench-") as folder:
        if source is None:
            source = Path(folder, "drawn.dng")
            draw_dng(source, megapixels)
        return apart(_develop, source, Path(folder), settings)


def draw_dng(path: Path, megapixels: float) -> None:
    """A Bayer photograph of drawn light, with noise, defects and blown places; one piece of it repeated."""
    height, width = frame_shape(megapixels)
    rng = np.random.default_rng(0)
    sensor = Sensor(noise_model=_NOISE, iso=400, defects=Defects(2e-4))
    frame, _ = expose(draw_light(*_PIECE, rng), sensor, rng)
    repeats = (-(-height // _PIECE[0]), -(-width // _PIECE[1]))
    mosaic = np.tile(frame.mosaic, repeats)[:height, :width].astype(np.uint16)
    write_cfa_dng(path, replace(frame, mosaic=mosaic))


def _from_file_to_file(job: Job, settings: Settings) -> Result:
    """The steps of a worker, one after the other."""
    work = read(job, None, Recipe(settings), Options(), lambda target: True)
    assert isinstance(work, Work), work
    compute(work, None)
    return write(work)


def _develop(source: Path, folder: Path, settings: Settings) -> EndToEnd:
    """In the process of its own."""
    job = Job(source, folder / f"developed{SUFFIXES[settings.format]}", {})
    profiler = cProfile.Profile()
    cpu, started = time.process_time(), time.perf_counter()
    result = profiler.runcall(_from_file_to_file, job, settings)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    peak = peak_memory()
    times: dict[CodeType | str, float] = {entry.code: entry.totaltime for entry in profiler.getstats()}
    stages = {
        name: sum(times.get(function.__code__, 0.0) for function in functions)
        for name, functions in STAGES.items()
    }
    frame = read_raw(source)
    return EndToEnd(
        source=str(source),
        megapixels=frame.mosaic.shape[0] * frame.mosaic.shape[1] / 1e6,
        quality=settings.quality,
        models=result.models,
        threads=settings.threads or available_threads(),
        provider=settings.provider,
        stages={**stages, "other": seconds - sum(stages.values())},
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        peak_bytes=peak,
        notes=result.notes,
    )
