"""``burst``: truth from a burst."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from rawfix.training.commands.shared import fail


def burst(
    bundle: Annotated[Path, typer.Option("--bundle", help="A burst, .npz, by scripts/bundle_burst.py.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Truth to write, .npz.")],
    threshold: Annotated[
        float, typer.Option(help="Defects depart from the dark by more, counts; 0: twelve deviations.")
    ] = 0.0,
    confidence: Annotated[
        float, typer.Option(help="Frames whose brightness lies outside of this interval are dropped.")
    ] = 0.99,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing output.")] = False,
) -> None:
    """Make the truth of a burst; prints JSON.

    Dark frames are averaged and taken off, sites that depart from them interpolated, frames of another brightness
    dropped and the others aligned, clipped values replaced by the mode of their site, the rest averaged. The output
    holds signal (linear mosaic, black 0, white 1), bad, kept, scales, gains.
    """
    import numpy as np

    from rawfix.errors import RawfixError
    from rawfix.training.burst_bundle import open_bundle
    from rawfix.training.bursts import make_truth

    if output.suffix != ".npz":
        fail(f"--output {output}: truth is an .npz file")
    if output.exists() and not overwrite:
        fail(f"{output}: exists already; give another --output, or --overwrite")
    if not 0 < confidence < 1 or threshold < 0:
        fail("--confidence lies between 0 and 1, --threshold is not negative")
    temporary = output.with_name(f".{output.stem}.{os.getpid()}.npz")
    try:
        opened = open_bundle(bundle)
        truth = make_truth(opened, threshold=threshold or None, confidence=confidence)
        output.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            temporary,
            signal=truth.signal,
            bad=truth.bad,
            kept=truth.kept,
            scales=truth.scales,
            gains=opened.levels.gains,
        )
        temporary.replace(output)
    except (RawfixError, OSError) as error:
        fail(str(error))
    finally:
        temporary.unlink(missing_ok=True)
    dropped = [int(index) for index in np.flatnonzero(~truth.kept)]
    described = {
        "frames": opened.frames,
        "dark_frames": opened.dark_frames,
        "dropped": dropped,
        "bad": int(truth.bad.sum()),
        "mean": round(float(truth.signal.mean()), 5),
    }
    typer.echo(json.dumps(described))
