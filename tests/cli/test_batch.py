"""A batch as a script meets it: resuming, updating, watching, and the words it says about it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rawfix.batch.events import schema
from tests.batch.crowd import COMMAND, digests, make_dngs, rawfix, started, visible

pytestmark = pytest.mark.models
EXAMPLE = Path(__file__).parents[2] / "examples" / "overnight.sh"


def events(text: str) -> list[dict[str, Any]]:
    """The lines of ``--json``, each valid by the schema."""
    check = jsonschema.Draft202012Validator(schema())
    found = [json.loads(line) for line in text.splitlines()]
    for event in found:
        check.validate(event)
    return found


def by_file(text: str, key: str) -> dict[str, Any]:
    return {Path(e["source"]).stem: e[key] for e in events(text) if e["event"] in ("file", "plan")}


def test_the_same_command_again_does_nothing_and_update_only_what_changed(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    first, second = make_dngs(folder, 2)
    command = ("develop", folder, "-o", out, "--json")
    planned = rawfix(*command, "--dry-run")
    assert by_file(planned.stdout, "action") == {"0000": "develop", "0001": "develop"} and not out.exists()
    assert by_file(rawfix(*command).stdout, "status") == {"0000": "done", "0001": "done"}
    before = digests(out)
    again = rawfix(*command)
    assert again.returncode == 0 and set(by_file(again.stdout, "status").values()) == {"unchanged"}
    first.write_bytes(make_dngs(tmp_path / "other", 3)[2].read_bytes())
    refused = rawfix(*command)
    assert refused.returncode == 1 and "--update" in refused.stderr and len(refused.stderr.splitlines()) == 1
    assert by_file(rawfix(*command, "--update", "--dry-run").stdout, "action")["0000"] == "replace"
    updated = rawfix(*command, "--update")
    assert by_file(updated.stdout, "status") == {"0000": "done", "0001": "unchanged"}, updated.stderr
    after = digests(out)
    assert after["0000.tif"] != before["0000.tif"] and after["0001.tif"] == before["0001.tif"]
    assert second.exists()


def test_a_bad_map_of_another_picture_is_replaced_only_when_asked(tmp_path: Path) -> None:
    first, second = make_dngs(tmp_path / "in", 2)
    words, bad = ("--bad-map", tmp_path / "bad.png"), tmp_path / "bad.png"
    assert rawfix("develop", first, *words).returncode == 0
    bad_before = bad.read_bytes()
    refused = rawfix("develop", second, *words)
    assert refused.returncode == 5 and len(refused.stderr.splitlines()) == 1
    assert "bad.png: exists already; use --overwrite" in refused.stderr and bad.read_bytes() == bad_before
    assert rawfix("develop", first, *words, "--exposure", 1, "--update").returncode == 0
    assert rawfix("develop", second, *words, "--overwrite").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_130_and_the_same_command_goes_on(tmp_path: Path, number: int) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    make_dngs(folder, 30)
    with started("develop", folder, "-o", out, "--json") as run:
        assert run.stdout is not None
        seen = [run.stdout.readline() for _ in range(3)]
        run.send_signal(number)
        rest, said = run.communicate(timeout=60)
        assert run.returncode == 130 and said.count("\n") == 1 and "same command" in said
    summary = events("".join(seen) + rest)[-1]
    assert summary["stopped"] == "interrupt" and summary["exit_code"] == 130
    assert summary["failed"] == 0 and summary["left"] == 30 - summary["done"] > 0
    assert all(not name.startswith(".") for name in visible(out))
    assert summary["done"] == len(visible(out)) < 30
    on = events(rawfix("develop", folder, "-o", out, "--json").stdout)[-1]
    assert on["exit_code"] == 0 and on["unchanged"] == summary["done"] and on["done"] == 30 - summary["done"]
    assert on["left"] == 0


def test_a_preset_decides_by_iso_and_options_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path / "data"))
    folder, out = tmp_path / "in", tmp_path / "out"
    make_dngs(folder, 2)
    assert rawfix("preset", "save", "mine", "--exposure", 0.5, "--format", "jpeg").returncode == 0
    assert rawfix("preset", "save", "mine", "--iso", "150-250", "--exposure", -0.5).returncode == 0
    assert json.loads(rawfix("preset", "show", "mine", "--iso", 200, "--json").stdout)["exposure"] == -0.5
    command = ("develop", folder, "-o", out, "--preset", "mine", "--json")
    done = rawfix(*command)
    assert done.returncode == 0 and visible(out) == ["0000.jpg", "0001.jpg"], done.stderr
    assert {k: s["exposure"] for k, s in by_file(done.stdout, "settings").items()} == {
        "0000": 0.5,
        "0001": -0.5,
    }
    rawfix("preset", "save", "mine", "--iso", "150-250", "--exposure", -0.7, "--overwrite")
    assert by_file(rawfix(*command, "--update").stdout, "status") == {"0000": "unchanged", "0001": "done"}
    over = rawfix(*command, "--overwrite", "--exposure", 0.1)
    assert {s["exposure"] for s in by_file(over.stdout, "settings").values()} == {0.1}
    assert rawfix("develop", folder, "--preset", "none-such").returncode == 2


def test_a_list_on_stdin_and_folders_within_folders(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    make_dngs(folder / "a", 1)
    make_dngs(folder / "b", 1)
    done = rawfix("develop", folder, "--recursive", "-o", out)
    assert done.returncode == 0 and (out / "a" / "0000.tif").exists() and (out / "b" / "0000.tif").exists()
    listed = subprocess.run(
        [*COMMAND, "develop", "--files-from", "-", "-o", str(tmp_path / "listed")],
        input=f"{folder}/a/0000.dng\n", capture_output=True, text=True,
    )  # fmt: skip
    assert listed.returncode == 0 and visible(tmp_path / "listed") == ["0000.tif"]


def test_memory_that_does_not_suffice_is_refused_and_what_does_changes_nothing(tmp_path: Path) -> None:
    (source,) = make_dngs(tmp_path / "in", 1)
    never = rawfix("develop", source, "--max-memory", "50M")
    assert never.returncode == 2 and len(never.stderr.splitlines()) == 1
    assert rawfix("develop", source, "-o", tmp_path / "any").returncode == 0
    bounded = rawfix("develop", source, "-o", tmp_path / "some", "--max-memory", "2G", "--jobs", 2)
    assert bounded.returncode == 0, bounded.stderr
    assert digests(tmp_path / "any") == digests(tmp_path / "some")


def wait_for(path: Path, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)


def test_watch_waits_until_a_file_is_complete_and_survives_a_restart(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    first, second, third = make_dngs(tmp_path / "card", 3)
    command = ("watch", folder, "-o", out, "--settle", 1, "--json")
    (folder / "before.dng").write_bytes(first.read_bytes())
    with started(*command) as run:
        wait_for(out / "before.tif")
        data = second.read_bytes()
        with (folder / "slow.dng").open("wb") as file:
            for start in range(0, len(data), len(data) // 6):
                file.write(data[start : start + len(data) // 6])
                file.flush()
                time.sleep(0.3)
        wait_for(out / "slow.tif")
        assert run.stdout is not None
        text = ""
        while "slow" not in by_file(text, "status"):  # the file is there a moment before it is told
            text += run.stdout.readline()
        run.kill()
        rest, said = run.communicate()
    assert by_file(text + rest, "status") == {"before": "done", "slow": "done"} and not said
    held = digests(out)
    with started(*command) as run:
        (folder / "late.dng").write_bytes(third.read_bytes())
        wait_for(out / "late.tif")
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        text, _ = run.communicate(timeout=60)
        assert run.returncode == 130
    assert by_file(text, "status") == {"late": "done"}
    assert {name: value for name, value in digests(out).items() if name != "late.tif"} == held


def test_watch_makes_again_what_changes_and_ends_with_its_folder(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    first, second = make_dngs(tmp_path / "card", 2)
    (folder / "a.dng").write_bytes(first.read_bytes())
    with started("watch", folder, "-o", out, "--settle", 0.2) as run:
        assert run.stdout is not None
        assert "a.tif" in run.stdout.readline()
        before = (out / "a.tif").read_bytes()
        (folder / "a.dng").write_bytes(second.read_bytes())
        assert "a.tif" in run.stdout.readline()
        assert (out / "a.tif").read_bytes() != before
        shutil.rmtree(folder)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 1
    watching, gone = said.splitlines()
    assert watching.startswith("rawfix: watching") and gone.startswith(f"rawfix: {folder}: is gone; ")


def test_the_example_script_reads_exit_codes_and_events(tmp_path: Path) -> None:
    card, out = tmp_path / "card", tmp_path / "out"
    make_dngs(card / "100BOX", 2)
    (card / "100BOX" / "torn.nef").write_bytes(b"torn")
    run = {**os.environ, "PYTHON": sys.executable}
    rawfix_sh = tmp_path / "rawfix"
    rawfix_sh.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    rawfix_sh.chmod(0o755)
    run["RAWFIX"] = str(rawfix_sh)
    done = subprocess.run([EXAMPLE, card, out], capture_output=True, text=True, env=run)
    assert done.returncode == 1 and "but for 1 files" in done.stdout, done
    assert "torn.nef\ttorn.nef: " in (out / "refused.tsv").read_text()
    assert events((out / "events.ndjson").read_text())[-1]["done"] == 2
    (card / "100BOX" / "torn.nef").unlink()
    assert subprocess.run([EXAMPLE, card, out], capture_output=True, env=run).returncode == 0
    (tmp_path / "empty").mkdir()
    assert subprocess.run([EXAMPLE, tmp_path / "empty", out], capture_output=True, env=run).returncode == 3
