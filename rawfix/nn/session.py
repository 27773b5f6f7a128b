"""Open a model and run it: the one door to ONNX Runtime."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from rawfix.errors import InferenceError, ManifestError, ModelError
from rawfix.nn.contract import Plane
from rawfix.nn.manifest import GRAPH_NAME, Manifest, Model
from rawfix.nn.threads import thread_share

Tensor = NDArray[np.float32]

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
}
_OPTIONS: dict[str, dict[str, str]] = {
    # TF32 rounds to 10 bits of mantissa, visible in deep shadows; a search for the fastest algorithm
    # may choose another one on each start.
    "cuda": {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
}
_REFUSALS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
_sessions: dict[tuple[str, str, int], Session] = {}
_lock = threading.Lock()


class Session:
    """A model ready to run on one provider; made by `open_session`.

    Attributes
    ----------
    manifest
        The model's facts.
    provider
        Where it runs, a key of `PROVIDERS`.
    outputs
        Channels of each output.
    """

    def __init__(self, model: Model, provider: str, threads: int) -> None:
        self.manifest: Manifest = model.manifest
        self.provider = provider
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.use_deterministic_compute = True
        # The arena without its plan for one shape: 16 convolutions of 48 channels, 576² input, took 59 MiB
        # so, 119 with the plan and 270 to 460 without the arena, all in the same time or longer.
        options.enable_cpu_mem_arena = True
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        chain: list[Any] = [(PROVIDERS[provider], _OPTIONS.get(provider, {}))]
        if provider != "cpu":
            chain.append(PROVIDERS["cpu"])
        path = model.folder / GRAPH_NAME
        try:
            self._ort = ort.InferenceSession(model.read_graph(), options, chain)
        except _REFUSALS as error:
            raise ModelError(
                f"{path}: cannot be opened by ONNX Runtime {ort.__version__}: {error}"
            ) from error
        if self._ort.get_providers()[0] != PROVIDERS[provider]:
            raise ModelError(f"provider {provider} is installed but does not start; use --provider cpu")
        _check_planes(path, "inputs", model.contract.inputs, self._ort.get_inputs())
        self.outputs = _check_planes(path, "outputs", model.contract.outputs, self._ort.get_outputs())

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Run the network once on NCHW float32 tensors.

        Raises
        ------
        InferenceError
            The provider failed (out of memory, say), or an output holds NaN or infinity.
        """
        name = self.manifest.id
        try:
            results = self._ort.run(list(self.outputs), dict(inputs))
        except _REFUSALS as error:
            remedy = (
                "use a smaller tile" if self.provider == "cpu" else "use --provider cpu or a smaller tile"
            )
            raise InferenceError(f"{name}: failed on {self.provider}: {error}; {remedy}") from error
        outputs: dict[str, Tensor] = dict(zip(self.outputs, results, strict=True))
        for plane, values in outputs.items():
            if not np.isfinite(values).all():
                odd = [given for given, tensor in inputs.items() if not np.isfinite(tensor).all()]
                cause = f"its input {', '.join(odd)} already does" if odd else "its inputs are finite"
                raise InferenceError(
                    f"{name}: output {plane} holds NaN or infinity on {self.provider}; {cause}"
                )
        return outputs


def open_session(model: Model, provider: str = "cpu", threads: int | None = None) -> Session:
    """The model, checked and ready to run; the same session for the same file, provider and threads.

    Checked are the file (sha256) and the graph's inputs and outputs (contract); on any provider but ``cpu``
    also a stored patch (`self_test`), because accelerators round, and some err, in their own way.

    Parameters
    ----------
    model
        From `find_model`.
    provider
        A key of `PROVIDERS`.
    threads
        Of the CPU; default: `available_threads`; at most `thread_share`.

    Raises
    ------
    ModelError
        The provider is unknown, not installed or fails its test.
    ManifestError, IntegrityError
        The graph does not match its contract, or the file its manifest.
    """
    if provider not in available_providers():
        raise ModelError(
            f"provider {provider!r} is not available; there is {', '.join(available_providers())}"
        )
    if threads is not None and threads < 1:
        raise ModelError(f"{threads} threads cannot run a network; give 1 or more")
    key = (model.manifest.sha256, provider, thread_share(threads))
    with _lock:
        if key not in _sessions:
            session = Session(model, provider, key[2])
            if provider != "cpu":
                _compare(session, model)
            _sessions[key] = session
        return _sessions[key]


def self_test(model: Model, provider: str = "cpu", threads: int | None = None) -> float:
    """Run the model's stored patch and return the greatest difference to its stored outputs.

    Raises `ModelError` where that is above the manifest's tolerance, and whatever `open_session` raises.
    """
    return _compare(open_session(model, provider, threads), model)


def available_providers() -> list[str]:
    """Names of the providers that the installed ONNX Runtime has."""
    installed = ort.get_available_providers()
    return [name for name, provider in PROVIDERS.items() if provider in installed]


def runtime_version() -> str:
    """The ONNX Runtime that runs the networks, with its version."""
    return f"ONNX Runtime {ort.__version__}"


def write_golden(path: Path, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor]) -> None:
    """Store a patch for `self_test`: a compressed ``.npz`` of ``input.<name>`` and ``output.<name>``."""
    planes = {f"input.{name}": tensor for name, tensor in inputs.items()}
    planes |= {f"output.{name}": tensor for name, tensor in outputs.items()}
    np.savez_compressed(path, allow_pickle=False, **planes)


def _compare(session: Session, model: Model) -> float:
    """`self_test` on an open session."""
    manifest = model.manifest
    path = model.folder / manifest.golden["file"]
    try:
        with np.load(path, allow_pickle=False) as stored:
            inputs = {plane.name: stored[f"input.{plane.name}"] for plane in model.contract.inputs}
            wanted = {plane.name: stored[f"output.{plane.name}"] for plane in model.contract.outputs}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ManifestError(f"{path}: not a patch for {manifest.contract}: {error}") from error
    found = session.run(inputs)
    worst = max(float(np.abs(found[name] - values).max()) for name, values in wanted.items())
    if not worst <= manifest.golden["tolerance"]:
        remedy = "install rawfix again" if session.provider == "cpu" else "use --provider cpu"
        raise ModelError(
            f"{manifest.id}: on {session.provider} its test patch is off by {worst:.2g}, "
            f"more than {manifest.golden['tolerance']:.2g}; {remedy}"
        )
    return worst


def _check_planes(path: Path, side: str, planes: tuple[Plane, ...], nodes: list[Any]) -> dict[str, int]:
    """Channels of each plane in the graph; raises `ManifestError` unless they are the contract's."""
    if [node.name for node in nodes] != [plane.name for plane in planes]:
        raise ManifestError(
            f"{path}: {side} are {[node.name for node in nodes]}, "
            f"its contract says {[plane.name for plane in planes]}"
        )
    for node, plane in zip(nodes, planes, strict=True):
        if node.type != "tensor(float)" or len(node.shape) != 4 or node.shape[1] not in plane.channels:
            allowed = " or ".join(map(str, plane.channels))
            raise ManifestError(
                f"{path}: {plane.name} is {node.type} {node.shape}, "
                f"its contract says float NCHW, C = {allowed}"
            )
    return {node.name: int(node.shape[1]) for node in nodes}
