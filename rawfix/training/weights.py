"""Weights on disk: of a checkpoint, and of an exported model to start the next run from."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rawfix.errors import ManifestError
from rawfix.nn.manifest import load_model
from rawfix.training.config import NetworkConfig, RestoreConfig, TrainConfig, UpscaleConfig
from rawfix.training.networks import Network, build


def load_weights(checkpoint: Path) -> tuple[Network, TrainConfig, dict[str, Any]]:
    """The EMA network of a checkpoint, its config and everything else it holds."""
    stored = torch.load(checkpoint, map_location="cpu", weights_only=False)
    config = TrainConfig.from_dict(stored["config"])
    model = build(config.network)
    model.load_state_dict(stored["ema"])
    return model.eval(), config, stored


def open_weights(checkpoint: Path) -> tuple[Network, TrainConfig, dict[str, Any]]:
    """`load_weights`, or one line that says why not; raises `FileNotFoundError`."""
    try:
        if checkpoint.is_file() and not zipfile.is_zipfile(checkpoint):
            raise pickle.UnpicklingError("it is no archive")
        return load_weights(checkpoint)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{checkpoint}: no such checkpoint; give the checkpoint.pt of a run"
        ) from None
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        raise FileNotFoundError(
            f"{checkpoint}: not a checkpoint; give the checkpoint.pt of a run ({_first_line(error)})"
        ) from error
    except (RuntimeError, KeyError, TypeError) as error:
        raise FileNotFoundError(
            f"{checkpoint}: cannot be loaded: damaged, or made by another version of the network; give another one, "
            f"or use the version that made it ({_first_line(error)})"
        ) from error


def open_mean(
    checkpoint: Path, others: Sequence[Path]
) -> tuple[Network, TrainConfig, dict[str, Any], list[dict[str, Any]]]:
    """`open_weights`, the weights being the mean of those of several points of a training, each as much.

    After Wortsman et al. 2022, "Model soups", arXiv 2203.05482: points that lie on one way have a mean between them
    that is as good, and keeps of what each of them knows. Config and all else are the first one's; the last item
    tells steps and hours of every other one. Raises `FileNotFoundError`, or `ValueError` where networks differ.
    """
    model, config, stored = open_weights(checkpoint)
    mean, told = dict(model.state_dict()), []
    for other in others:
        found, its_config, its_stored = open_weights(other)
        if its_config.network != config.network:
            raise ValueError(f"{other}: is of another network than {checkpoint}; give points of one training")
        state = found.state_dict()
        mean = {
            name: weight + state[name] if weight.is_floating_point() else weight
            for name, weight in mean.items()
        }
        steps, seconds = trained(its_stored)
        told.append({"steps": steps, "hours": round(seconds / 3600, 3)})
    count = 1 + len(told)
    model.load_state_dict({n: w / count if w.is_floating_point() else w for n, w in mean.items()})
    return model, config, stored, told


def trained(stored: dict[str, Any]) -> tuple[int, float]:
    """Steps and seconds that went into a checkpoint's weights, those it started from included."""
    earlier = stored.get("earlier", {"steps": 0, "seconds": 0.0})
    return stored["step"] + earlier["steps"], stored["seconds"] + earlier["seconds"]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(":,")


def commits_of_run(stored: dict[str, Any]) -> list[str]:
    """The commits whose code trained a checkpoint's own run, in order; of one that does not list them, the last."""
    return list(stored["commits"]) if "commits" in stored else [stored.get("commit", "unknown")]


def commits_of(stored: dict[str, Any]) -> list[str]:
    """As `commits_of_run`, with those of the weights that the run started from; each once."""
    return list(dict.fromkeys([*stored.get("earlier", {}).get("commits", ()), *commits_of_run(stored)]))


@dataclass(frozen=True, slots=True, eq=False)
class Initial:
    """What a run starts from: network config, state dict, and the training that went into it."""

    network: NetworkConfig | RestoreConfig | UpscaleConfig
    weights: dict[str, Any]
    steps: int
    seconds: float
    commits: tuple[str, ...] = ()

    def to_network(self) -> Network:
        """The network, with its weights."""
        model = build(self.network)
        model.load_state_dict(self.weights)
        return model

    def graft(self, model: nn.Module) -> int:
        """Give a network of another filter array, width or scale each weight that fits; their number.

        What is bound to a filter array (the linear layers, the trunk's first layer, the verdict's) stays as it is.
        """
        state = model.state_dict()
        free = {name for name in state if name.startswith("unet.")} or set(state)
        fitting = {
            name: weight
            for name, weight in self.weights.items()
            if name in free and state[name].shape == weight.shape
        }
        model.load_state_dict(state | fitting)
        return len(fitting)


def _chained(name: str) -> bool:
    """Whether a parameter belongs to the chain that over-parameterises a linear bank."""
    return name in {"bank.first", "bank.second"}


def load_initial(source: Path) -> Initial:
    """The weights of a checkpoint, or of an exported model's folder.

    A model holds the fused kernels: they become the direct ones, and the chain that over-parameterises the bank
    starts at zero. Raises `FileNotFoundError`, or `rawfix.errors.ManifestError` for a folder that holds no model.
    """
    if not source.exists():
        raise FileNotFoundError(
            f"{source}: there is none; give a model's folder or the checkpoint.pt of a run"
        )
    if source.is_file():
        model, config, stored = open_weights(source)
        steps, seconds = trained(stored)
        return Initial(config.network, model.state_dict(), steps, seconds, tuple(commits_of(stored)))
    import onnx
    from onnx import numpy_helper

    exported = load_model(source)
    config = TrainConfig.from_dict(dict(exported.manifest.training["config"]))
    state = build(config.network).state_dict()
    graph = onnx.load_from_string(exported.read_graph())
    found: set[str] = set()
    for tensor in graph.graph.initializer:
        name = tensor.name.removeprefix("model.").removeprefix("core.").replace(".conv.weight", ".direct")
        if name in state:
            state[name] = torch.from_numpy(numpy_helper.to_array(tensor).copy())
            found.add(name)
    needed = {name for name, _ in build(config.network).named_parameters() if not _chained(name)}
    if missing := sorted(needed - found):
        raise ManifestError(f"{source}: its graph lacks the weights {', '.join(missing)}")
    state |= {name: torch.zeros_like(state[name]) for name in state if name == "bank.second"}
    training = exported.manifest.training
    commits = tuple(training.get("commits", (training["commit"],)))
    return Initial(config.network, state, training["steps"], 3600 * training["hours"], commits)
