"""``rawfix bench``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar, get_args

from rich.table import Table
from rich.text import Text

from rawfix.batch.bench import Bench, bench
from rawfix.batch.end_to_end import EndToEnd, profile
from rawfix.batch.machine import cpu_name
from rawfix.cli import exit_codes
from rawfix.cli.console import err, file_progress, out, print_json, refuse
from rawfix.errors import InferenceError, ModelError, RawfixError, SettingsError
from rawfix.nn.manifest import Model, find_models
from rawfix.nn.session import runtime_version
from rawfix.settings import Settings, Tier

_MEGAPIXELS, _WHOLE_MEGAPIXELS = 4.0, 24.0
Measured = TypeVar("Measured", Bench, EndToEnd)


def run(
    file: Path | None,
    *,
    end_to_end: bool,
    tiers: list[str],
    megapixels: float | None,
    threads: int,
    provider: str,
    as_json: bool,
) -> int:
    """Measure the networks, or the whole way; returns the exit code."""
    try:
        _check(file, end_to_end, tiers, megapixels)
        wanted = [
            Settings.from_dict({"quality": tier, "threads": threads, "provider": provider})
            for tier in tiers or ["standard"]
        ]
        for tier in tiers:
            _installed([tier])
        if end_to_end:
            size = megapixels or _WHOLE_MEGAPIXELS
            ways = {str(settings.quality): partial(profile, file, size, settings) for settings in wanted}
            return _measure_all(ways, _show_stages, as_json)
        size = megapixels or _MEGAPIXELS
        tasks = {
            model.manifest.id: partial(bench, model, size, provider, threads) for model in _installed(tiers)
        }
        return _measure_all(tasks, _show_networks, as_json)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except ModelError as error:
        refuse(error)
        return exit_codes.MODEL
    except KeyboardInterrupt:
        refuse("interrupted")
        return exit_codes.INTERRUPTED


def _check(file: Path | None, end_to_end: bool, tiers: list[str], megapixels: float | None) -> None:
    if file is not None and not end_to_end:
        raise SettingsError(f"{file}: a file is measured with --end-to-end only")
    if file is not None and megapixels is not None:
        raise SettingsError(f"--megapixels {megapixels:g}: {file} has its own size; leave out one of them")
    if megapixels is not None and not 0.1 <= megapixels <= 400:
        raise SettingsError(f"--megapixels {megapixels:g}: give 0.1 to 400")
    for tier in tiers:
        if tier not in get_args(Tier):
            raise SettingsError(f"--tier {tier}: choose among {', '.join(get_args(Tier))}")


def _installed(tiers: list[str]) -> list[Model]:
    """The models of those tiers, or all; raises `ModelError` where there are none."""
    models = find_models()
    found = [model for model in models if not tiers or model.manifest.tier in tiers]
    if not found and models:
        there = ", ".join(sorted({model.manifest.tier for model in models}))
        raise ModelError(f"no model of tier {', '.join(tiers)} is installed; installed tiers: {there}")
    if not found:
        raise ModelError("no models are installed; install rawfix again")
    return found


def _measure_all(
    tasks: Mapping[str, Callable[[], Measured]], show: Callable[[Iterable[Measured]], None], as_json: bool
) -> int:
    """One after another; what fails on its own does not stop the others, a broken model does."""
    done: list[Measured] = []
    with file_progress(len(tasks)) as progress:
        for name, measure in tasks.items():
            progress.tile(name, 0, 1)
            try:
                measured = measure()
            except RawfixError as error:
                if isinstance(error, ModelError) and not isinstance(error, InferenceError):
                    raise
                refuse(error)
                continue
            finally:
                progress.finish()
            done.append(measured)
            if as_json:
                print_json({**measured.to_dict(), "cpu": cpu_name(), "runtime": runtime_version()})
            for note in measured.notes if not as_json else ():
                err.print(f"rawfix: {name}: note: {note}", soft_wrap=True)
    if done and not as_json:
        threads = f"{done[0].threads} thread{'s' if done[0].threads > 1 else ''}"
        out.print(Text(f"{cpu_name()}, {threads}, {runtime_version()}, {done[0].provider}"))
        show(done)
    return exit_codes.of_batch(len(tasks) - len(done), len(tasks))


def _show_networks(measured: Iterable[Bench]) -> None:
    table = Table(caption_justify="left", caption=(
        "GFLOP/s: what reaches the picture, then what was computed for it, with the halos of overlapping "
        "tiles. Memory: the most the process held, and what of it was there before the network was opened."
    ))  # fmt: skip
    table.add_column("model", no_wrap=True)
    for title in ("s/MP", "GFLOP/s", "with halos", "memory", "before"):
        table.add_column(title, justify="right")
    for line in measured:
        table.add_row(
            line.model, f"{line.seconds_per_megapixel:.3f}", f"{line.gflops:.1f}",
            f"{line.gflops_with_halos:.1f}, +{100 * line.halo_share:.0f} %",
            _mib(line.peak_bytes), _mib(line.base_bytes),
        )  # fmt: skip
    out.print(table)


def _show_stages(measured: Iterable[EndToEnd]) -> None:
    for way in measured:
        title = f"{Path(way.source).name}, {way.megapixels:.1f} MP, {', '.join(way.models) or 'no network'}"
        table = Table(title=Text(title), title_justify="left")
        table.add_column("stage")
        for column in ("seconds", "share", "s/MP"):
            table.add_column(column, justify="right")
        for name, seconds in way.stages.items():
            _row(table, name, seconds, way)
        table.add_section()
        _row(table, "all", way.seconds, way)
        out.print(table)
        use = 100 * way.cpu_use
        out.print(f"CPU {use:.0f} % of {100 * way.threads} %, peak memory {_mib(way.peak_bytes)}")


def _row(table: Table, name: str, seconds: float, way: EndToEnd) -> None:
    share = f"{100 * seconds / way.seconds:.1f} %"
    table.add_row(name, f"{seconds:.3f}", share, f"{seconds / way.megapixels:.4f}")


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"
