"""The machine a measurement is true for, and the memory a process took of it."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from rawfix.errors import InferenceError

P = ParamSpec("P")
T = TypeVar("T")


def cpu_name() -> str:
    """What the processor calls itself, else its architecture."""
    return _linux_cpu() or _mac_cpu() or platform.processor() or platform.machine() or "unknown"


def _linux_cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else ""


def _mac_cpu() -> str:
    if sys.platform != "darwin":
        return ""
    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def peak_memory() -> int:
    """The most main memory this process ever held, in bytes: its resident set, shared libraries included.

    Linux: ``VmHWM`` of ``/proc/self/status`` (its ``getrusage`` also counts the process this one was started
    from); macOS and other Unixes: ``getrusage``, in bytes on macOS and KiB elsewhere; Windows: the peak working
    set, by psutil. Memory of an accelerator is not counted.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        status = ""
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def apart(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Call a function of a module in a process of its own, started afresh, so that its memory is its own.

    Raises
    ------
    InferenceError
        The process was killed.
    RawfixError
        Whatever the function raises.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(function, *arguments, **options).result()
        except BrokenProcessPool as error:
            raise InferenceError(
                "the process that measured was killed, most likely for lack of memory; try fewer megapixels"
            ) from error


def memory_of(process: int) -> int:
    """Main memory that a process holds now, in bytes; 0 where it has ended."""
    import psutil

    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return 0
