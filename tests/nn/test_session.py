from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from rawfix.errors import IntegrityError, ManifestError, ModelError
from rawfix.nn.manifest import Model
from rawfix.nn.session import available_providers, open_session, self_test


def test_a_session_runs_and_knows_its_outputs(make_model, golden_planes):
    session = open_session(make_model(), threads=1)
    inputs = golden_planes
    outputs = session.run(inputs)
    assert session.outputs == {"camera": 3, "bad": 1}
    np.testing.assert_array_equal(outputs["camera"][:, :1], 2 * inputs["mosaic"])
    np.testing.assert_array_equal(outputs["bad"], inputs["known_bad"])


def test_one_session_is_reused(make_model):
    model = make_model()
    assert open_session(model, threads=1) is open_session(model, threads=1)
    assert open_session(model, threads=1) is not open_session(model, threads=2)


def test_a_changed_graph_is_not_opened(make_model):
    model = make_model(camera=4)
    (model.folder / "model.onnx").write_bytes(b"something else")
    with pytest.raises(IntegrityError):
        open_session(model, threads=3)


def test_bytes_that_are_no_graph_are_refused(make_model):
    model = make_model()
    content = b"no graph"
    (model.folder / "model.onnx").write_bytes(content)
    manifest = dataclasses.replace(model.manifest, sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(ModelError, match="cannot be opened"):
        open_session(Model(manifest, model.folder))


@pytest.mark.parametrize(
    ("rename", "camera", "said"),
    [
        ({"mosaic": "raw"}, 3, "inputs are .*raw"),
        ({"bad": "hot"}, 3, "outputs are .*hot"),
        ({}, 2, "C = 3 or 4"),
    ],
)
def test_a_graph_that_breaks_its_contract_is_refused(make_model, rename, camera, said):
    with pytest.raises(ManifestError, match=said):
        open_session(make_model(rename=rename, camera=camera))


@pytest.mark.parametrize(
    ("known_bad", "said"), [(-1.0, "inputs are finite"), (np.nan, "input known_bad already")]
)
def test_values_that_are_not_finite_are_refused(make_model, golden_planes, known_bad, said):
    session = open_session(make_model(), threads=1)
    inputs = golden_planes
    inputs["known_bad"][0, 0, 3, 3] = known_bad
    with pytest.raises(ModelError, match=said):
        session.run(inputs)


def test_an_unknown_provider_names_those_there_are(make_model):
    assert "cpu" in available_providers()
    with pytest.raises(ModelError, match=r"'abacus'.*cpu"):
        open_session(make_model(), "abacus")


def test_no_threads_are_refused(make_model):
    with pytest.raises(ModelError, match="0 threads"):
        open_session(make_model(), threads=0)


def test_the_self_test_compares_with_the_stored_patch(make_model):
    assert self_test(make_model(), threads=1) <= 1e-6
    with pytest.raises(ModelError, match=r"off by 0\.5"):
        self_test(make_model(offset=0.5), threads=1)


def test_a_missing_patch_is_refused(make_model):
    model = make_model()
    (model.folder / "golden.npz").unlink()
    with pytest.raises(ManifestError, match=r"golden\.npz"):
        self_test(model, threads=1)
