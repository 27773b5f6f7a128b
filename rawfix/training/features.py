"""What ``--features`` names: a pretrained classifier, opened from its weights, never fetched."""

from __future__ import annotations

import pickle
import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path

import torch

from rawfix.training.networks.perceptual import Classifier, SqueezeNet
from rawfix.training.networks.vgg import Vgg19

VGG19 = "vgg19"
"""The name that stands for torchvision's weights, where torch keeps what was downloaded."""
_UNREADABLE = (
    OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, ImportError, RuntimeError,
    struct.error, zipfile.BadZipFile, pickle.UnpicklingError,
)  # fmt: skip
"""What a file that only claims to hold weights raises; old ones are bare pickles, which have no mark to look for."""
_FETCH = "python -c \"from torchvision.models import vgg19; vgg19(weights='IMAGENET1K_V1')\""


def open_features(source: str) -> Classifier:
    """A classifier by name or by its weights.

    Parameters
    ----------
    source
        `VGG19`; the path of a state dict of torchvision's VGG-19 (``.pth``, ``.pt``); or that of SqueezeNet's weights
        (``.npz``).

    Raises
    ------
    FileNotFoundError
        There are no such weights.
    ValueError
        They are those of another network, or damaged.
    """
    path = _cached() if source == VGG19 else Path(source)
    if not path.is_file():
        raise FileNotFoundError(
            f"--features {source}: no such file; give SqueezeNet's weights (.npz), VGG-19's (.pth), or {VGG19}"
        )
    try:
        if path.suffix in (".pth", ".pt"):
            return Vgg19(_state(path))
        return SqueezeNet.load(path)
    except _UNREADABLE as error:
        kind = "torchvision's VGG-19" if path.suffix in (".pth", ".pt") else "SqueezeNet 1.0"
        said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":,")
        raise ValueError(
            f"--features {path}: not the weights of {kind}; give another file ({said})"
        ) from error


def _cached() -> Path:
    """Where torchvision put the weights; raises `FileNotFoundError`."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    if found := sorted(folder.glob("vgg19-*.pth")):
        return found[0]
    first = "" if find_spec("torchvision") else "pip install torchvision, then "
    raise FileNotFoundError(
        f"--features {VGG19}: no weights vgg19-*.pth in {folder}; {first}download them with {_FETCH}, or give the "
        "path of such a file"
    )


def _state(path: Path) -> dict[str, torch.Tensor]:
    found = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(found, dict) or not all(isinstance(each, torch.Tensor) for each in found.values()):
        raise ValueError("no state dict")
    return found
