"""The model card: what a network is, what it was trained on, how good it is and where it fails."""

from __future__ import annotations

from pathlib import Path

from rawfix.nn.manifest import Manifest
from rawfix.training.evaluation.detection import PLANTED
from rawfix.training.evaluation.tables import to_markdown

_TEXT = """# {id}

Demosaicing of {cfa} mosaics with defective pixels, contract `{contract}`. Licence: Apache-2.0.

| | |
|---|---|
| parameters | {parameters:,} |
| cost | {gflop_per_mp} GFLOP per megapixel |
| tile · halo · multiple | {tile} · {halo} · {multiple} pixels |
| trained | {steps:,} steps, {hours} h, {hardware}, seed {seed} |
| parity | graph to torch {graph:.1e}, fused to trained form {fused:.1e} |

## What it is

Inputs: the mosaic in linear, white-balanced light, canonical filter phase; sigma, the noise model's deviation at each
sample; samples known to be bad. Outputs: camera light in full colour, noise kept; the probability that a sample is
defective.

1. A **first verdict** holds every sample against what its neighbours of all colours predict, and takes out what is
   plainly bad, so that no demosaicer smears it. Samples known to be bad, and what lies beyond the frame, are never
   looked at.
2. The **bank** of {demosaicers} linear demosaicers runs on the repaired mosaic in a square-root encoding, as one
   {kernel}×{kernel} convolution. Each kernel's weights sum to 1 on its own colour and to 0 on the others, so that
   grey stays grey.
3. A three-level **U-Net** on the mosaic packed 2×2 gives for every pixel the trust in each demosaicer, a correction
   to their mixture, the final verdict on the sample, and the value that replaces it if it is bad.

It is after the scheme of US 2025/0265683 A1 (mixture of demosaicing sub-networks, attention U-Net, refinement),
arranged for cost on a CPU: the sub-networks are fused into one convolution; the U-Net has three levels instead of
four, sees the mosaic instead of the reconstructions, and gives the refinement itself; defective samples are replaced
before they are demosaiced instead of being outvoted after. None of this has been measured against the original
arrangement at equal cost.

Measured samples that are not defective pass through unchanged. The network was trained against clean light plus
the *linearly demosaiced* noise, so it keeps the sensor's grain.

## What it was trained on

{data}

Exposed by the package's own forward model: drawn exposure, white balance and colour matrix, Poisson–Gaussian and
row/column noise, planted defects (points, clusters, lines). Pictures held back for validation, by name:

{held_back}

Trained on {pictures} pictures; their names are in `pictures.txt`.
Where a run started from earlier weights, steps and hours are summed; the config in the manifest is the last run's.

## How good it is

Measured by `python -m rawfix.training evaluate demosaic`: sRGB pictures decoded to linear light, exposed to 0.9 of
white on a sensor of neutral 0.5/1/0.65, results compared as 8-bit sRGB, 10 pixels of border cut; noise of a sensor
with 90,000 e⁻ full well and 2.5 e⁻ read noise at ISO 100. Linear light is harder than the literature's gamma-encoded
mosaics. Zipper: Lu and Tan 2003. False colour: (a\\*, b\\*) off by more than 10. Texture kept: slope of fine, quiet
detail on the truth's; 1 is all. {detection}

{metrics}

## Where it fails

Moiré finer than the mosaic's own grid stays moiré. A true point of light that covers a single pixel of one
colour cannot be told from a hot pixel. Weak defects in busy texture stay; how many is said by the recall above. A
dark line along the frame's very border is taken for a dead one.
"""


def write_card(folder: Path, manifest: Manifest, pictures: list[str], held_back: list[str]) -> None:
    """Write ``README.md`` and ``pictures.txt`` beside the model."""
    training, network = manifest.training, manifest.training["config"]["network"]
    detected = any(isinstance(each, dict) and "detection" in each for each in manifest.metrics.values())
    text = _TEXT.format(
        id=manifest.id,
        cfa=manifest.cfa,
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
        graph=manifest.parity["graph_to_torch"],
        fused=manifest.parity["fused_to_trained"],
        demosaicers=network["demosaicers"],
        kernel=network["bank_kernel"],
        data="\n".join(f"* {entry['name']} ({entry['license']})" for entry in training["data"]),
        held_back=", ".join(f"`{name}`" for name in held_back),
        pictures=len(pictures),
        detection=f"Detection: {PLANTED}." if detected else "",
        metrics=to_markdown(manifest.metrics),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    (folder / "pictures.txt").write_text("\n".join(pictures) + "\n", encoding="utf-8")
