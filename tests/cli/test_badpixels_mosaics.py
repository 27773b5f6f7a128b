"""Maps of bad pixels for mosaics without a RAW container, whose ``NAME.toml`` says what body they are of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from rawfix.batch.known_bad import known_digest, with_known_bad
from rawfix.cli.app import app
from rawfix.frame import RawFrame
from rawfix.io.body import read_exposure
from rawfix.io.mosaic_facts import MosaicFacts
from rawfix.io.read import read_frame

HOT = [(20, 31), (77, 100), (150, 3)]
BODY = 'camera = "Maker Two"\nserial = "A-7"\n'


def rawfix(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


@pytest.fixture
def make_mosaic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_frame: Callable[..., RawFrame]
) -> Callable[..., Path]:
    """``make_mosaic("a.npy", BODY, is_dark=True)``: a mosaic with hot pixels, and its description beside it."""
    monkeypatch.setenv("RAWFIX_DATA_DIR", str(tmp_path / "data"))

    def make(name: str, body: str = "", is_dark: bool = False) -> Path:
        frame = make_frame(np.zeros((160, 192, 3), np.float32) if is_dark else None)
        mosaic, path = frame.mosaic.copy(), tmp_path / name
        for site in HOT:
            mosaic[site] = min(mosaic[site] + 3000, 16383)
        if path.suffix == ".npy":
            np.save(path, mosaic)
        else:
            path.write_bytes(mosaic.astype("<u2").tobytes())
        black = float(frame.black.mean())
        path.with_suffix(".toml").write_text(
            f'cfa = "RGGB"\nsize = [192, 160]\nbits = 14\nblack = {black}\nwhite = {frame.white[0]}\n{body}'
        )
        return path

    return make


@pytest.mark.parametrize("suffix", [".npy", ".raw"])
def test_a_map_is_learnt_and_applied_by_the_body_that_the_description_names(
    suffix: str, make_mosaic: Callable[..., Path]
) -> None:
    learnt = rawfix(
        "badpixels", "learn", "--dark", make_mosaic(f"dark{suffix}", BODY, is_dark=True), "--json"
    )
    assert learnt.exit_code == 0, learnt.stderr
    facts = json.loads(learnt.stdout)
    assert (facts["camera"], facts["serial"], facts["pixels"]) == ("Maker Two", "A-7", len(HOT))

    own = make_mosaic(f"own{suffix}", BODY)
    frame = with_known_bad(read_frame(own), own, "auto")
    assert frame.known_bad is not None
    assert np.argwhere(frame.known_bad).tolist() == [list(site) for site in HOT]
    assert known_digest(own, frame.camera, "auto") != ""
    for body in (BODY.replace("A-7", "A-8"), BODY.replace("Two", "Three"), BODY.splitlines()[0], ""):
        other = make_mosaic(f"other{suffix}", body)
        assert with_known_bad(read_frame(other), other, "auto").known_bad is None


def test_a_camera_without_a_serial_number_takes_consent(make_mosaic: Callable[..., Path]) -> None:
    dark = make_mosaic("dark.npy", BODY.splitlines()[0], is_dark=True)
    refused = rawfix("badpixels", "learn", "--dark", dark)
    assert refused.exit_code == 2
    assert "write serial into dark.toml" in refused.stderr and "--camera 'Maker Two'" in refused.stderr
    assert rawfix("badpixels", "learn", "--dark", dark, "--camera", "Maker Two").exit_code == 0
    shot = make_mosaic("shot.npy", BODY.splitlines()[0])
    assert with_known_bad(read_frame(shot), shot, "auto").known_bad is not None


def test_a_list_is_imported_for_the_body_of_a_mosaic(
    make_mosaic: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "list.badpixels").write_text("31 20 0\n")
    shot = make_mosaic("shot.npy", BODY)
    done = rawfix("badpixels", "import", tmp_path / "list.badpixels", "--like", shot)
    assert done.exit_code == 0, done.stderr
    frame = with_known_bad(read_frame(shot), shot, "auto")
    assert frame.known_bad is not None and np.argwhere(frame.known_bad).tolist() == [[20, 31]]
    out = tmp_path / "out.txt"
    done = rawfix("badpixels", "export", "A-7", "-o", out, "--format", "sensor", "--like", shot)
    assert done.exit_code == 0 and out.read_text().strip() == "31 20"


@pytest.mark.parametrize("body", ["", 'serial = "A-7"'])
@pytest.mark.parametrize("camera", [(), ("--camera", "foo")])
@pytest.mark.parametrize("command", ["learn", "import"])
def test_a_mosaic_of_no_named_body_is_refused_with_the_remedy(
    body: str, camera: tuple[str, ...], command: str, make_mosaic: Callable[..., Path], tmp_path: Path
) -> None:
    dark = make_mosaic("dark.raw", body, is_dark=True)
    (tmp_path / "list.badpixels").write_text("31 20 0\n")
    words = (
        ("learn", "--dark", dark)
        if command == "learn"
        else ("import", tmp_path / "list.badpixels", "--like", dark)
    )
    refused = rawfix("badpixels", *words, *camera)
    assert refused.exit_code == 2 and len(refused.stderr.splitlines()) == 1
    assert (
        "write camera and serial into dark.toml" in refused.stderr and "--bad-pixels FILE" in refused.stderr
    )
    assert not (tmp_path / "data").exists()


def test_the_description_names_the_body_where_options_say_the_rest(make_mosaic: Callable[..., Path]) -> None:
    shot = make_mosaic("a.npy")
    shot.with_suffix(".toml").write_text(BODY)
    given = MosaicFacts.from_values({"cfa": "RGGB", "black": "500"})
    assert (read_frame(shot, given).camera, read_exposure(shot).serial) == ("Maker Two", "A-7")
    assert MosaicFacts.from_values(given.to_values() | {"camera": " B "}).camera == "B"
    shot.with_suffix(".toml").write_text("serial = 7")
    assert read_exposure(shot).serial == ""
    raw = shot.with_suffix(".dng")
    raw.write_bytes(b"")
    assert read_exposure(raw).serial == ""
