"""What is printed arrives where it was sent."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from rawfix.cli import console


def test_json_goes_to_stdout_though_progress_is_shown_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True)
    monkeypatch.setattr(console, "err", terminal)
    with console.file_progress(2) as progress:
        progress.tile("a.dng", 1, 2)
        console.print_json({"event": "file"})
    assert json.loads(capsys.readouterr().out) == {"event": "file"}
    assert "event" not in terminal.file.getvalue()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb\t.dng", r"a\nb\t.dng"),
        ("\x1b[31mred\x9b.dng", r"\x1b[31mred\x9b.dng"),
        ("bad\udcff.dng", r"bad\xff.dng"),
        ("\u202egnd.kdc", r"\u202egnd.kdc"),
        ("größe 界 — [b].dng", "größe 界 — [b].dng"),
    ],
)
def test_no_name_drives_the_terminal(capsys: pytest.CaptureFixture[str], name: str, shown: str) -> None:
    console.refuse(f"{name}: is no RAW file")
    console.out.print(f"{name} → x.tif", soft_wrap=True)
    printed = capsys.readouterr()
    assert printed.err == f"rawfix: {shown}: is no RAW file\n" and printed.out == f"{shown} → x.tif\n"


def test_json_holds_no_lone_surrogates(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_json({"source": "bad\udcff \\udcff 界 😀\n"})
    line = capsys.readouterr().out
    assert line.isascii() and json.loads(line) == {"source": "bad\\xff \\udcff 界 😀\n"}
