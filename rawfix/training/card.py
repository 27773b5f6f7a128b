"""The model card: what a network is, what it was trained on, how good it is and where it fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rawfix.nn.contract import find_contract
from rawfix.nn.manifest import Manifest
from rawfix.training import card_pictures
from rawfix.training.card_pictures import Shown
from rawfix.training.card_texts import TEXTS, fields
from rawfix.training.evaluation.detection import PLANTED
from rawfix.training.evaluation.knob_plot import draw_knob
from rawfix.training.evaluation.tables import to_markdown

_TEXT = """# {id}

{title}, contract `{contract}`. Licence: Apache-2.0.

| | |
|---|---|
| parameters | {parameters:,} |
| cost | {gflop_per_mp} GFLOP per megapixel |
| tile · halo · multiple | {tile} · {halo} · {multiple} pixels |
| trained | {steps:,} steps, {hours} h, {hardware}, seed {seed} |
| by the code of | {code} |
| parity | graph to torch {graph:.1e}, fused to trained form {fused:.1e} |

## What it is

{about}

## What it was trained on

{data}

{exposed} Pictures held back for validation, by name:

{held_back}

Trained on {pictures} pictures; their names are in `pictures.txt`.
Where a run started from earlier weights, steps and hours are summed; the config in the manifest is the last
run's.{mean}

## How good it is

{measured}{shown}

## Where it fails

{limits}
"""

_PROTOCOL = """Measured by `python -m rawfix.training evaluate`: sRGB pictures decoded to linear light, exposed to 0.9
of white on a sensor of neutral 0.5/1/0.65, results compared as 8-bit sRGB, 10 pixels of border cut; noise of a
sensor with 90,000 e⁻ full well and 2.5 e⁻ read noise at ISO 100. Linear light is harder than the literature's
gamma-encoded mosaics."""

_ENLARGING = """Measured by `python -m rawfix.training evaluate upscale`, guard on, noise of seed 0. Bicubic protocol:
8-bit pictures made small by MATLAB's bicubic, Y of BT.601, a border of as many pixels as the scale cut. Camera: light
softened by a Gaussian of 0.3 small pixels, averaged over photosites, a little noise; 8-bit sRGB. SqueezeNet distance:
channel-normalised squared difference of features, mean over fire3, 5, 7, 9; VGG-19 distance: the same over conv2_2,
conv3_2, conv4_2, conv5_2; less is more natural. Consistency: PSNR of the result, made small again, to the input."""

_DEFINITIONS = f"""Zipper: Lu and Tan 2003. False color: (a\\*, b\\*) off by more than 10. Texture kept: slope of
fine, quiet detail on the truth's; 1 is all. Detection: {PLANTED}."""


def _measured(manifest: Manifest) -> str:
    """The figures, and what they mean where they are those of `rawfix.training.evaluation`."""
    tables = to_markdown(manifest.metrics)
    if not manifest.metrics or manifest.views > 1:  # of an ensemble there is no checkpoint to evaluate
        return tables
    if manifest.contract.startswith("upscale"):
        return f"{_ENLARGING}\n\n{tables}"
    full = any(isinstance(each, dict) and "quality" in each for each in manifest.metrics.values())
    return "\n\n".join([_PROTOCOL, *([_DEFINITIONS] if full else []), tables])


def _code(training: Mapping[str, Any]) -> str:
    """The commits that trained, oldest first; or the last, where that is all that is known."""
    listed = training.get("commits") or [training["commit"]]
    return f"commit{'s' * (len(listed) > 1)} " + ", ".join(f"`{commit[:12]}`" for commit in listed)


def _mean(training: Mapping[str, Any]) -> str:
    """What else went into the weights."""
    others = [f"{other['steps']:,} steps ({other['hours']} h)" for other in training.get("averaged", ())]
    return (
        f" The weights are the mean of the last ones and those after {', '.join(others)}." if others else ""
    )


def _knob(folder: Path, manifest: Manifest) -> str:
    """Draw what the noise's amplitude does, where it was measured, for the largest set; the card's words for it."""
    measured = [each for each in manifest.metrics.values() if isinstance(each, dict)]
    sets = [each for each in measured if "distance" in each.get("bicubic", {}).get("detail 1", {})]
    if not sets:
        return ""
    draw_knob(max(sets, key=lambda each: each["pictures"])["bicubic"]).save(
        folder / "knob.png", optimize=True
    )
    return "\n\n![Error and naturalness by amount of detail](knob.png)"


def _ensemble(views: int, task: str) -> str:
    """What the card says of a network that is asked several times."""
    if views == 1:
        return ""
    once_more = "" if not task.startswith("upscale") else " without noise; what noise adds is asked once more"
    return f"""

This graph asks the network **{views} times**, of its input turned and mirrored, each time in the phase it knows, and
averages what it answers{once_more} (after the geometric self-ensemble of Lim et al., 2017). Its weights are those of
one network."""


def write_card(
    folder: Path,
    manifest: Manifest,
    pictures: list[str],
    held_back: list[str],
    shown: list[Shown] | None = None,
) -> None:
    """Write ``README.md``, the pictures that it shows, and ``pictures.txt`` beside the model."""
    training, task = manifest.training, find_contract(manifest.contract).task
    text = TEXTS[task]
    card = _TEXT.format(
        id=manifest.id,
        title=text.title.format(kind=manifest.kind),
        contract=manifest.contract,
        parameters=manifest.parameters,
        gflop_per_mp=manifest.gflop_per_mp,
        tile=manifest.tile,
        halo=manifest.halo,
        multiple=manifest.multiple,
        steps=training["steps"],
        hours=training["hours"],
        hardware=training["hardware"],
        seed=training["seed"],
        code=_code(training),
        graph=manifest.parity["graph_to_torch"],
        fused=manifest.parity["fused_to_trained"],
        about=text.about.format(**fields(training["config"]["network"]))
        + _ensemble(training.get("views", 1), task),
        data="\n".join(f"* {entry['name']} ({entry['license']})" for entry in training["data"]),
        exposed=text.exposed,
        held_back=", ".join(f"`{name}`" for name in held_back),
        pictures=len(pictures),
        measured=_measured(manifest) + _knob(folder, manifest),
        mean=_mean(training),
        shown=card_pictures.to_markdown(shown or []),
        limits=text.limits,
    )
    for picture in shown or ():
        (folder / picture.name).write_bytes(picture.content)
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "pictures.txt").write_text("\n".join(pictures) + "\n", encoding="utf-8")
