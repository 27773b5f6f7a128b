"""``rawfix develop``."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rawfix.batch.cluster import Cluster, connected
from rawfix.batch.events import plan_events, run_event, summary_event
from rawfix.batch.execute import Run, execute, prepare
from rawfix.batch.inputs import find_sources, read_list
from rawfix.batch.report import write_report
from rawfix.batch.tally import Tally
from rawfix.cli import exit_codes
from rawfix.cli.console import err, file_progress, out, print_json, refuse
from rawfix.cli.elsewhere import entry_for, installed_for
from rawfix.cli.lacking import lacking
from rawfix.cli.missed import Missed
from rawfix.cli.places import check_output
from rawfix.cli.request import Request
from rawfix.cli.telling import Telling
from rawfix.errors import ClusterError, ModelError, OutputError, ServerError, SettingsError
from rawfix.io.mhl import record


def run(request: Request, files: list[str], *, files_from: str | None, recursive: bool, dry_run: bool) -> int:
    """Develop every file; returns the exit code."""
    missed = Missed()
    try:
        listed = read_list(files_from) if files_from else []
        sources = find_sources(files, listed, recursive=recursive, missed=missed)
        if not sources:
            return missed.all(" ".join(files) or f"--files-from {files_from}")
        check_output(request.output, [*files, *listed], len(sources))
        jobs = request.plan(sources)
        planned = prepare(jobs, request.recipe, request.options(), installed_for(request))
        if dry_run:
            for note in lacking(request):
                err.print(f"rawfix: note: {note}", soft_wrap=True)
            return missed.code(show_plan(planned, request.json))
        request.make_folders(jobs)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except ModelError as error:
        refuse(error)
        return exit_codes.MODEL
    except (OutputError, ServerError) as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    if request.cluster is None or not planned.has_work:
        return carry_out(planned, request, missed=missed)
    try:
        with connected(request.cluster, request.cluster_files) as cluster:
            return carry_out(planned, request, cluster, missed=missed)
    except ClusterError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    except ModelError as error:
        refuse(error)
        return exit_codes.MODEL


def show_plan(planned: Run, as_json: bool) -> int:
    """Print what would be done; returns the exit code a run would have if every file were good."""
    events = plan_events(planned)
    for event in events:
        if as_json:
            print_json(event)
        else:
            reason = f" ({event['reason']})" if event["reason"] else ""
            out.print(f"{event['action']}: {event['source']} → {event['target']}{reason}", soft_wrap=True)
    return exit_codes.of_batch(sum(event["action"] == "refuse" for event in events), len(events))


def carry_out(
    planned: Run, request: Request, cluster: Cluster | None = None, missed: Missed | None = None
) -> int:
    """Develop what is planned, here or on a cluster; returns the exit code, in which what was missed counts."""
    started = time.monotonic()
    slots = request.jobs if cluster is None else sum(cluster.slots().values())
    size = max(1, min(slots, len(planned.steps)))
    if request.json:
        print_json(run_event(planned, size))
    tally = Tally(len(planned.steps))
    with terminated_like_interrupted(), file_progress(len(planned.steps)) as progress:
        telling = Telling(progress, request.json, keep=request.report is not None)
        try:
            threads = planned.recipe.settings.threads
            entry = entry_for(request)
            execute(planned, telling, tally, jobs=size, threads=threads, entry=entry, cluster=cluster)
            code = _exit_code(tally)
            if request.report is not None:
                order = {job.source: number for number, (job, _) in enumerate(planned.steps)}
                write_report(request.report, sorted(telling.kept, key=lambda result: order[result.source]))
        except KeyboardInterrupt:
            tally.stopped = "interrupt"
            code = exit_codes.INTERRUPTED
            refuse(
                f"interrupted with {tally.left} files left; finished ones are complete, "
                "run the same command again to go on"
            )
        except (ClusterError, ModelError) as error:
            tally.stopped = "cluster" if isinstance(error, ClusterError) else "model"
            code = _exit_code(tally)
            refuse(error)
        except OutputError as error:
            code = exit_codes.SOME_FAILED
            refuse(error)
    if request.mhl and not record_hashes(request, telling.written) and code == exit_codes.DONE:
        code = exit_codes.SOME_FAILED
    code = code if missed is None else missed.code(code)
    if request.json:
        print_json(summary_event(tally, time.monotonic() - started, code))
    return code


def record_hashes(request: Request, written: list[Path]) -> bool:
    """Write the ASC MHL of each output folder; returns whether all could be."""
    roots: dict[Path, list[Path]] = {}
    for path in written:
        roots.setdefault(request.root_of(path), []).append(path)
    done = True
    for root, files in roots.items():
        try:
            for note in record(root, files):
                err.print(f"rawfix: note: {note}", soft_wrap=True)
        except OutputError as error:
            refuse(error)
            done = False
    return done


def _exit_code(tally: Tally) -> int:
    if tally.stopped == "model":
        return exit_codes.MODEL
    return exit_codes.of_batch(tally.failed + tally.left, tally.total)


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does: what is being written is finished."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
