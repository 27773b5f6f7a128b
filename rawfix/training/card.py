"""The model card: what a network is, what it was trained on, how good it is and where it fails."""

from __future__ import annotations

import json
from pathlib import Path

from rawfix.nn.manifest import Manifest

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

A three-level U-Net on the packed, square-root encoded mosaic gives every pixel a first verdict (defective or not),
a repair value, and the trust in each of {demosaicers} linear demosaicers. Defective samples are replaced; the bank of
demosaicers runs on what is left as one 5×5 convolution, each kernel's weights summing to 1 on its own colour and to
0 on the others; the trust mixes its outputs. A linear predictor tells every sample from its neighbours without
itself; a refinement adds a correction and, from the difference to that prediction, gives the final verdict.

The scheme is that of US 2025/0265683 A1 with these changes: the sub-networks are fused into one convolution; the
U-Net has three levels instead of four and sees the mosaic instead of the reconstructions; defective samples are
replaced before they are demosaiced instead of being outvoted after; there are two verdicts instead of one. They
were made for cost on a CPU, and none has been measured against the original arrangement at equal cost.

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

```json
{metrics}
```

## Where it fails

Moiré finer than the mosaic's own grid stays moiré. A true point of light that covers a single pixel of one
colour cannot be told from a hot pixel. Weak defects in busy texture stay; how many is said by the recall above. A
dark line along the frame's very border is taken for a dead one.
"""


def write_card(folder: Path, manifest: Manifest, pictures: list[str], held_back: list[str]) -> None:
    """Write ``README.md`` and ``pictures.txt`` beside the model."""
    training = manifest.training
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
        demosaicers=training["config"]["network"]["demosaicers"],
        data="\n".join(f"* {entry['name']} ({entry['license']})" for entry in training["data"]),
        held_back=", ".join(f"`{name}`" for name in held_back),
        pictures=len(pictures),
        metrics=json.dumps(manifest.metrics, indent=1, sort_keys=True),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    (folder / "pictures.txt").write_text("\n".join(pictures) + "\n", encoding="utf-8")
