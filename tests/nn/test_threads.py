from __future__ import annotations

import os

import pytest

from rawfix.nn import threads


def test_threads_do_not_exceed_the_affinity():
    affinity = getattr(os, "sched_getaffinity", None)
    assert 1 <= threads.available_threads() <= (len(affinity(0)) if affinity else os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("text", "cpus"), [("150000 100000\n", 2), ("max 100000\n", None), ("50000 100000", 1)]
)
def test_a_quota_is_rounded_up(tmp_path, text, cpus):
    path = tmp_path / "cpu.max"
    path.write_text(text)
    assert threads.read_quota(path) == cpus


def test_an_older_quota_is_read_too(tmp_path):
    (tmp_path / "cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cpu.cfs_period_us").write_text("100000\n")
    assert threads.read_quota(tmp_path / "cpu.cfs_quota_us") is None
    (tmp_path / "cpu.cfs_quota_us").write_text("400000\n")
    assert threads.read_quota(tmp_path / "cpu.cfs_quota_us") == 4
    assert threads.read_quota(tmp_path / "missing") is None


def test_the_least_quota_caps_the_threads(tmp_path, monkeypatch):
    (tmp_path / "cpu.max").write_text("100000 100000")
    monkeypatch.setattr(threads, "_quota_files", lambda: [tmp_path / "cpu.max"])
    assert threads.available_threads() == 1


def test_a_process_among_several_keeps_to_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_share", None)
    assert threads.thread_share(7) == 7
    threads.share_threads(2)
    assert threads.thread_share(7) == 2 and threads.thread_share(1) == 1
