"""The hash list says what was written, and ASC's own tool agrees."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from rawfix.errors import OutputError, SettingsError
from rawfix.io import mhl

pytest.importorskip("ascmhl", reason="rawfix[mhl] is not installed")
NAMESPACE = {"m": "urn:ASC:MHL:v2.0"}


def verify(root: Path) -> subprocess.CompletedProcess[str]:
    """``ascmhl-debug verify``, without its look for a newer version."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        "from ascmhl.commands import verify; verify()",
        str(root),
    ]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "A001"
    (root / "sub").mkdir(parents=True)
    (root / "a.exr").write_bytes(b"one")
    (root / "sub" / "b.exr").write_bytes(b"two")
    return root


def generations(root: Path) -> list[ET.Element]:
    return [ET.parse(path).getroot() for path in sorted((root / "ascmhl").glob("*.mhl"))]


def entries(generation: ET.Element) -> dict[str, tuple[str, str, str]]:
    """Path → size, action, xxh64."""
    found = {}
    for entry in generation.iterfind("m:hashes/m:hash", NAMESPACE):
        path, digest = entry.find("m:path", NAMESPACE), entry.find("m:xxh64", NAMESPACE)
        assert path is not None and digest is not None
        found[path.text or ""] = (path.attrib["size"], digest.attrib["action"], digest.text or "")
    return found


def test_the_list_holds_path_size_and_hash_of_each_file(folder: Path) -> None:
    import xxhash

    assert mhl.record(folder, [folder / "sub" / "b.exr", folder / "a.exr"]) == ()
    (generation,) = generations(folder)
    assert generation.tag == "{urn:ASC:MHL:v2.0}hashlist" and generation.attrib["version"] == "2.0"
    assert entries(generation) == {
        "a.exr": ("3", "original", xxhash.xxh64(b"one").hexdigest()),
        "sub/b.exr": ("3", "original", xxhash.xxh64(b"two").hexdigest()),
    }
    tool = generation.find("m:creatorinfo/m:tool", NAMESPACE)
    assert tool is not None and tool.text == "rawfix"
    (path,) = (folder / "ascmhl").glob("*.mhl")
    assert path.name.startswith("0001_A001_")
    assert (folder / "ascmhl" / "ascmhl_chain.xml").exists()


@pytest.mark.peers
def test_ascs_own_tool_verifies_it(folder: Path) -> None:
    mhl.record(folder, [folder / "a.exr", folder / "sub" / "b.exr"])
    done = verify(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "a.exr").write_bytes(b"One")
    done = verify(folder)
    assert done.returncode != 0 and "a.exr" in done.stdout + done.stderr


def test_a_second_run_verifies_the_first_and_tells_what_differs(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mhl.record(folder, [folder / "a.exr", folder / "sub" / "b.exr"])
    (folder / "sub" / "b.exr").write_bytes(b"TWO")
    (folder / "c.exr").write_bytes(b"three")
    (note,) = mhl.record(folder, [folder / "a.exr", folder / "sub" / "b.exr", folder / "c.exr"])
    assert note.startswith("b.exr differs")
    actions = {path: action for path, (_, action, _) in entries(generations(folder)[1]).items()}
    assert actions == {"a.exr": "verified", "sub/b.exr": "failed", "c.exr": "original"}
    assert capfd.readouterr() == ("", "")


def test_nothing_written_means_no_list(folder: Path) -> None:
    assert mhl.record(folder, []) == ()
    assert not (folder / "ascmhl").exists()


def test_a_damaged_history_is_refused_in_one_line(folder: Path) -> None:
    mhl.record(folder, [folder / "a.exr"])
    (path,) = (folder / "ascmhl").glob("*.mhl")
    path.write_bytes(path.read_bytes().replace(b"a.exr", b"x.exr"))
    with pytest.raises(OutputError, match="ascmhl") as refusal:
        mhl.record(folder, [folder / "a.exr"])
    assert "\n" not in str(refusal.value)
    assert len(list((folder / "ascmhl").glob("*.mhl"))) == 1


def test_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mhl, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'rawfix\[mhl\]'"):
        mhl.check_mhl()


@pytest.mark.models
def test_a_run_leaves_the_list_of_its_outputs(make_dng: Callable[..., Path], tmp_path: Path) -> None:
    sources = [make_dng(f"A001_C002_00000{n}.dng", size=(64, 64)) for n in (1, 2)]
    words = ["develop", *sources, "-o", tmp_path / "out", "--exr", "acescg", "--mhl"]
    command = [sys.executable, "-c", "from rawfix.cli import main; main()", *map(str, words)]
    for generation in (1, 2):
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        listed = generations(tmp_path / "out")
        assert len(listed) == generation
        assert set(entries(listed[-1])) == {"A001_C002_000001.exr", "A001_C002_000002.exr"}
    assert {action for _, action, _ in entries(listed[1]).values()} == {"verified"}
    assert [path.name for path in (tmp_path / "out").glob(".rawfix-*")]
    done = verify(tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
