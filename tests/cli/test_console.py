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
