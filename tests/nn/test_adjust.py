"""What --save-maps keeps renders to the very bits of develop, and a damaged file is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import exiv2
import imagecodecs
import numpy as np
import pytest
import tifffile

from rawfix.batch.adjust import Treatment, adjust, plan_adjustments
from rawfix.batch.options import Options
from rawfix.batch.plan import fill, plan
from rawfix.batch.recipe import Recipe
from rawfix.batch.result import Result
from rawfix.batch.run import compute, read, write
from rawfix.batch.sweep import sweep
from rawfix.batch.work import Work
from rawfix.cli import exit_codes
from rawfix.cli.app import app
from rawfix.errors import CorruptRawError, ModelError, RawfixError, UnsupportedRawError
from rawfix.frame import RawFrame
from rawfix.io import planes_file
from rawfix.io.planes_file import read_planes, write_planes
from rawfix.kept import load_kept
from rawfix.pipeline import check_settings
from rawfix.settings import Settings, Strengths
from tests.lens_files import LIST_3, vignette, warp, write_dng

pytestmark = pytest.mark.models
FLOAT: dict[str, Any] = {"bits": 32, "linear": True, "tone": "none"}
FRAME: dict[str, Any] = {"size": (96, 128), "iso": 1600}


def rawfix(*words: object) -> subprocess.CompletedProcess[str]:
    """Ends with what of the heavy libraries was loaded, on stderr, where the command was ``adjust``."""
    code = (
        "import sys\nfrom rawfix.cli import main\ntry:\n    code = main()\nexcept SystemExit as exit:\n"
        "    code = exit.code\n"
        "heavy = [m for m in ('rawpy', 'onnxruntime') if m in sys.modules]\n"
        "assert sys.argv[1] != 'adjust' or not heavy, heavy\nsys.exit(code)"
    )
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def made(source: Path, target: Path, settings: Settings, *, save_maps: bool = False) -> Path:
    """The picture of ``develop``, made in this process."""
    job = plan([source], target, "{stem}", settings.format)[0]
    work = read(job, None, Recipe(settings), Options(save_maps=save_maps), lambda _: True)
    assert isinstance(work, Work)
    compute(work, None)
    assert write(work).status == "done"
    return target


def adjusted(maps: Path, target: Path, settings: Settings) -> Result:
    """What ``adjust`` does, in this process."""
    (adjustment,) = plan_adjustments([maps], target, "{stem}", settings)
    return adjust(adjustment, Treatment(settings, overwrite=True), {})


@pytest.fixture
def kept(models: Path, make_dng: Callable[..., Path]) -> Path:
    """A maps file beside its RAW file and its picture of strengths 0."""
    source = make_dng("a.dng", **FRAME)
    made(source, source.with_name("a.tif"), Settings(), save_maps=True)
    return source.with_name("a.maps.tif")


def pixels(path: Path) -> Any:
    return tifffile.imread(path)


@pytest.mark.parametrize(
    ("strengths", "look"),
    [
        (Strengths(1, 0.3), {}),
        (Strengths(0.5), {"wb": "4000", "exposure": 0.5, "space": "display-p3"}),
        (Strengths("auto", "auto"), FLOAT),
        (Strengths(denoise_luma=0.2, denoise_chroma=1), {"wb": "auto", "highlights": "clip"}),
        (Strengths(1, 1), {"format": "png", "bits": 8}),
        (Strengths(defringe=1, dehaze=0.7), {}),
        (Strengths(1, 0.4, defringe=0.8, dehaze=-0.5), FLOAT),
    ],
)
def test_adjust_makes_the_bits_of_develop(
    kept: Path, tmp_path: Path, strengths: Strengths, look: dict[str, Any]
) -> None:
    settings = Settings(strengths=strengths, **look)
    suffix = "png" if settings.format == "png" else "tif"
    developed = made(kept.with_name("a.dng"), tmp_path / f"d.{suffix}", settings)
    result = adjusted(kept, tmp_path / f"e.{suffix}", settings)
    assert result.status == "done", result.error
    if suffix == "png":
        assert (tmp_path / "e.png").read_bytes() == developed.read_bytes()
        return
    np.testing.assert_array_equal(pixels(tmp_path / "e.tif"), pixels(developed))
    assert (pixels(developed) != pixels(kept.with_name("a.tif"))).any()


def test_the_lens_can_be_corrected_later(
    models: Path, tmp_path: Path, make_frame: Callable[..., RawFrame]
) -> None:
    opcodes = [warp((0.97, 0.05, 0, 0, 0, 0)), vignette(0.4, 0, 0, 0, 0)]
    source = write_dng(tmp_path / "a.dng", make_frame(**FRAME), {LIST_3: opcodes})
    settings = Settings(lens_correction="dng", strengths=Strengths(0.5), **FLOAT)
    direct = tifffile.imread(made(source, tmp_path / "direct.tif", settings, save_maps=True))
    later = adjusted(tmp_path / "direct.maps.tif", tmp_path / "later.tif", settings)
    assert later.lens_correction == "dng: WarpRectilinear, FixVignetteRadial"
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "later.tif"), direct)
    adjusted(tmp_path / "direct.maps.tif", tmp_path / "off.tif", replace(settings, lens_correction="off"))
    assert np.abs(tifffile.imread(tmp_path / "off.tif") - direct).max() > 0.05


def test_strength_0_is_bit_identical_to_no_network(kept: Path, models: Path, tmp_path: Path) -> None:
    adjusted(kept, tmp_path / "zero.tif", Settings())
    shutil.rmtree(models / "restore-camera-standard")
    plain = made(kept.with_name("a.dng"), tmp_path / "plain.tif", Settings())
    for name in ("zero.tif", "a.tif"):
        np.testing.assert_array_equal(pixels(tmp_path / name), pixels(plain))


def test_the_output_is_linear_in_denoise_at_any_deblur(kept: Path, tmp_path: Path) -> None:
    found = {}
    for denoise in (0.0, 0.5, 1.0, 2.0):
        settings = Settings(strengths=Strengths(denoise, 0.7), highlights="clip", **FLOAT)
        adjusted(kept, tmp_path / "x.tif", settings)
        found[denoise] = pixels(tmp_path / "x.tif").astype(np.float64)
    step = found[1.0] - found[0.0]
    assert np.abs(step).max() > 1e-3
    np.testing.assert_allclose(found[0.5], found[0.0] + 0.5 * step, atol=1e-6)
    np.testing.assert_allclose(found[2.0], found[0.0] + 2 * step, atol=2e-6)


@pytest.mark.usefixtures("models")
def test_the_command_line_loads_no_network_and_tells_what_auto_came_to(
    make_dng: Callable[..., Path], tmp_path: Path
) -> None:
    words = ("--denoise", "auto", "--deblur", "auto", "--json")
    done = rawfix("develop", make_dng("a.dng", **FRAME), "--save-maps", *words)
    assert done.returncode == 0, done.stderr
    developed = json.loads(done.stdout.splitlines()[1])
    done = rawfix("adjust", tmp_path / "a.maps.tif", *words, "--name", "{stem}-again")
    assert done.returncode == 0, done.stderr
    file, summary = (json.loads(line) for line in done.stdout.splitlines())
    assert summary["done"] == 1
    assert file["settings"] == developed["settings"]
    assert file["notes"] == developed["notes"]
    strengths = file["settings"]["strengths"]
    assert 0.1 < strengths["denoise"] < 0.9
    assert 0 <= strengths["deblur"] <= 1
    assert f"--denoise auto is {strengths['denoise']:g}" in " ".join(file["notes"])
    np.testing.assert_array_equal(pixels(tmp_path / "a-again.tif"), pixels(tmp_path / "a.tif"))


def test_metadata_outlives_the_raw_file(kept: Path, tmp_path: Path) -> None:
    def metadata(path: Path) -> dict[str, str]:
        image = exiv2.ImageFactory.open(str(path))
        image.readMetadata()
        texts = {datum.key(): datum.toString() for datum in image.exifData()}
        texts |= {datum.key(): datum.toString() for datum in image.xmpData()}
        return {key: text for key, text in texts.items() if "Strip" not in key}

    settings = Settings(strengths=Strengths(0.5))
    developed = metadata(made(kept.with_name("a.dng"), tmp_path / "d.tif", settings))
    adjusted(kept, tmp_path / "with.tif", settings)
    kept.with_name("a.dng").unlink()
    adjusted(kept, tmp_path / "without.tif", settings)
    assert metadata(tmp_path / "with.tif") == developed
    assert metadata(tmp_path / "without.tif") == developed
    assert developed["Xmp.rawfix.Source"] == "a.dng"


def test_another_file_of_the_source_s_name_is_not_believed(kept: Path, make_dng: Callable[..., Path]) -> None:
    make_dng("other.dng", **{**FRAME, "iso": 100}).replace(kept.with_name("a.dng"))
    adjusted(kept, kept.with_name("a.tif"), Settings())
    image = exiv2.ImageFactory.open(str(kept.with_name("a.tif")))
    image.readMetadata()
    assert {d.key(): d.toString() for d in image.exifData()}["Exif.Photo.ISOSpeedRatings"] == "1600"


def test_maps_are_a_tiled_compressed_tiff_that_names_source_and_models(kept: Path) -> None:
    with tifffile.TiffFile(kept) as file:
        assert [(p.is_tiled, p.compression.name, p.dtype) for p in file.pages[:3]] == [
            (True, "ZSTD", np.float32),
            (True, "ZSTD", np.float16),
            (True, "ZSTD", np.float16),
        ]
    content, _ = load_kept(kept)
    assert content.source == str(kept.with_name("a.dng"))
    assert [name for name, _ in content.models] == ["demosaic-bayer-standard", "restore-camera-standard"]
    assert all(len(digest) == 64 for _, digest in content.models)
    assert content.camera.shape == (96, 128, 3)


def test_damage_is_told_in_a_line(kept: Path, tmp_path: Path) -> None:
    whole = kept.read_bytes()
    broken = tmp_path / "broken.maps.tif"
    for content in (
        whole[: len(whole) // 2],
        whole[:100],
        b"",
        b"II*\0" + bytes(40),
        kept.with_name("a.tif").read_bytes(),
    ):
        broken.write_bytes(content)
        result = adjusted(broken, tmp_path / "out.tif", Settings())
        assert result.status == "failed"
        assert str(result.error).startswith("broken.maps.tif: ")
        assert "\n" not in str(result.error)
    assert not (tmp_path / "out.tif").exists()
    done = rawfix("adjust", broken, kept, "--overwrite")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_no_flipped_bit_goes_unnoticed(kept: Path, tmp_path: Path) -> None:
    whole = kept.read_bytes()
    rng = np.random.default_rng(0)
    before = {name: plane.tobytes() for name, plane in read_planes(kept, 1)[1].items()}
    refused = 0
    for place in rng.integers(0, len(whole), 60):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        path = tmp_path / "flipped.maps.tif"
        path.write_bytes(flipped)
        try:
            _, planes, _ = read_planes(path, 1)
        except RawfixError:
            refused += 1
            continue
        assert {name: plane.tobytes() for name, plane in planes.items()} == before
    assert refused > 40


def test_a_newer_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new.maps.tif"
    planes = {"camera": np.ones((20, 30, 3), np.float32)}
    write_planes(path, planes, {"a": 1}, b"", overwrite=False, threads=1)
    facts, read, carrier = read_planes(path, 1)
    assert (facts, carrier) == ({"a": 1}, b"")
    np.testing.assert_array_equal(read["camera"], planes["camera"])
    monkeypatch.setattr(planes_file, "VERSION", 0)
    with pytest.raises(UnsupportedRawError, match=r"new.maps.tif: is of version 2"):
        read_planes(path, 1)
    with pytest.raises(CorruptRawError, match="cannot be read"):
        read_planes(tmp_path / "missing.maps.tif", 1)


def test_refusals_are_those_of_develop(kept: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def code(*words: object) -> int:
        return int(app(["adjust", *map(str, words)], standalone_mode=False))

    assert code(kept) == exit_codes.ALL_FAILED  # a.tif exists
    assert code(kept, "--skip-existing") == exit_codes.DONE
    assert code(tmp_path / "*.none") == exit_codes.NO_INPUT
    capfd.readouterr()
    for words in (["--format", "dng"], ["--denoise", "9"], ["--name", "{nonsense}"], ["--wb", "purple"]):
        assert code(kept, *words) == exit_codes.USAGE
        assert len(capfd.readouterr().err.splitlines()) == 1
    (tmp_path / "folder").mkdir()
    kept.rename(tmp_path / "folder" / "b.maps.tif")
    name = "{stem}-{camera}-{iso}-{quality}"
    assert code(tmp_path / "folder", "--name", name, "--format", "png") == exit_codes.DONE
    assert [p.name for p in (tmp_path / "folder").glob("*.png")] == ["b-rawfix Synthetic-1600-standard.png"]


def test_a_maps_file_of_another_name_gives_its_own_to_the_picture(kept: Path) -> None:
    named = kept.rename(kept.with_name("renamed.tiff"))
    (adjustment,) = plan_adjustments([named], None, "{stem}", Settings())
    assert fill(adjustment.job).name == "renamed.tif"


def test_the_very_file_that_was_developed_is_never_written_over(kept: Path) -> None:
    source = kept.with_name("a.dng").rename(kept.with_name("A.TIF"))
    facts, planes, carrier = read_planes(kept, 1)
    facts["source"] = str(source)
    write_planes(kept, planes, facts, carrier, overwrite=True, threads=1)
    kept.with_name("a.tif").unlink()
    raw = source.read_bytes()
    refused = adjusted(kept, source, Settings())
    assert refused.status == "failed" and "is what the maps were made of; use -o" in str(refused.error)
    assert source.read_bytes() == raw
    source.write_bytes(b"another file of that name")
    assert adjusted(kept, source, Settings()).status == "done"


@pytest.mark.parametrize("facts", [[], {}, {"frame": None}, {"frame": {}, "settings": {}}])
def test_facts_that_are_not_there_cost_their_file_alone(kept: Path, facts: Any) -> None:
    _, planes, carrier = read_planes(kept, 1)
    write_planes(kept, planes, {}, carrier, overwrite=True, threads=1)
    content = json.loads(tifffile.tiffcomment(kept))
    content["facts"] = facts
    del content["sha256"]
    tifffile.tiffcomment(kept, json.dumps({**content, "sha256": planes_file._digest_of(content)}))
    refused = adjusted(kept, kept.with_name("b.tif"), Settings())
    assert refused.status == "failed" and "lacks facts; make it again" in str(refused.error)


def test_without_a_restorer_maps_are_not_promised(models: Path) -> None:
    shutil.rmtree(models / "restore-camera-standard")
    with pytest.raises(ModelError, match="--save-maps needs a restore network"):
        check_settings(Settings(), every=True)


def test_what_maps_were_made_with_cannot_be_swept(kept: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def code(*words: object) -> int:
        return int(app(["sweep", str(kept), *map(str, words)], standalone_mode=False))

    assert code("--denoise", "0,1", "--quality", "fast", "--tile", 128) == exit_codes.USAGE
    assert "--quality, --tile: what a.maps.tif keeps was made without; sweep the RAW file" in " ".join(
        capfd.readouterr().err.split()
    )


def test_kept_maps_are_swept_without_a_network(kept: Path, models: Path, tmp_path: Path) -> None:
    shutil.rmtree(models)
    done = sweep(kept, tmp_path, [0.0, 1.0], [0.3], Settings(format="png", bits=8))
    settings = Settings(strengths=Strengths(1.0, 0.3), format="png", bits=8)
    assert adjusted(kept, tmp_path / "whole.png", settings).status == "done"
    whole = imagecodecs.imread(tmp_path / "whole.png")
    crops = [path for strengths, _, path in done.crops if strengths.denoise == 1]
    assert [path.name for path in crops] == ["a-denoise1-deblur0.3-dark.png", "a-denoise1-deblur0.3-edge.png"]
    height, width = imagecodecs.imread(crops[0]).shape[:2]
    assert (height, width) == (96, 96)
    windows = [whole[:, x : x + 96] for x in range(128 - 96 + 1)]
    for path in crops:
        assert any((imagecodecs.imread(path) == window).all() for window in windows)
