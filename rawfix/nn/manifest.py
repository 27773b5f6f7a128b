"""What a model is, where it comes from and how good it is: ``manifest.json`` and its folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rawfix.errors import IntegrityError, ManifestError, ModelError
from rawfix.nn.contract import Contract, find_contract

GRAPH_NAME = "model.onnx"
MANIFEST_NAME = "manifest.json"
TIERS = ("fast", "standard", "best")
"""Cheapest first."""
_TRAINING_KEYS = ("commit", "config", "data", "seed", "steps", "hours", "hardware")
_MORE_KEYS = {"averaged", "commits", "views"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts about one model; written by the training export only.

    Attributes
    ----------
    id
        ``<task>-<cfa or space>-<tier>``, also the folder's name.
    contract
        Name of its contract, which says what inputs and outputs mean.
    cfa, space
        CFA family (``bayer``) for a network that reads a mosaic, color space (``camera``) for one that
        reads an image; the other is None.
    tier
        Which trade of time for quality, e.g. ``standard``.
    sha256
        Of ``model.onnx``, lower-case hexadecimal.
    opset
        ONNX operator set of the graph.
    tile, halo, multiple, scale
        Recommended tile side and least halo in input pixels; what input sides are multiples of; output
        pixels per input pixel. Tile and halo are multiples of `multiple`.
    parameters, gflop_per_mp
        Weights in the graph; GFLOP per megapixel of input.
    training
        ``commit, config, data, seed, steps, hours, hardware``; ``data`` is a list of objects that have at
        least ``name`` and ``license``. And ``views``, where a graph asks its network several times; and
        ``commits``, all whose code trained the weights, in order, as far as that is known.
    metrics, parity
        Quality measured on named sets; distance between the graph and the network it was exported from.
    golden
        ``{"file": …, "tolerance": …}``: a patch's inputs and CPU outputs, and how far, in absolute terms,
        another provider may be from them.
    """

    id: str
    contract: str
    cfa: str | None
    space: str | None
    tier: str
    sha256: str
    opset: int
    tile: int
    halo: int
    multiple: int
    scale: int
    parameters: int
    gflop_per_mp: float
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    parity: Mapping[str, Any]
    golden: Mapping[str, Any]

    def __post_init__(self) -> None:
        contract = find_contract(self.contract)
        lengths = (self.tile, self.multiple, self.scale, self.opset, self.halo + 1)
        wrong = {
            "exactly one of cfa and space is set": (self.cfa is None) == (self.space is None),
            f"id is {contract.task}-{self.kind}-{self.tier}": self.id
            != f"{contract.task}-{self.kind}-{self.tier}",
            f"scale is {contract.scale}": self.scale != contract.scale,
            "sizes are positive": min(lengths) < 1,
            "tile and halo are multiples of multiple": self.multiple > 0
            and (self.tile % self.multiple or self.halo % self.multiple),
            "sha256 is 64 lower-case hexadecimal digits": len(self.sha256) != 64
            or not set(self.sha256) <= set("0123456789abcdef"),
            f"training has {', '.join(_TRAINING_KEYS)}": set(self.training) - _MORE_KEYS
            != set(_TRAINING_KEYS),
            "views in training is an integer of at least 1": not _counts(self.training.get("views", 1)),
            "commits in training is a list of texts": not _texts(self.training.get("commits", [])),
            "averaged in training lists steps and hours": not _points(self.training.get("averaged", [])),
            "every data set in training has a name and a license": not _licensed(self.training.get("data")),
            "golden has file, a plain name, and tolerance, a positive number": not _golden(self.golden),
        }
        for rule, broken in wrong.items():
            if broken:
                raise ManifestError(f"{self.id}: not true that {rule}")

    @property
    def views(self) -> int:
        """How often the graph asks its network, one time after the other."""
        return int(self.training.get("views", 1))

    @property
    def kind(self) -> str:
        """What the model reads: its CFA family or its color space."""
        return self.cfa or self.space or ""

    def to_json(self) -> str:
        """The manifest's file content: the same manifest always gives the same bytes."""
        return json.dumps(asdict(self), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, folder: Path) -> None:
        """Write ``manifest.json`` into the model's folder."""
        (folder / MANIFEST_NAME).write_text(self.to_json(), encoding="utf-8", newline="\n")


@dataclass(frozen=True, slots=True)
class Model:
    """A manifest and the folder it describes."""

    manifest: Manifest
    folder: Path

    @property
    def contract(self) -> Contract:
        """The contract the manifest names."""
        return find_contract(self.manifest.contract)

    def read_graph(self) -> bytes:
        """The bytes of ``model.onnx``; raises `IntegrityError` unless they are those of the manifest."""
        path = self.folder / GRAPH_NAME
        try:
            graph = path.read_bytes()
        except OSError as error:
            raise IntegrityError(f"{path}: {error.strerror}; install rawfix again") from error
        if (found := hashlib.sha256(graph).hexdigest()) != self.manifest.sha256:
            raise IntegrityError(
                f"{path}: sha256 is {found[:12]}…, its manifest says {self.manifest.sha256[:12]}…; "
                "the file is damaged or was changed: install rawfix again"
            )
        return graph


def load_manifest(folder: Path) -> Manifest:
    """Read and check ``manifest.json`` of a model's folder; raises `ManifestError`, which names the file."""
    path = folder / MANIFEST_NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ManifestError(f"{path}: not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ManifestError(f"{path}: not a JSON object")
    known = {field.name: str(field.type) for field in fields(Manifest)}
    if odd := sorted(set(found) ^ set(known)):
        raise ManifestError(f"{path}: missing or unknown keys: {', '.join(odd)}")
    for name, wanted in known.items():
        if not _is_type(found[name], wanted):
            raise ManifestError(f"{path}: {name} is {found[name]!r}, expected {wanted}")
    try:
        return Manifest(**found)
    except ManifestError as error:
        raise ManifestError(f"{path}: {error}") from error


def load_model(folder: Path) -> Model:
    """A model's folder with its manifest, checked; the graph is checked when it is opened."""
    return Model(load_manifest(folder), folder)


def models_root(root: Path | None = None) -> Path:
    """The folder that holds the models.

    In this order: the argument; the environment's ``RAWFIX_MODELS``; ``models`` inside the installed package;
    ``models`` beside the package in a checkout. Raises `ModelError` where that is no folder.
    """
    package = Path(__file__).resolve().parent.parent
    installed, checkout = package / "models", package.parent / "models"
    given = root or (Path(text) if (text := os.environ.get("RAWFIX_MODELS")) else None)
    path = given or (installed if installed.is_dir() else checkout)
    if not path.is_dir():
        remedy = "check RAWFIX_MODELS or the path given" if given else "install rawfix again"
        raise ModelError(f"{path}: no folder with models; {remedy}")
    return path


def find_models(root: Path | None = None) -> list[Model]:
    """Every model under the root, by id; raises `ManifestError` at the first that is malformed."""
    return [load_model(path.parent) for path in sorted(models_root(root).glob(f"*/{MANIFEST_NAME}"))]


def find_model(task: str, kind: str, tier: str, root: Path | None = None) -> Model:
    """The model for a task (``demosaic``), a CFA family or color space (``bayer``) and a tier.

    Raises
    ------
    ModelError
        There is none; the message names the tiers there are, or else the models.
    ManifestError
        The folder of that name holds another model, or its manifest is malformed.
    """
    folder = models_root(root) / f"{task}-{kind}-{tier}"
    if not folder.is_dir():
        present = [path.parent.name for path in sorted(folder.parent.glob(f"*/{MANIFEST_NAME}"))]
        remedy = f"there are {', '.join(present)}" if present else "it holds none: install rawfix again"
        if there := tiers(task, kind, root):
            remedy = f"installed tiers: {', '.join(there)}; choose with --quality"
        raise ModelError(f"no model {folder.name} in {folder.parent}; {remedy}")
    model = load_model(folder)
    if model.manifest.id != folder.name:
        raise ManifestError(f"{folder / MANIFEST_NAME}: describes {model.manifest.id}, not {folder.name}")
    return model


def nearest_model(task: str, kind: str, tier: str, root: Path | None = None) -> Model:
    """The model of a tier, or where that is not installed the next cheaper one, or else the next dearer.

    Not every filter array and task has every tier; raises as `find_model`.
    """
    there = [name for name in tiers(task, kind, root) if name in TIERS]
    if there and tier in TIERS and tier not in there:
        wanted = TIERS.index(tier)
        tier = min(there, key=lambda name: (TIERS.index(name) > wanted, abs(TIERS.index(name) - wanted)))
    return find_model(task, kind, tier, root)


def might_run(quality: str, root: Path | None = None) -> list[Model]:
    """The installed models that may serve a picture at a quality: those of that tier, and what stands in for it."""
    models = find_models(root)
    if quality not in TIERS:
        return models

    def task_of(model: Model) -> str:
        return model.manifest.id.rpartition("-")[0]

    served = {task_of(model) for model in models if model.manifest.tier == quality}
    return [model for model in models if model.manifest.tier == quality or task_of(model) not in served]


def tiers(task: str, kind: str, root: Path | None = None) -> list[str]:
    """The tiers in which a task's model for a CFA family or color space is installed; empty for none."""
    start = f"{task}-{kind}-"
    return sorted(
        path.parent.name.removeprefix(start) for path in models_root(root).glob(f"{start}*/{MANIFEST_NAME}")
    )


def _is_type(value: object, wanted: str) -> bool:
    """Whether a JSON value fits a field's annotation."""
    if wanted == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if wanted == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if wanted.startswith("Mapping"):
        return isinstance(value, dict)
    return isinstance(value, str) or (value is None and wanted.endswith("None"))


def _counts(views: object) -> bool:
    return isinstance(views, int) and not isinstance(views, bool) and views >= 1


def _texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value)


def _points(value: object) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(entry, dict)
        and set(entry) == {"steps", "hours"}
        and all(isinstance(amount, int | float) and amount >= 0 for amount in entry.values())
        for entry in value
    )


def _licensed(data: object) -> bool:
    """Whether a list of data sets names each with its license."""
    return isinstance(data, list | tuple) and all(
        isinstance(entry, Mapping) and entry.get("name") and entry.get("license") for entry in data
    )


def _golden(golden: Mapping[str, Any]) -> bool:
    """Whether golden names a file inside the folder and a tolerance."""
    if set(golden) != {"file", "tolerance"} or not _is_type(golden["tolerance"], "float"):
        return False
    name = golden["file"]
    return isinstance(name, str) and Path(name).name == name and 0 < golden["tolerance"] < float("inf")
