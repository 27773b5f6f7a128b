"""Mutants through the command line, and what is looked for: see `scripts.fuzz`."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from scripts.mutants import mutant

PATIENCE = 60.0
WAITING = 300.0
MOST_BYTES = 2 << 30
_CODES = {0, 1, 5}
_RUN = "from rawfix.cli import main; main()"


@dataclass
class Findings:
    """What became of the mutants.

    Attributes
    ----------
    outcomes
        How many ended how: by command, then by status or first words of the refusal.
    exit_codes
        Of the runs, by command.
    faults
        What must not be.
    slowest, busiest, largest
        Seconds between two words of a run, seconds of computing there, bytes of a process, and the files in hand.
    """

    mutants: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    exit_codes: dict[str, Counter[int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    busiest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")


def fuzz(
    sources: list[Path],
    numbers: range,
    seed: int,
    folder: Path,
    *,
    together: int,
    patience: float = PATIENCE,
    waiting: float = WAITING,
    tell: Callable[[Findings], None] = lambda _: None,
) -> Findings:
    """Run mutants through both commands; keeps those that did what must not be, in ``folder``.

    Parameters
    ----------
    sources, numbers, seed
        Which mutants, see `scripts.mutants.mutant`.
    folder
        Room to work in.
    together
        Mutants a command.
    patience, waiting
        Seconds of computing, and of anything, that a command may be silent.
    tell
        Called after each two commands.
    """
    findings = Findings()
    for start in range(numbers.start, numbers.stop, together):
        inputs, outputs = folder / "in", folder / "out"
        for each in (inputs, outputs):
            shutil.rmtree(each, ignore_errors=True)
            each.mkdir(parents=True)
        names = []
        for number in range(start, min(start + together, numbers.stop)):
            data, name = mutant(sources, seed, number)
            (inputs / name).write_bytes(data)
            names.append(name)
        before = len(findings.faults)
        for command in (
            ["info", "--no-defects", "--json"],
            ["develop", "--json", "--format", "jpeg", "--tile", "256", "-o", str(outputs)],
        ):
            _run(command, inputs, names, findings, patience, waiting)
        findings.mutants += len(names)
        for fault in findings.faults[before:]:
            for name in names:
                if name in fault:
                    (folder / "kept").mkdir(exist_ok=True)
                    shutil.copy2(inputs / name, folder / "kept" / name)
        tell(findings)
    for rest in ("in", "out"):
        shutil.rmtree(folder / rest, ignore_errors=True)
    return findings


def _run(
    command: list[str], inputs: Path, names: list[str], findings: Findings, patience: float, waiting: float
) -> None:
    """One command over all files."""
    environment = os.environ | {"PYTHONFAULTHANDLER": "", "COLUMNS": "10000"}
    paths = [str(inputs / name) for name in names]
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN, command[0], *paths, *command[1:]],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=environment,
    )  # fmt: skip
    lines: queue.Queue[tuple[str, str]] = queue.Queue()
    assert process.stdout is not None
    assert process.stderr is not None
    listeners = [
        threading.Thread(target=_listen, args=(process.stdout, "out", lines), daemon=True),
        threading.Thread(target=_listen, args=(process.stderr, "err", lines), daemon=True),
    ]
    for listener in listeners:
        listener.start()
    answered: list[str] = []
    told: list[str] = []
    last, worked_before, code = time.monotonic(), 0.0, None
    while True:
        size, worked = _use(process)
        worked_before = min(worked_before, worked)
        waited, computed = time.monotonic() - last, worked - worked_before
        todo = next((name for name in names if name not in answered), "the end")
        if waited > findings.slowest[0]:
            findings.slowest = (waited, f"{command[0]} {todo}")
        if computed > findings.busiest[0]:
            findings.busiest = (computed, f"{command[0]} {todo}")
        if computed > patience or waited > waiting:
            findings.faults.append(f"{command[0]}: no word for {waited:.0f} s, at {todo}")
            _kill(process)
            break
        if size > findings.largest[0]:
            findings.largest = (size, f"{command[0]} {todo}")
        if size > MOST_BYTES:
            findings.faults.append(f"{command[0]}: {size >> 20} MiB, at {todo}")
            _kill(process)
            break
        try:
            stream_name, line = lines.get(timeout=0.1)
        except queue.Empty:
            if process.poll() is not None and lines.empty():
                code = process.returncode
                break
            continue
        last, worked_before = time.monotonic(), worked
        found = _answer(stream_name, line, names)
        if found is not None and found[0] not in answered:
            answered.append(found[0])
            findings.outcomes.setdefault(command[0], Counter())[found[1]] += 1
        if stream_name == "err":
            told.append(line)
    for listener in listeners:
        listener.join()
    _judge(command[0], code, names, answered, told, findings)


def _judge(
    command: str, code: int | None, names: list[str], answered: list[str], told: list[str], findings: Findings
) -> None:
    if code is not None:
        findings.exit_codes.setdefault(command, Counter())[code] += 1
    missing = [name for name in names if name not in answered]
    if code is not None and (code not in _CODES or missing):
        findings.faults.append(f"{command}: exit code {code}, no word of {', '.join(missing) or 'none'}")
    if any("Traceback" in line for line in told):
        text = " | ".join(told[-12:])
        findings.faults.append(f"{command}: traceback: {text[-1500:]}")


def _answer(stream: str, line: str, names: list[str]) -> tuple[str, str] | None:
    """Which file a line settles, and how."""
    if stream == "out" and line.startswith("{"):
        event: dict[str, Any] = json.loads(line)
        if event.get("event") not in (None, "file"):
            return None
        name = Path(event["source"]).name
        status = event.get("status", "described")
        return name, status if status != "failed" else _kind(str(event["error"]), name)
    name = next((name for name in names if name in line), "")
    if stream == "err" and name and line.startswith("rawfix: ") and ": note: " not in line:
        return name, _kind(line, name)
    return None


def _kind(text: str, name: str) -> str:
    """A refusal without what differs from file to file."""
    return re.sub(r"[\d.]+|\(.*\)", "#", text.split(name, 1)[-1].strip(": "))[:60]


def _listen(stream: IO[str], name: str, lines: queue.Queue[tuple[str, str]]) -> None:
    with stream:
        for line in stream:
            lines.put((name, line.rstrip("\n")))


def _use(process: subprocess.Popen[str]) -> tuple[int, float]:
    """Peak bytes of the largest process of the tree, and seconds of computing of all that live."""
    peak, seconds = 0, 0.0
    try:
        parent = psutil.Process(process.pid)
        for one in (parent, *parent.children(recursive=True)):
            status = Path(f"/proc/{one.pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+) kB", status)
            peak = max(peak, int(found[1]) << 10 if found else 0)
            times = one.cpu_times()
            seconds += times.user + times.system
    except (psutil.Error, OSError):
        pass
    return peak, seconds


def _kill(process: subprocess.Popen[str]) -> None:
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        family = []
    process.kill()
    for one in family:
        try:
            one.kill()
        except psutil.Error:
            continue
    process.wait()


def sources_in(folder: Path, largest: int) -> list[Path]:
    """RAW files to damage, in order of their names."""
    suffixes = {
        ".dng",
        ".crw",
        ".kdc",
        ".cr2",
        ".cr3",
        ".nef",
        ".arw",
        ".raf",
        ".gpr",
        ".orf",
        ".rw2",
        ".pef",
    }
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes and path.is_file() and path.stat().st_size <= largest
    )
