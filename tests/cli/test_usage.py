"""What has no meaning is refused in one line with exit code 2, before anything is read or written."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rawfix.batch.recipe import to_flat
from rawfix.cli import preset_commands, watch_command
from rawfix.cli.app import app, develop
from rawfix.cli.options import SETTINGS
from rawfix.settings import STRENGTHS, Settings


def refused(*words: object) -> Result:
    """A command that ends with 2 and one line."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith("rawfix: ") and done.stderr.count("\n") == 1 and not done.stdout, (
        done.output
    )
    return done


@pytest.mark.parametrize(
    ("words", "told", "help"),
    [
        ("develop a.dng --exposure abc", "--exposure: ", "rawfix develop --help"),
        ("develop a.dng --nonsense", "--nonsense", "rawfix develop --help"),
        ("develop", "--files-from", "rawfix develop --help"),
        ("nonsense", "nonsense", "rawfix --help"),
        ("preset save", "name", "rawfix preset save --help"),
    ],
)
def test_what_cannot_be_parsed_is_told_in_a_line(words: str, told: str, help: str) -> None:
    said = refused(*words.split()).stderr
    assert told in said and said.endswith(f"; see {help}\n")


def test_without_a_command_there_is_help() -> None:
    done = CliRunner().invoke(app, [])
    assert "Usage" in done.output and "rawfix: " not in done.output
    assert CliRunner().invoke(app, ["--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-o", "{folder}/out.jepg"], "out.jepg: .jepg is no format; name a file with .tif, .png, .jpg"),
        (["-o", "{folder}/a.kdc"], "a.kdc: is a file, not a folder"),
        (["-o", ""], "--output: '' names neither"),
        (["-o", "-"], "--output: '-' names neither"),
        (["--name", ""], "--name: '' names no file"),
        (["--name", ".."], "--name: '..' names no file"),
        (["--name", "{{"], "--name: '{{' is no template; the fields are {{stem}} "),
        (["--name", "{{stem"], "--name: '{{stem' is no template"),
        (["--name", "{{seq:z}}"], "--name: '{{seq:z}}' is no template"),
        (["--save-stages", "{folder}/a.kdc"], "a.kdc: is a file, not a folder"),
    ],
)
def test_no_folder_or_hidden_file_is_made_of_a_mistake(tmp_path: Path, words: list[str], told: str) -> None:
    (tmp_path / "a.kdc").write_bytes(b"raw")
    said = refused("develop", tmp_path / "a.kdc", "--overwrite", *(w.format(folder=tmp_path) for w in words))
    assert told.format() in " ".join(said.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["a.kdc"]


@pytest.mark.parametrize(
    "command", ["develop --dry-run", "develop", "watch", "bench", "upscale", "sweep", "serve"]
)
def test_an_unknown_provider_is_refused_before_anything_is_read(tmp_path: Path, command: str) -> None:
    said = refused(*command.split(), *([] if command == "serve" else [tmp_path]), "--provider", "garbage")
    assert "--provider: 'garbage' is no provider; there are cpu, cuda, " in said.stderr


@pytest.mark.models
def test_a_plan_tells_which_networks_are_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.kdc").write_bytes(b"raw")
    words = ["develop", str(tmp_path / "a.kdc"), "--dry-run"]
    assert CliRunner().invoke(app, words).stderr == ""
    monkeypatch.setattr("rawfix.cli.lacking.find_models", list)
    monkeypatch.setattr("rawfix.cli.lacking.available_providers", lambda: ["cpu"])
    done = CliRunner().invoke(app, [*words, "--quality", "best", "--provider", "migraphx"])
    assert "note: no demosaicing network of the tier best is installed: " in done.stderr
    assert "note: provider migraphx is not installed: " in done.stderr


@pytest.mark.parametrize("wb", ["garbage", "100", "5000,999", "1e30,1,1", "1,1,1,1"])
def test_a_balance_without_meaning_is_told_with_its_option(tmp_path: Path, wb: str) -> None:
    (tmp_path / "a.kdc").write_bytes(b"raw")
    said = refused("develop", tmp_path / "a.kdc", "--wb", wb).stderr
    assert f"--wb {wb}: " in said and said.endswith(
        "give as-shot, daylight, auto, KELVIN, KELVIN,TINT or R,G,B\n"
    )


def test_linear_light_with_a_tone_curve_contradicts_itself(tmp_path: Path) -> None:
    (tmp_path / "a.kdc").write_bytes(b"raw")
    whole, ruled = tmp_path / "whole.toml", tmp_path / "ruled.toml"
    whole.write_text('tone = "standard"\n')
    ruled.write_text('linear = true\n[[rule]]\niso = [100, 800]\ntone = "standard"\n')
    for words in (["--linear", "--tone", "standard"], ["--linear", "--preset", whole], ["--preset", ruled]):
        assert "--linear and --tone standard" in refused("develop", tmp_path / "a.kdc", *words).stderr
    words = ["develop", str(tmp_path / "a.kdc"), "--dry-run", "--linear"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert CliRunner().invoke(app, [*words, "--preset", str(whole), "--tone", "none"]).exit_code == 0


@pytest.mark.parametrize(
    "words",
    [
        "--threads -5", "--threads 5000", "--jobs 0", "--jobs -1", "--port -1", "--port 70000", "--max-queue 0",
        "--max-pause 0", "--max-seconds nan", "--max-seconds -1", "--max-keep -1", "--max-keep inf",
        "--max-upload 0", "--max-upload -1", "--max-memory 0", "--max-memory 1",
    ],
)  # fmt: skip
def test_a_server_takes_no_number_without_meaning(words: str) -> None:
    assert words.split()[0] in refused("serve", *words.split()).stderr


@pytest.mark.parametrize("command", [develop, watch_command.watch, preset_commands.save])
def test_every_setting_of_a_preset_is_an_option(command: Callable[..., None]) -> None:
    """But for what says how a run goes."""
    settings = set(to_flat(Settings())) - {"tile", "threads", "provider"}
    assert not settings - set(signature(command).parameters)
    assert settings <= {*STRENGTHS, *SETTINGS}
