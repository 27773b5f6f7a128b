"""The report: one page that needs nothing else, with before and after of every file."""

from __future__ import annotations

import base64
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from rawfix.batch.preview import average, look, shrink
from rawfix.batch.report import check_report, parts_folder, write_report
from rawfix.cfa import CANONICAL, Cfa
from rawfix.errors import SettingsError
from tests.batch.crowd import make_dngs, rawfix, started
from tests.conftest import scene

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = frozenset(("meta", "img", "input", "link", "br"))


class Page(HTMLParser):
    """Counts elements, and insists that every one is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.found if t == tag and all(a.get(k) == v for k, v in wanted.items())]


def decoded(image: dict[str, str | None]) -> np.ndarray:
    head, data = (image["src"] or "").split(",", 1)
    assert head == "data:image/jpeg;base64"
    return np.asarray(Picture.open(io.BytesIO(base64.b64decode(data))), np.float32)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run over two good files and a bad one with an awkward name."""
    folder = tmp_path_factory.mktemp("report")
    make_dngs(folder / "in", 2, (400, 480))
    (folder / "in" / "<b>&torn.dng").write_bytes(b"torn")
    done = rawfix(
        "develop", folder / "in", "-o", folder / "out", "--report", folder / "page.html", "--jobs", 2
    )
    assert done.returncode == 1, done.stderr
    assert not parts_folder(folder / "page.html").exists()
    return folder / "page.html"


@pytest.mark.models
def test_the_page_is_sound_and_needs_nothing_else(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = Page(text)
    assert len(found.all("article")) == 3 and len(found.all("article", **{"class": "failed"})) == 1
    assert "&lt;b&gt;&amp;torn.dng" in text and "<b>&" not in text
    assert not re.search(r"https?:|url\(|@import|<link|src=\"(?!data:)", text)
    for word in ("strengths", "noise", "bad pixels", "time", "networks"):
        assert text.count(f"<dt>{word}</dt>") == 2


@pytest.mark.models
def test_before_and_after_show_the_same_place_at_100_percent(page: Path) -> None:
    found = Page(page.read_text(encoding="utf-8"))
    before = [decoded(image) for image in found.all("img", alt="before")]
    after = [decoded(image) for image in found.all("img", alt="after")]
    assert [a.shape for a in before] == [a.shape for a in after] == [(400, 480, 3), (320, 320, 3)] * 2
    for one, other in zip(before, after, strict=True):
        assert 0.2 < np.abs(one - other).mean() < 12
        shifted = np.abs(one[:, 8:] - other[:, :-8]).mean()
        assert shifted > 1.5 * np.abs(one - other).mean(), "aligned"


@pytest.mark.models
@pytest.mark.peers
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_browser_shows_it_and_the_slider_moves(page: Path) -> None:
    probe = (
        "<script>addEventListener('error', e => document.title = 'error: ' + e.message);</script>",
        "<script>for (const slider of document.querySelectorAll('input')) "
        "{ slider.value = 80; slider.dispatchEvent(new Event('input')); }"
        "document.title = [...document.images].every(i => i.complete && i.naturalWidth) ? 'shown' : 'empty';"
        "</script>",
    )
    text = page.read_text(encoding="utf-8").replace("<style>", probe[0] + "<style>", 1)
    tried = page.with_name("tried.html")
    tried.write_text(text.replace("</body>", probe[1] + "</body>"), encoding="utf-8")
    assert BROWSER is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom"]
    done = subprocess.run([BROWSER, *options, tried.as_uri()], capture_output=True, text=True, timeout=120)
    assert "<title>shown</title>" in done.stdout, done.stdout[-500:] + done.stderr[-500:]
    assert 'data-ready="yes"' in done.stdout
    assert done.stdout.count("inset(0px 20% 0px 0px)") == 4


def test_only_a_report_is_replaced_unasked(tmp_path: Path) -> None:
    report = tmp_path / "page.html"
    check_report(report, overwrite=False)
    write_report(report, [])
    check_report(report, overwrite=False)
    report.write_text("<h1>somebody's own</h1>")
    with pytest.raises(SettingsError, match="use --overwrite"):
        check_report(report, overwrite=False)
    check_report(report, overwrite=True)
    report.unlink()
    report.mkdir()
    with pytest.raises(SettingsError, match="is a folder"):
        check_report(report, overwrite=True)


@pytest.mark.models
def test_a_file_that_is_no_report_is_refused_before_anything_is_developed(tmp_path: Path) -> None:
    (source,) = make_dngs(tmp_path / "in", 1)
    (tmp_path / "page.html").write_text("somebody's own")
    done = rawfix("develop", source, "-o", tmp_path / "out", "--report", tmp_path / "page.html")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and not (tmp_path / "out").exists()
    assert (tmp_path / "page.html").read_text() == "somebody's own"


@pytest.mark.models
def test_a_run_that_was_killed_and_resumed_has_all_its_pictures(tmp_path: Path) -> None:
    make_dngs(tmp_path / "in", 8)
    command = (
        "develop",
        tmp_path / "in",
        "-o",
        tmp_path / "out",
        "--report",
        tmp_path / "page.html",
        "--json",
    )
    with started(*command) as run:
        assert run.stdout is not None
        for _ in range(4):
            run.stdout.readline()
        run.kill()
    assert not (tmp_path / "page.html").exists() and parts_folder(tmp_path / "page.html").is_dir()
    assert rawfix(*command).returncode == 0
    found = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert len(found.all("img", alt="after")) == 16
    assert found.all("article", **{"class": "unchanged"}) and found.all("article", **{"class": "done"})


@pytest.mark.parametrize("name", ["bayer", "quad", "xtrans", "mono"])
@pytest.mark.parametrize("step", [1, 5, 20])
def test_averages_keep_a_flat_color(name: str, step: int) -> None:
    cfa: Cfa = CANONICAL[name]
    color = np.array([0.2, 0.5, 0.3] if name != "mono" else [0.4] * 3, np.float32)
    flat = np.broadcast_to(color, (120, 140, 3)).copy()
    light = flat[..., 0] if name == "mono" else cfa.mosaic(flat)
    made = average(light, cfa, step)
    assert made.shape == (120 // step, 140 // step, 3) and np.abs(made - color).max() < 1e-5


def test_the_crop_lies_where_there_is_most_to_see() -> None:
    image = np.full((1000, 1500, 3), 0.3, np.float32)
    image[600:900, 1000:1300] = scene(300, 300)
    after = look(image)
    assert 400 <= after.y <= 680 and 800 <= after.x <= 1180
    assert after.crop.shape == (320, 320, 3)


def test_blocks_are_means_and_remainders_are_dropped() -> None:
    image = np.arange(7 * 5, dtype=np.float32).reshape(7, 5, 1)
    assert shrink(image, 3).shape == (2, 1, 1)
    assert shrink(image, 3)[0, 0, 0] == image[:3, :3].mean()
