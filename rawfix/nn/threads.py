"""How many CPUs are ours: ONNX Runtime counts the machine's, which in a container is too many."""

from __future__ import annotations

import math
import os
from pathlib import Path

_share: int | None = None


def share_threads(share: int) -> None:
    """From now on this process uses no more than its share of the CPUs: it is one of several."""
    global _share
    _share = share


def thread_share(wanted: int | None) -> int:
    """Threads to use where ``wanted`` are asked for, or None: all; never more than the process's share."""
    return min(wanted or available_threads(), _share or 1024)


def available_threads() -> int:
    """CPUs this process may use: its affinity, and its control group's quota, rounded up."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    quotas = [quota for quota in map(read_quota, _quota_files()) if quota]
    return max(1, min([count, *quotas]))


def _quota_files() -> list[Path]:
    """The CPU quota files of this process's control group and of those above it."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    files: list[Path] = []
    for controllers, group in (line.split(":", 2)[1:] for line in lines):
        names = controllers.split(",")
        if controllers and "cpu" not in names:
            continue
        mount = Path("/sys/fs/cgroup", "cpu" if controllers else "")
        inner = mount / group.strip("/")
        file = "cpu.cfs_quota_us" if controllers else "cpu.max"
        files += [folder / file for folder in (inner, *inner.parents) if folder.is_relative_to(mount)]
    return files


def read_quota(path: Path) -> int | None:
    """CPUs a quota file grants, rounded up; None where it sets no limit."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.name == "cpu.cfs_quota_us":
            text += " " + path.with_name("cpu.cfs_period_us").read_text(encoding="utf-8")
    except OSError:
        return None
    quota, period = text.split()
    return math.ceil(int(quota) / int(period)) if quota.isdigit() else None
