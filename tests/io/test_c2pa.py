"""Content Credentials, written with a chain of certificates made here and read back by the same library."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from click.testing import Result
from PIL import Image as Picture
from typer.testing import CliRunner

from rawfix.cli.app import app
from rawfix.io.c2pa import ASSERTION, Credentials, sign
from rawfix.io.provenance import Origin
from rawfix.io.raw import read_raw
from rawfix.nn.manifest import find_model

c2pa = pytest.importorskip("c2pa", reason="rawfix[c2pa] is not installed")

pytestmark = pytest.mark.models
FORMATS = {
    "tiff": ".tif",
    "png": ".png",
    "jpeg": ".jpg",
    "avif": ".avif",
    "jxl": ".jxl",
    "dng": "-rawfix.dng",
}


def develop(*words: object) -> Result:
    return CliRunner().invoke(app, ["develop", *map(str, words)], env={"COLUMNS": "200"})


@contextmanager
def read(root: str, *where: object, **more: object) -> Iterator[Any]:
    """A reader that trusts the root and nothing else, and asks nobody."""
    verify = {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}
    settings = c2pa.Settings.from_dict({"trust": {"trust_anchors": root}, "verify": verify})
    with (
        settings,
        c2pa.Context(settings=settings) as context,
        c2pa.Reader(*where, context=context, **more) as it,
    ):
        yield it


def manifest_of(reader: Any) -> dict[str, Any]:
    store = json.loads(reader.json())
    manifest: dict[str, Any] = store["manifests"][store["active_manifest"]]
    manifest["assertions"] = {each["label"]: each["data"] for each in manifest["assertions"]}
    return manifest


def state_of(path: Path, root: str) -> str:
    """What a reader says of a file; one that it cannot even parse is invalid."""
    try:
        with read(root, path) as reader:
            return str(reader.get_validation_state())
    except c2pa.C2paError:
        return "Invalid"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_that_can_hold_a_manifest_holds_one(
    format: str, identify: Callable[..., Any], make_dng: Callable[..., Path], tmp_path: Path
) -> None:
    source, who = make_dng("a.dng"), identify()
    plain, out = tmp_path / "plain", tmp_path / "out"
    done = develop(source, "-o", out, "--format", format, *who.options)
    assert done.exit_code == 0 and not done.stderr, done.stderr
    made = out / f"a{FORMATS[format]}"
    with read(who.root, made) as reader:
        assert reader.get_validation_state() == "Trusted" and reader.is_embedded()
        manifest = manifest_of(reader)
    assert manifest["title"] == made.name and manifest["claim_generator_info"][0]["name"] == "rawfix"
    (parent,) = manifest["ingredients"]
    assert (parent["title"], parent["relationship"]) == ("a.dng", "parentOf")
    opened, edited = manifest["assertions"]["c2pa.actions.v2"]["actions"]
    assert (opened["action"], edited["action"]) == ("c2pa.opened", "c2pa.edited")
    assert edited["digitalSourceType"].endswith("/algorithmicallyEnhanced")
    told = manifest["assertions"][ASSERTION]
    used = find_model("demosaic", "bayer", "standard").manifest
    assert told["models"] == [{"id": used.id, "sha256": used.sha256}]
    assert told["settings"]["format"] == format and len(told["source"]["sha256"]) == 64
    if format in ("tiff", "dng"):
        assert develop(source, "-o", plain, "--format", format).exit_code == 0
    if format == "tiff":
        assert np.array_equal(tifffile.imread(made), tifffile.imread(plain / made.name))
    if format == "dng":
        assert np.array_equal(read_raw(made).mosaic, read_raw(plain / made.name).mosaic)
    damaged = bytearray(made.read_bytes())
    damaged[random.Random(1).randrange(len(damaged) // 3, len(damaged) // 2)] ^= 0x55
    made.write_bytes(damaged)
    assert state_of(made, who.root) == "Invalid"


def test_exr_gets_a_sidecar_that_the_journal_knows(
    identify: Callable[..., Any], make_dng: Callable[..., Path], tmp_path: Path
) -> None:
    words = (make_dng("a.dng"), "-o", tmp_path / "out", "--format", "exr", "--json")
    who = identify()
    assert develop(*words, *who.options).exit_code == 0
    picture, beside = tmp_path / "out" / "a.exr", tmp_path / "out" / "a.c2pa"
    exr, store = "application/octet-stream", beside.read_bytes()
    with picture.open("rb") as file, read(who.root, exr, file, manifest_data=store) as reader:
        assert reader.get_validation_state() == "Trusted"
    other = io.BytesIO(picture.read_bytes()[:-1] + b"\x55")
    with read(who.root, exr, other, manifest_data=store) as reader:
        assert reader.get_validation_state() == "Invalid"
    assert '"unchanged"' in develop(*words, *who.options).stdout
    beside.unlink()
    again = develop(*words, *who.options, "--update")
    assert '"done"' in again.stdout and beside.exists()


@pytest.mark.parametrize("kind", ["p384", "rsa", "ed25519"])
def test_the_algorithm_follows_from_the_key(
    kind: str, identify: Callable[..., Any], make_dng: Callable[..., Path], tmp_path: Path
) -> None:
    who, made = identify(kind), tmp_path / "a.png"
    Picture.new("RGB", (9, 7)).save(made)
    assert sign(made, made, Credentials(who.key, who.cert), Origin(make_dng("a.dng"))) is None
    assert state_of(made, who.root) == "Trusted"


def test_private_outputs_do_not_name_the_source(
    identify: Callable[..., Any], make_dng: Callable[..., Path], tmp_path: Path
) -> None:
    who = identify()
    source = make_dng("secret.dng")
    assert develop(source, "-o", tmp_path / "out.tif", "--strip", "private", *who.options).exit_code == 0
    assert b"secret" not in (tmp_path / "out.tif").read_bytes()


def test_another_signature_makes_an_output_anew(
    identify: Callable[..., Any], make_dng: Callable[..., Path], tmp_path: Path
) -> None:
    words = (make_dng("a.dng"), "-o", tmp_path / "out", "--json")
    assert develop(*words).exit_code == 0
    signed = develop(*words, *identify().options)
    assert signed.exit_code == 5 and "--update" in signed.stderr
    planned = develop(*words, *identify().options, "--update", "--dry-run")
    assert json.loads(planned.stdout)["action"] == "replace"


def test_a_key_that_cannot_sign_is_a_usage_error(
    identify: Callable[..., Any], make_dng: Callable[..., Path], tmp_path: Path
) -> None:
    source, who, other = make_dng("a.dng"), identify("p256"), identify("p384")
    broken = tmp_path / "broken.key"
    broken.write_text("no key")
    for words, said in (
        (("--c2pa-key", who.key), "give both"),
        (("--c2pa-key", broken, "--c2pa-cert", who.cert), "PEM"),
        (("--c2pa-key", other.key, "--c2pa-cert", who.cert), "leaf first"),
        (("--c2pa-key", tmp_path / "none", "--c2pa-cert", who.cert), "No such file"),
    ):
        refused = develop(source, "-o", tmp_path / "out", *words)
        assert refused.exit_code == 2 and said in refused.stderr, refused.stderr
        assert len(refused.stderr.splitlines()) == 1 and not (tmp_path / "out").exists()
