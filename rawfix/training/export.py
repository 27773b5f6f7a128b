"""From a checkpoint to a model folder: fused ONNX graph, manifest, golden patch, model card.

Needs only torch and onnx; the parity of the graph is measured with onnx's own reference evaluator, so that a
bare machine can export. The same checkpoint always gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from rawfix.nn.manifest import GRAPH_NAME, Manifest
from rawfix.training.card import write_card
from rawfix.training.card_pictures import read_pictures
from rawfix.training.config import TrainConfig
from rawfix.training.fusing import Exportable, fuse
from rawfix.training.networks import packing
from rawfix.training.networks.ensemble import SelfEnsemble
from rawfix.training.weights import commits_of, open_mean, trained

OPSET = 17
TILE, TILE_ENLARGED = 1024, 1280
"""Side of a tile, in pixels of the output."""
ENSEMBLE = {"demosaic": "best", "restore": "best", "upscale": "standard"}
"""Tier of a network that is asked several times, by task."""
_FELT, _SAFETY = 8e-6, 2
"""Of white, half a step of 16 bits: what is felt; and how many times as far as that a halo is at least."""
GOLDEN = "golden.npz"
GOLDEN_TOLERANCE = 1e-3


class _Exported(nn.Module):
    """A network with the contract's outputs."""

    def __init__(self, model: Exportable) -> None:
        super().__init__()
        self.model = model

    def forward(self, *planes: Tensor) -> tuple[Tensor, ...]:
        return self.model.deliver(self.model(*planes))


def sample(model: Exportable, side: int = 96) -> dict[str, np.ndarray]:
    """A deterministic test patch for a network: gradients, an edge, noise, defects; ``(1, C, side, side)`` each."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    mosaic = (
        0.05 + 0.6 * x * y + 0.3 * (x + 0.3 * y > 0.7) + 0.01 * rng.standard_normal((side, side), np.float32)
    )
    mosaic[rng.random(mosaic.shape) < 0.003] = 1.5
    known_bad = (rng.random(mosaic.shape) < 0.002).astype(np.float32)
    sigma = np.sqrt(1e-4 * np.maximum(mosaic, 0) + 1e-6)
    noise = rng.standard_normal(mosaic.shape, np.float32)
    planes = {"mosaic": mosaic, "camera": mosaic, "image": mosaic, "sigma": sigma, "known_bad": known_bad}
    planes["noise"] = noise
    return {
        name: np.stack([np.asarray(np.roll(planes[name], 3 * c, 1), np.float32) for c in range(channels)])[
            None
        ]
        for name, channels in model.inputs
    }


def to_onnx(model: Exportable) -> bytes:
    """The fused graph, height and width free, stripped of everything that names this machine."""
    buffer = io.BytesIO()
    inputs = tuple(torch.from_numpy(p) for p in sample(model).values())
    names = [name for name, _ in model.inputs]
    axes = {name: {2: "height", 3: "width"} for name in (*names, *model.outputs)}
    exported = _Exported(fuse(model))
    with warnings.catch_warnings():
        # How many planes it packs is meant to be a constant of the graph.
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning, module=packing.__name__)
        torch.onnx.export(
            exported,
            inputs,
            buffer,
            input_names=names,
            output_names=list(model.outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            do_constant_folding=True,
            dynamo=False,
        )
    graph = onnx.load_from_string(buffer.getvalue())
    for node in graph.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    with torch.no_grad():
        for value, found in zip(graph.graph.output, exported(*inputs), strict=True):
            for axis in (0, 1):  # which reshaping leaves open
                value.type.tensor_type.shape.dim[axis].dim_value = found.shape[axis]
    graph.producer_name, graph.producer_version = "rawfix", ""
    onnx.checker.check_model(graph)
    return graph.SerializeToString()


def _only_moves(kernel: np.ndarray | None) -> bool:
    """Whether each channel of a convolution's output is one sample of its input."""
    if kernel is None:
        return False
    each = kernel.reshape(len(kernel), -1)
    return bool((np.count_nonzero(each, 1) == 1).all() and (each.max(1) == 1).all())


def gflop_per_megapixel(graph: bytes, side: int = 240) -> float:
    """Convolution FLOP (two a multiply-add) per megapixel of the output, from the graph's own shapes.

    Convolutions that only move pixels into channels do not count.
    """
    model = onnx.load_from_string(graph)
    for value in model.graph.input:
        for axis in (2, 3):
            value.type.tensor_type.shape.dim[axis].dim_value = side
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in inferred.graph.value_info}
    shapes |= {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in inferred.graph.output}
    constants = {w.name: w for w in inferred.graph.initializer}
    constants |= {n.output[0]: n.attribute[0].t for n in inferred.graph.node if n.op_type == "Constant"}
    weights = {name: onnx.numpy_helper.to_array(value) for name, value in constants.items()}
    flop = 0.0
    for node in inferred.graph.node:
        if node.op_type == "Conv" and not _only_moves(weights.get(node.input[1])):
            kernel = weights[node.input[1]].shape if node.input[1] in weights else shapes[node.input[1]]
            flop += 2.0 * float(np.prod(kernel)) * float(np.prod(shapes[node.output[0]][2:]))
    height, width = shapes[inferred.graph.output[0].name][2:]
    return flop / (height * width) / 1e3


def reach(model: Exportable) -> int:
    """Pixels of context that an output may depend on, whatever the weights.

    Measured on a copy with random positive weights, where no rectifier cuts a path: an output depends on
    every pixel within reach, and on no other.
    """
    step = model.multiple
    side = 2 * step * -(-160 // step)
    planes = {name: torch.zeros(1, channels, side, side).double() for name, channels in model.inputs}
    first = model.inputs[0][0]
    planes[first].uniform_(generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    if "sigma" in planes:
        planes["sigma"] += 0.01
    open_model = fuse(model).double()
    with torch.no_grad():
        for parameter in open_model.parameters():
            parameter.uniform_(0.01, 0.02, generator=torch.Generator().manual_seed(1))
    results = open_model(*planes.values())
    center = side // 2 // step * step
    window = np.s_[..., center : center + step, center : center + step]
    sum(result[window].sum() for result in results).backward()
    gradient = planes[first].grad
    assert gradient is not None
    found = 0
    for other in (2, 1):  # along rows, then along columns
        seen = torch.nonzero(gradient[0].abs().sum((0, other)) > 0).flatten()
        found = max(found, center - int(seen.min()), int(seen.max()) + 1 - center - step)
    return found + (model.rim if isinstance(model, SelfEnsemble) else 0)


@torch.no_grad()
def felt(model: Exportable, possible: int) -> int:
    """Pixels of context that change what the model makes of some pictures, of those that are ``possible``.

    What weights make of their reach fades with distance: super-resolution that reaches 94 pixels feels 16. The
    pictures are harder than any photograph: samples that are black or white at random, without and with noise.
    """
    step = model.multiple
    core = -(-32 // step) * step
    side = core + 2 * possible
    made = _Exported(fuse(model))
    pictures = [_scattered(model, side, seed) for seed in range(4)]
    whole = [_middle_of(made, planes, possible, possible, core) for planes in pictures]
    for halo in range(-(-8 // step) * step, possible, -(-8 // step) * step):
        seen = (_middle_of(made, planes, possible, halo, core) for planes in pictures)
        apart = (torch.cat(a, 1) - torch.cat(b, 1) for a, b in zip(seen, whole, strict=True))
        if all(float(difference.abs().max()) <= _FELT for difference in apart):
            return halo
    return possible


def _scattered(model: Exportable, side: int, seed: int) -> list[Tensor]:
    rng = np.random.default_rng(seed)
    planes = {name: np.asarray(rng.random((1, c, side, side)) < 0.5, np.float32) for name, c in model.inputs}
    if "noise" in planes:
        planes["noise"] = (seed % 2) * rng.standard_normal(planes["noise"].shape).astype(np.float32)
    if "sigma" in planes:
        planes["sigma"][:] = 0.01
    return [torch.from_numpy(plane) for plane in planes.values()]


def _middle_of(made: nn.Module, planes: list[Tensor], most: int, halo: int, core: int) -> list[Tensor]:
    """What is made of the middle ``core`` of planes with ``most`` around it, of which ``halo`` is shown."""
    cut = slice(most - halo, most + core + halo)
    results = made(*(plane[..., cut, cut] for plane in planes))
    scale = results[0].shape[-1] // (core + 2 * halo)
    inner = slice(halo * scale, (halo + core) * scale)
    return [result[..., inner, inner] for result in results]


def _npz_bytes(planes: dict[str, np.ndarray]) -> bytes:
    """A compressed ``.npz`` with fixed dates, so that equal content is equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, plane in planes.items():
            data = io.BytesIO()
            np.save(data, plane)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), data.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@torch.no_grad()
def _measure(model: Exportable, graph: bytes) -> tuple[dict[str, np.ndarray], float, float]:
    """Golden planes; greatest difference of the fused graph, and of the over-parameterised form, to torch."""
    planes = sample(model)
    fused = [t.numpy() for t in _Exported(fuse(model))(*(torch.from_numpy(p) for p in planes.values()))]
    plain = [t.numpy() for t in _Exported(model)(*(torch.from_numpy(p) for p in planes.values()))]
    ran = ReferenceEvaluator(onnx.load_from_string(graph)).run(None, planes)
    graph_error = max(float(np.abs(a - b).max()) for a, b in zip(ran, fused, strict=True))
    fuse_error = max(float(np.abs(a - b).max()) for a, b in zip(plain, fused, strict=True))
    golden = {f"input.{name}": plane for name, plane in planes.items()}
    golden |= {f"output.{name}": plane for name, plane in zip(model.outputs, fused, strict=True)}
    return golden, graph_error, fuse_error


def _published(config: TrainConfig) -> TrainConfig:
    """The config without anybody's folders: of an absolute path, the name."""
    demosaic, features, noise = (
        tuple(Path(path).name if Path(path).is_absolute() else path for path in paths)
        for paths in (config.demosaic, (config.features,), (config.noise_generator,))
    )
    return replace(config, demosaic=demosaic, features=features[0], noise_generator=noise[0])


def export(
    checkpoint: Path,
    models: Path,
    metrics: dict[str, Any] | None = None,
    sources: list[dict[str, str]] | None = None,
    views: int = 1,
    pictures: Path | None = None,
    average: Sequence[Path] = (),
) -> Path:
    """Write ``models/<id>/``: ``model.onnx``, ``manifest.json``, ``golden.npz``, ``README.md``.

    Parameters
    ----------
    checkpoint
        Of a run; everything needed is in it.
    models
        Folder of models.
    metrics
        Figures for the manifest, by set; default: the last validation.
    sources
        Training data, each with ``name`` and ``license``; default: as the run was told.
    views
        More than 1: the network asked so often, as the tier `ENSEMBLE` names; see `SelfEnsemble`.
    pictures
        Folder of pictures for the card, see `rawfix.training.card_pictures.read_pictures`.
    average
        Checkpoints of the same training whose weights are averaged with these, see `rawfix.training.weights.open_mean`.

    Raises
    ------
    FileNotFoundError
        There is no such checkpoint, or no picture.
    ValueError
        No such views exist, a picture does not fit, or a checkpoint to average is of another network.
    """
    shown = [] if pictures is None else read_pictures(pictures)
    single, config, stored, averaged = open_mean(checkpoint, average)
    model: Exportable = single
    if views != 1:
        model, config = SelfEnsemble(single, views), replace(config, tier=ENSEMBLE[config.task])
    graph = to_onnx(model)
    multiple = model.multiple
    possible = -(-reach(model) // multiple) * multiple
    halo = min(possible, -(-_SAFETY * felt(model, possible) // multiple) * multiple)
    golden, graph_error, fuse_error = _measure(model, graph)
    cfa = getattr(config.network, "cfa", None)
    task = f"upscale-x{model.scale}" if config.task == "upscale" else config.task
    name = f"{task}-{cfa or 'camera'}-{config.tier}"
    models.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=models))
    (folder / GRAPH_NAME).write_bytes(graph)
    (folder / GOLDEN).write_bytes(_npz_bytes(golden))
    steps, seconds = trained(stored)
    training = {
        "commit": stored.get("commit", "unknown"),
        "config": _published(config).to_dict(),
        "data": sources or stored.get("data") or [{"name": "unstated", "license": "unstated"}],
        "seed": config.seed,
        "steps": steps,
        "hours": round(seconds / 3600, 3),
        "hardware": stored["hardware"],
        **({"averaged": averaged} if averaged else {}),
        **({"views": views} if views > 1 else {}),
        **({"commits": commits_of(stored)} if "commits" in stored else {}),
    }
    manifest = Manifest(
        id=name,
        contract=f"{task}-v1",
        cfa=cfa,
        space=None if cfa else "camera",
        tier=config.tier,
        sha256=hashlib.sha256(graph).hexdigest(),
        opset=OPSET,
        tile=(TILE if model.scale == 1 else TILE_ENLARGED) // model.scale // multiple * multiple,
        halo=halo,
        multiple=multiple,
        scale=model.scale,
        parameters=sum(int(np.prod(w.dims)) for w in onnx.load_from_string(graph).graph.initializer),
        gflop_per_mp=round(gflop_per_megapixel(graph), 2),
        training=training,
        metrics=metrics or ({} if views > 1 else stored.get("validation", {})),
        parity={"graph_to_torch": graph_error, "fused_to_trained": fuse_error},
        golden={"file": GOLDEN, "tolerance": GOLDEN_TOLERANCE},
    )
    try:
        manifest.write(folder)
        write_card(folder, manifest, stored["pictures"], stored["held_back"], shown)
    except Exception:
        shutil.rmtree(folder)
        raise
    folder.chmod(0o755)
    if (target := models / name).exists():
        shutil.rmtree(target)
    return folder.rename(target)
