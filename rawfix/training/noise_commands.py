"""``burst`` and ``noise``: truth from a burst, and a generator that learns the noise of the camera behind it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

Bundles = Annotated[
    list[Path],
    typer.Option("--bundle", help="A burst, .npz, by scripts/bundle_burst.py; several: give it again."),
]


def fail(message: str) -> None:
    """Refuse, with one line."""
    typer.echo(f"rawfix.training: {message}", err=True)
    raise typer.Exit(2)


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


def noise(
    run: Annotated[Path, typer.Option("--run", help="Directory of the run; an existing one is resumed.")],
    bundle: Bundles,
    minutes: Annotated[float, typer.Option(help="Length of the run, in minutes of training.")] = 30.0,
    steps: Annotated[int, typer.Option(help="End by step count instead.")] = 0,
    batch: Annotated[int, typer.Option(help="Patches a step.")] = 8,
    patch: Annotated[int, typer.Option(help="Side of a patch.")] = 64,
    seed: Annotated[int, typer.Option(help="Of every draw.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads; 0: all this process may use.")] = 0,
) -> None:
    """Train a generator of a camera's noise on bursts; prints JSON.

    Give bursts of several scenes, at each of the gains that matter, all from one camera, in one phase of the filter
    array. What is printed compares the moments of real, generated and Gaussian noise, in deviations of the variance
    measured on the bursts. train --noise uses the checkpoint, noise.pt.
    """
    import numpy as np
    import torch

    from rawfix.errors import RawfixError
    from rawfix.nn.threads import available_threads
    from rawfix.training.noise_generator import compare
    from rawfix.training.noise_samples import read_samples
    from rawfix.training.noise_training import CHECKPOINT, NoiseConfig, train_noise
    from rawfix.training.progress import Reporter

    if patch % 8 or patch < 32:
        fail(f"--patch {patch}: give a multiple of 8, 32 or more")
    if batch < 1 or steps < 0 or minutes <= 0:
        fail("--batch and --minutes are positive, --steps is not negative")
    torch.set_num_threads(threads or available_threads())
    rng = np.random.default_rng(seed)
    try:
        samples = [read_samples(path, rng) for path in bundle]
        with Reporter() as reporter:
            learned = train_noise(
                run,
                samples,
                NoiseConfig(seed=seed, minutes=minutes, steps=steps, batch=batch, patch=patch),
                reporter,
            )
    except (RawfixError, ValueError, OSError) as error:
        fail(str(error))
    compared = [
        {"bundle": str(path), **found}
        for path, found in zip(bundle, compare(learned, samples, rng), strict=True)
    ]
    typer.echo(json.dumps({"checkpoint": str(run / CHECKPOINT), "moments": compared}, indent=1))


def register(app: typer.Typer) -> None:
    """Add both commands to ``python -m rawfix.training``."""
    app.command()(burst)
    app.command()(noise)
