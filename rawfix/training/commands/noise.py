"""``noise``: a generator that learns the noise of the camera behind bursts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rawfix.training.commands.shared import fail

Bundles = Annotated[
    list[Path],
    typer.Option("--bundle", help="A burst, .npz, by scripts/bundle_burst.py; several: give it again."),
]


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
