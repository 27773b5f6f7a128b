"""What ``evaluate`` reads and writes, checked before the first picture is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rawfix.errors import OutputError
from rawfix.io.atomic import check_target, make_folder, replacing
from rawfix.nn.manifest import load_model
from rawfix.training.config import TrainConfig
from rawfix.training.networks import Network
from rawfix.training.weights import load_initial, open_weights


def prepare(figures: Path | None, pictures: Path | None) -> dict[str, Any]:
    """Make the folder of strips, see that the figures can be written, and give those that are there.

    Raises
    ------
    OutputError
        Something cannot be written, or the file of figures holds anything else.
    """
    if pictures is not None:
        make_folder(pictures)
    if figures is None:
        return {}
    make_folder(figures.parent)
    check_target(figures, overwrite=True)
    if not figures.exists():
        return {}
    try:
        found = json.loads(figures.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(
            f"{figures}: holds no JSON to add figures to ({error}); name another file"
        ) from error
    if not isinstance(found, dict):
        raise OutputError(f"{figures}: holds no figures but a {type(found).__name__}; name another file")
    return found


def write_figures(path: Path, figures: dict[str, Any]) -> None:
    """Write the figures whole, over those that were there; raises `OutputError`."""
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(
            json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )


def open_checkpoint(path: Path, task: str) -> tuple[Network, TrainConfig, dict[str, Any]]:
    """`open_weights` of a run of this task, or an exported model's folder, which does not tell its pictures.

    Raises `FileNotFoundError` with one line that says why not, `rawfix.errors.ManifestError`.
    """
    found = _open_model(path) if path.is_dir() else open_weights(path)
    if found[1].task != task:
        raise FileNotFoundError(f"{path}: of a run of {found[1].task}, not {task}; evaluate {found[1].task}")
    return found


def _open_model(folder: Path) -> tuple[Network, TrainConfig, dict[str, Any]]:
    training = load_model(folder).manifest.training
    if (views := training.get("views", 1)) != 1:
        raise FileNotFoundError(
            f"{folder}: is a network asked {views} times; evaluate the model of the tier below, which is that network"
        )
    network = load_initial(folder).to_network().eval()
    return network, TrainConfig.from_dict(dict(training["config"])), {"held_back": [], "pictures": None}
