"""One self-contained page about a run: before and after of every file, and what was done to it."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any, TextIO

from rawfix import __version__
from rawfix.batch.preview import fragment_path
from rawfix.batch.result import Result
from rawfix.errors import SettingsError
from rawfix.io.atomic import replacing
from rawfix.io.presence import is_there

_GENERATOR = b'<meta name="generator" content="rawfix">'
"""By which a report is known for one."""


def parts_folder(report: Path) -> Path:
    """Where the parts of a report wait until a run is complete; kept when it is interrupted."""
    return report.with_name(f".{report.name}.parts")


def check_report(report: Path, overwrite: bool) -> None:
    """Refuse a page that cannot be written, or a file there that is no report; raises `SettingsError`."""
    try:
        if not is_there(report):
            return
        if report.is_dir():
            raise SettingsError(f"--report {report}: is a folder; name a .html file")
        with report.open("rb") as page:
            ours = _GENERATOR in page.read(len(_GENERATOR) + 200)
    except OSError as error:
        raise SettingsError(f"--report {report}: {error.strerror}; name another file") from None
    if not (ours or overwrite):
        raise SettingsError(
            f"--report {report}: exists already and is no report of rawfix; use --overwrite to replace it"
        )


def write_report(report: Path, results: Iterable[Result]) -> None:
    """Write the page, whole or not at all, and delete its parts.

    Parameters
    ----------
    report
        The page; a file that exists is replaced, see `check_report`.
    results
        One a file, in the order of the page. Files made in an earlier run are shown with their pictures if that
        run was interrupted, and by name if it was not.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    results = list(results)
    counts = Counter(result.status for result in results)
    summary = ", ".join(f"{number} {status}" for status, number in counts.items())
    folder = parts_folder(report)
    with (
        replacing(report, overwrite=True) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace") as page,
    ):
        head = _text("report.html").replace("@files@", str(len(results)))
        page.write(head.replace("@summary@", escape(summary)).replace("@version@", escape(__version__)))
        for result in results:
            _write_article(page, result, _part(folder, result))
        page.write(_text("report_end.html"))
    shutil.rmtree(folder, ignore_errors=True)


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _part(folder: Path, result: Result) -> dict[str, Any]:
    """What a worker put aside about a file; nothing where it did not get so far."""
    if result.target is None or result.status == "failed":
        return {}
    try:
        found: dict[str, Any] = json.loads(fragment_path(folder, result.target).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return found


def _write_article(page: TextIO, result: Result, part: dict[str, Any]) -> None:
    facts = {**result.to_dict(), **part.get("facts", {})}
    pictures: dict[str, str] = part.get("pictures", {})
    page.write(f'<article class="{result.status}">\n')
    for kind, caption in (("small", "the whole picture"), ("crop", "100 %")):
        if f"{kind}_after" in pictures:
            page.write(_pair(pictures.get(f"{kind}_before"), pictures[f"{kind}_after"], caption))
    page.write(f'<div class="facts"><h2>{escape(result.source.name)}</h2>\n<dl>\n')
    for name, value in _facts(result, facts):
        page.write(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n")
    page.write("</dl>\n")
    for warning in [*facts["notes"], *([result.error] if result.error else [])]:
        page.write(f'<p class="warning">{escape(warning)}</p>\n')
    page.write("</div>\n</article>\n")


def _pair(before: str | None, after: str, caption: str) -> str:
    slider = ""
    if before is not None:
        slider = (
            f'<img class="before" alt="before" src="{before}">'
            f'<input type="range" min="0" max="100" value="50" aria-label="before and after, {caption}">'
        )
    return (
        f'<figure><div class="pair"><img alt="after" src="{after}">{slider}</div>'
        f"<figcaption>{caption}</figcaption></figure>\n"
    )


def _facts(result: Result, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """What is known of a file, in words."""
    rows = [
        (
            "result",
            {"unchanged": "up to date", "skipped": "exists, skipped"}.get(result.status, result.status),
        )
    ]
    if facts["target"]:
        rows.append(("written to", str(facts["target"])))
    if facts["camera"]:
        rows.append(("camera", facts["camera"]))
    if facts["iso"]:
        rows.append(("ISO", f"{facts['iso']:g}"))
    if strengths := facts["settings"].get("strengths"):
        said = [f"{name} {value:g}" for name, value in strengths.items() if value is not None]
        rows.append(("strengths", ", ".join(said)))
    if noise := facts.get("noise"):
        rows.append(
            ("noise", f"shot {noise['shot'][1]:.3g}, read {noise['read'][1]:.3g} (green; {noise['source']})")
        )
    if facts["bad_pixels"] is not None:
        rows.append(("bad pixels", str(facts["bad_pixels"])))
    if facts["models"]:
        rows.append(("networks", ", ".join(facts["models"])))
    if facts["seconds"]:
        rows.append(("time", f"{facts['seconds']:.1f} s"))
    return rows
