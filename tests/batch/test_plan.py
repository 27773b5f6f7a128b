"""Every input has one output, decided before anything is developed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rawfix.batch.execute import prepare
from rawfix.batch.options import Options
from rawfix.batch.plan import DEFAULT_NAME, SUFFIXES, fill, plan
from rawfix.batch.recipe import Recipe
from rawfix.errors import SettingsError
from rawfix.settings import Settings


def targets(
    sources: list[str], output: str | None = None, name: str = DEFAULT_NAME, **more: str
) -> list[str]:
    jobs = plan([Path(s) for s in sources], Path(output) if output else None, name, "tiff", **more)
    return [fill(job).as_posix() for job in jobs]


def test_without_output_each_goes_beside_its_source() -> None:
    assert targets(["a/one.dng", "b/two.NEF"]) == ["a/one.tif", "b/two.tif"]


@pytest.mark.parametrize(("format", "suffix"), SUFFIXES.items())
def test_the_format_decides_the_suffix(format: str, suffix: str) -> None:
    (job,) = plan([Path("one.dng")], None, DEFAULT_NAME, format)
    assert fill(job).suffix == suffix


def test_an_output_without_suffix_is_a_folder() -> None:
    assert targets(["one.dng"], "out") == ["out/one.tif"]
    assert targets(["one.dng"], "session-1.2") == ["session-1.2/one.tif"]


@pytest.mark.parametrize("output", ["out.tif", "out.TIFF", "deep/out.tif"])
def test_one_input_may_name_its_file(output: str) -> None:
    assert targets(["one.dng"], output) == [output]


def test_an_existing_folder_is_one_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "like-a-file.tif"
    folder.mkdir()
    assert targets(["one.dng"], str(folder)) == [(folder / "one.tif").as_posix()]


def test_braces_in_a_named_file_are_no_fields() -> None:
    assert targets(["one.dng"], "{stem}.tif") == ["{stem}.tif"]


def test_one_file_for_two_inputs_is_refused() -> None:
    with pytest.raises(SettingsError, match="give a folder"):
        targets(["one.dng", "two.dng"], "out.tif")


def test_a_file_named_for_another_format_is_refused() -> None:
    with pytest.raises(SettingsError, match="--format png"):
        targets(["one.dng"], "out.png")
    with pytest.raises(SettingsError, match="--format tiff"):
        plan([Path("one.dng")], Path("out.tiff"), DEFAULT_NAME, "png")


def test_fields_are_filled() -> None:
    name = "{seq:03}-{stem}-{ext}-{space}-{quality}"
    made = targets(["one.dng", "two.nef"], "out", name, space="srgb", quality="fast")
    assert made == ["out/001-one-dng-srgb-fast.tif", "out/002-two-nef-srgb-fast.tif"]


def test_fields_of_the_frame_are_filled_later() -> None:
    (job,) = plan([Path("one.dng")], Path("out"), "{camera}-{iso}", "tiff")
    assert fill(job, camera="Box 1/2: X", iso=800) == Path("out/Box 1_2_ X-800.tif")
    with pytest.raises(SettingsError, match="camera"):
        fill(job)


@pytest.mark.parametrize(
    "name", ["{stem", "{nothing}", "{}", "{0}", "{stem.__class__}", "{stem[0]}", "a/{stem}", "..\\{stem}"]
)
def test_a_malformed_name_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(SettingsError, match="--name") as refusal:
        targets(["one.dng"], None, name)
    assert "\n" not in str(refusal.value)


def test_film_frames_keep_reel_and_number() -> None:
    made = targets(["A001_C002_000123.dng", "A001_C003_000123.dng"], "out", "{reel}.{frame:07}")
    assert made == ["out/A001_C002.0000123.tif", "out/A001_C003.0000123.tif"]
    with pytest.raises(SettingsError, match="no frame number"):
        targets(["still.dng"], "out", "{reel}.{frame:07}")
    assert targets(["still.dng"], "out", "{stem}") == ["out/still.tif"]


def test_a_field_that_cannot_be_formatted_is_refused() -> None:
    with pytest.raises(SettingsError, match="--name"):
        targets(["one.dng"], None, "{stem:04d}")


def test_two_inputs_for_one_output_are_refused_and_told_how_to_differ() -> None:
    with pytest.raises(SettingsError, match=r"both .* --name"):
        targets(["a/one.dng", "b/one.dng"], "out")
    with pytest.raises(SettingsError, match="both"):
        targets(["one.dng", "one.nef"])
    assert targets(["one.dng", "one.nef"], None, "{stem}-{ext}") == ["one-dng.tif", "one-nef.tif"]
    assert len(set(targets(["a/one.dng", "b/one.dng"], "out", "{stem}-{seq:04}"))) == 2


def test_an_input_is_never_its_own_output() -> None:
    with pytest.raises(SettingsError, match="over itself"):
        targets(["one.tif"])
    with pytest.raises(SettingsError, match="over itself"):
        targets(["one.tif"], "./one.tif")


def test_what_was_found_below_a_folder_keeps_its_place() -> None:
    found = [Path("in/x/one.dng"), Path("in/one.dng")]
    jobs = plan(found, Path("out"), DEFAULT_NAME, "tiff", below={found[0]: Path("x"), found[1]: Path()})
    assert [fill(job).as_posix() for job in jobs] == ["out/x/one.tif", "out/one.tif"]


def test_a_dng_of_a_dng_has_a_name_of_its_own(tmp_path: Path) -> None:
    source = tmp_path / "a.dng"
    (job,) = plan([source], None, "{stem}", "dng")
    assert fill(job) == tmp_path / "a-rawfix.dng"
    (named,) = plan([source], tmp_path / "b.dng", "{stem}", "dng-cfa")
    assert fill(named) == tmp_path / "b.dng"
    with pytest.raises(SettingsError, match="--format dng"):
        plan([source], tmp_path / "b.dng", "{stem}", "tiff")


def test_an_output_whose_name_is_too_long_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"-o n+: File name too long"):
        targets(["one.dng"], "n" * 300)


def test_an_output_that_may_not_be_looked_at_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(SettingsError, match="-o out: Permission denied"):
        targets(["one.dng"], "out")


def test_a_target_that_cannot_be_looked_at_costs_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = Path.stat

    def stat(path: Path, **more: bool) -> os.stat_result:
        if path.parent.name == "locked":
            raise PermissionError(13, "Permission denied")
        return genuine(path, **more)

    monkeypatch.setattr(Path, "stat", stat)
    sources = [Path("in/locked/one.dng"), Path("in/two.dng"), Path(f"in/{'n' * 254}")]
    jobs = plan(sources, tmp_path, DEFAULT_NAME, "tiff", below={sources[0]: Path("locked")})
    first, second, third = prepare(jobs, Recipe(Settings()), Options()).steps
    assert first[1] is not None and first[1].kind == "refuse"
    assert first[1].reason.startswith("one.dng: its output cannot be written: Permission denied;")
    assert second[1] is not None and second[1].kind == "develop"
    assert third[1] is not None and "File name too long" in third[1].reason


def test_two_inputs_for_one_side_output_are_refused_and_told_how_to_differ(tmp_path: Path) -> None:
    sources = [Path("in/x/one.dng"), Path("in/y/one.dng")]
    below = {source: Path(source.parent.name) for source in sources}
    for options in (Options(save_stages=tmp_path), Options(bad_map=tmp_path)):
        jobs = plan(sources, Path("out"), DEFAULT_NAME, "tiff", below=below)
        with pytest.raises(SettingsError, match=r"both write .*one-.* --name"):
            prepare(jobs, Recipe(Settings()), options)
        prepare(plan(sources, Path("out"), "{stem}-{seq}", "tiff", below=below), Recipe(Settings()), options)
    prepare(jobs, Recipe(Settings()), Options(save_maps=True))
