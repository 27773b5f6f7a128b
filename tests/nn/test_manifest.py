from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from rawfix.errors import IntegrityError, ManifestError, ModelError
from rawfix.nn.manifest import (
    Model,
    find_model,
    find_models,
    load_manifest,
    might_run,
    models_root,
    nearest_model,
)


@pytest.fixture
def root(tmp_path, manifest_of):
    for tier in ("fast", "tiny"):
        manifest = manifest_of(id=f"demosaic-bayer-{tier}", tier=tier)
        (tmp_path / manifest.id).mkdir()
        manifest.write(tmp_path / manifest.id)
    return tmp_path


def test_a_manifest_comes_back_as_it_was_written(root, manifest_of):
    assert load_manifest(root / "demosaic-bayer-tiny") == manifest_of()


def test_the_same_manifest_gives_the_same_bytes(manifest_of):
    backwards = dict(reversed(manifest_of().training.items()))
    assert manifest_of(training=backwards).to_json() == manifest_of().to_json()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"contract": "demosaic-v9"}, "unknown contract"),
        ({"space": "camera"}, "exactly one"),
        ({"cfa": None}, "exactly one"),
        ({"tier": "fast"}, "id is demosaic-bayer-fast"),
        ({"scale": 2}, "scale is 1"),
        ({"multiple": 0}, "positive"),
        ({"halo": 3}, "multiples of multiple"),
        ({"sha256": "A" * 64}, "hexadecimal"),
        ({"training": {"commit": "abc"}}, "training has"),
        ({"golden": {"file": "../golden.npz", "tolerance": 1e-4}}, "golden"),
        ({"golden": {"file": "golden.npz", "tolerance": 0}}, "golden"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(manifest_of, changes, said):
    with pytest.raises(ManifestError, match=said):
        manifest_of(**changes)


def test_data_without_a_license_are_refused(manifest_of):
    training = manifest_of().training | {"data": [{"name": "found somewhere"}]}
    with pytest.raises(ManifestError, match="license"):
        manifest_of(training=training)


@pytest.mark.parametrize("views", [0, "6", True])
def test_views_are_a_number_of_them(manifest_of, views):
    training = dict(manifest_of().training)
    assert manifest_of(training=training | {"views": 6}).views == 6
    with pytest.raises(ManifestError, match="views"):
        manifest_of(training=training | {"views": views})


@pytest.mark.parametrize(("content", "said"), [("{", "not JSON"), ("[]", "not a JSON object")])
def test_a_file_that_is_no_object_is_named(tmp_path, content, said):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ManifestError, match=rf"manifest\.json: .*{said}"):
        load_manifest(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"extra": 1}, "unknown keys: extra"),
        ({"tile": "512"}, "tile is '512', expected int"),
        ({"tile": True}, "tile is True"),
        ({"gflop_per_mp": "many"}, "expected float"),
        ({"metrics": []}, "metrics is"),
        ({"halo": 3}, "multiples"),
    ],
)
def test_a_malformed_file_is_named(tmp_path, manifest_of, changes, said):
    (tmp_path / "manifest.json").write_text(json.dumps(asdict(manifest_of()) | changes))
    with pytest.raises(ManifestError, match=rf"manifest\.json: .*{said}"):
        load_manifest(tmp_path)


def test_a_missing_key_is_named(tmp_path, manifest_of):
    facts = asdict(manifest_of())
    del facts["halo"]
    (tmp_path / "manifest.json").write_text(json.dumps(facts))
    with pytest.raises(ManifestError, match="keys: halo"):
        load_manifest(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ManifestError, match=r"manifest\.json"):
        load_manifest(tmp_path)


def test_models_are_found_by_task_kind_and_tier(root):
    assert [model.manifest.id for model in find_models(root)] == [
        "demosaic-bayer-fast",
        "demosaic-bayer-tiny",
    ]
    assert find_model("demosaic", "bayer", "fast", root).manifest.tier == "fast"


def test_a_missing_model_names_those_there_are(root):
    with pytest.raises(ModelError, match=r"demosaic-xtrans-fast.*demosaic-bayer-fast, demosaic-bayer-tiny"):
        find_model("demosaic", "xtrans", "fast", root)


def test_a_missing_tier_names_those_there_are(root):
    with pytest.raises(ModelError, match=r"no model demosaic-bayer-best.*installed tiers: fast, tiny;"):
        find_model("demosaic", "bayer", "best", root)


def test_what_may_run_at_a_quality_counts_what_stands_in(root, manifest_of):
    for id in ("restore-camera-best", "restore-camera-standard"):
        (root / id).mkdir()
        manifest_of(id=id, contract="restore-v1", cfa=None, space="camera", tier=id.rpartition("-")[2]).write(
            root / id
        )

    def named(quality):
        return [model.manifest.id for model in might_run(quality, root)]

    assert named("fast") == ["demosaic-bayer-fast", "restore-camera-best", "restore-camera-standard"]
    assert named("best") == ["demosaic-bayer-fast", "demosaic-bayer-tiny", "restore-camera-best"]
    assert len(named("auto")) == 4


@pytest.mark.parametrize(
    ("there", "asked", "found"),
    [
        (("fast", "standard", "best"), "standard", "standard"),
        (("fast", "best"), "standard", "fast"),
        (("best",), "fast", "best"),
        (("fast", "standard"), "best", "standard"),
        (("standard", "best"), "fast", "standard"),
    ],
)
def test_the_nearest_tier_stands_in(root, manifest_of, there, asked, found):
    for tier in there:
        id = f"restore-camera-{tier}"
        (root / id).mkdir()
        manifest_of(id=id, tier=tier, contract="restore-v1", cfa=None, space="camera").write(root / id)
    assert nearest_model("restore", "camera", asked, root).manifest.tier == found


def test_no_tier_stands_in_for_none(root):
    with pytest.raises(ModelError, match="no model upscale-x2-camera-standard"):
        nearest_model("upscale-x2", "camera", "standard", root)


def test_a_folder_without_models_says_so(tmp_path):
    with pytest.raises(ModelError, match="holds none: install"):
        find_model("demosaic", "bayer", "best", tmp_path)


def test_a_folder_under_a_false_name_is_refused(root):
    (root / "demosaic-bayer-fast").rename(root / "demosaic-quad-fast")
    with pytest.raises(ManifestError, match=r"describes demosaic-bayer-fast, not demosaic-quad-fast"):
        find_model("demosaic", "quad", "fast", root)


def test_the_environment_names_the_root(root, monkeypatch):
    monkeypatch.setenv("RAWFIX_MODELS", str(root))
    assert models_root() == root
    with pytest.raises(ModelError, match="nowhere"):
        models_root(root / "nowhere")


def test_a_changed_graph_is_refused(root, manifest_of):
    model = Model(manifest_of(), root / "demosaic-bayer-tiny")
    with pytest.raises(IntegrityError, match=r"model\.onnx"):
        model.read_graph()
    (model.folder / "model.onnx").write_bytes(b"something else")
    with pytest.raises(IntegrityError, match="sha256"):
        model.read_graph()
