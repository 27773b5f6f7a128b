"""``train``: begin a run, or go on with one."""

from __future__ import annotations

from dataclasses import replace
from math import lcm
from pathlib import Path
from typing import Annotated

import typer

from rawfix.training.commands.shared import Data, Device, fail, read_sources, settle


def train(
    run: Annotated[Path, typer.Option("--run", help="Directory of the run; an existing one is resumed.")],
    data: Data,
    task: Annotated[str, typer.Option(help="demosaic, restore or upscale.")] = "demosaic",
    minutes: Annotated[float, typer.Option(help="Length of the run, in minutes of training.")] = 120.0,
    steps: Annotated[int, typer.Option(help="End by step count instead.")] = 0,
    cfa: Annotated[
        str, typer.Option(help="Filter array: bayer, quad, nona, xtrans, rgbir2, rgbir4.")
    ] = "bayer",
    tier: Annotated[str, typer.Option(help="Tier: fast, standard or best.")] = "standard",
    batch: Annotated[int, typer.Option(help="Patches a step.")] = 8,
    patch: Annotated[int, typer.Option(help="Side of a patch.")] = 96,
    learning_rate: Annotated[float, typer.Option(help="Peak of the cosine.")] = 1.2e-3,
    optimizer: Annotated[str, typer.Option(help="muon, or adam: for the convolutions within.")] = "muon",
    quiet: Annotated[float, typer.Option(help="Share of patches without noise.")] = 0.6,
    natural: Annotated[float, typer.Option(help="Share of patches in the pictures' own colors.")] = 0.5,
    hard: Annotated[
        float, typer.Option(help="demosaic: share of patches from where linear demosaicing errs most.")
    ] = 0.25,
    seed: Annotated[int, typer.Option(help="Of every draw.")] = 1,
    demosaic: Annotated[
        list[Path] | None,
        typer.Option(
            help="restore, upscale: a demosaicing model (or checkpoint) whose images it learns from; repeatable, drawn "
            "as often as named. Of a best tier, the network within."
        ),
    ] = None,
    scale: Annotated[int, typer.Option(help="upscale: 2 or 4.")] = 2,
    features: Annotated[
        Path | None,
        typer.Option(
            help="upscale: a classifier for natural detail: SqueezeNet's weights (.npz), torchvision's of VGG-19 "
            "(.pth), or vgg19 for those in torch's cache; without, least error only."
        ),
    ] = None,
    warm_steps: Annotated[
        int, typer.Option(help="upscale: steps before --features joins, and again before the discriminator.")
    ] = 4000,
    fidelity: Annotated[
        float, typer.Option(help="upscale: weight of the error, beside detail's of 0.1.")
    ] = 10.0,
    noise: Annotated[
        Path | None, typer.Option(help="Checkpoint of a camera's noise generator, made by noise.")
    ] = None,
    generated: Annotated[float, typer.Option(help="Share of noisy patches that --noise draws.")] = 0.5,
    init: Annotated[
        Path | None, typer.Option(help="Start from an exported model's folder or a checkpoint.")
    ] = None,
    data_card: Annotated[
        Path | None, typer.Option(help="JSON list of {name, license}: what the pictures are.")
    ] = None,
    device: Device = "cpu",
    threads: Annotated[int, typer.Option(help="CPU threads; 0: all this process may use.")] = 0,
) -> None:
    """Train, or resume, one run."""
    from rawfix.cfa import CANONICAL
    from rawfix.errors import RawfixError
    from rawfix.training.config import NETWORKS, RESTORERS, UPSCALERS, TrainConfig, UpscaleConfig
    from rawfix.training.loop import train as loop
    from rawfix.training.optimizer import KINDS
    from rawfix.training.progress import Reporter
    from rawfix.training.weights import load_initial

    choices = {"demosaic": list(NETWORKS)}
    choices |= {"restore": [("bayer", t) for t in RESTORERS], "upscale": [("bayer", t) for t in UPSCALERS]}
    if task not in choices:
        fail(f"--task {task}: there is {', '.join(choices)}")
    if (cfa, tier) not in choices[task]:
        fail(f"--cfa {cfa} --tier {tier}: there is {', '.join('/'.join(key) for key in choices[task])}")
    if (task == "restore" and not demosaic) or (task == "demosaic" and demosaic):
        fail("--task restore needs --demosaic MODEL, once or more; --task demosaic does not take it")
    if scale not in (2, 4) or (features is not None and task != "upscale"):
        fail(f"--scale {scale}: give 2 or 4; --features is for --task upscale")
    if fidelity <= 0:
        fail(f"--fidelity {fidelity}: a weight is above 0")
    if optimizer not in KINDS:
        fail(f"--optimizer {optimizer}: there is {', '.join(KINDS)}")
    if not 0 <= hard <= 1:
        fail(f"--hard {hard}: a share lies between 0 and 1")
    if not 0 <= generated <= 1 or (noise is not None and task == "upscale"):
        fail(f"--generated {generated}: a share lies between 0 and 1; --noise is not for --task upscale")
    step = lcm(8, CANONICAL[cfa].period[0])
    if patch % step or patch < 48:
        fail(f"--patch {patch}: give a multiple of {step}, 48 or more")
    networks = {"restore": RESTORERS.get(tier), "upscale": UPSCALERS.get(tier)}
    network = NETWORKS[cfa, tier] if task == "demosaic" else networks[task]
    assert network is not None
    settle(device, threads)
    config = TrainConfig(
        tier=tier,
        minutes=minutes,
        steps=steps,
        batch=batch,
        patch=patch,
        quiet=quiet,
        natural=natural,
        hard=hard,
        learning_rate=learning_rate,
        optimizer=optimizer,
        seed=seed,
        task=task,
        demosaic=tuple(str(model) for model in demosaic or ()),
        features="" if features is None else str(features),
        warm_steps=warm_steps,
        lambda_reconstruction=fidelity,
        noise_generator="" if noise is None else str(noise),
        generated=generated,
        network=replace(network, scale=scale) if isinstance(network, UpscaleConfig) else network,
    )
    try:
        initial = None if init is None else load_initial(init)
        with Reporter() as reporter:
            checkpoint = loop(
                run,
                data,
                config,
                device=device,
                init=initial,
                sources=read_sources(data_card),
                reporter=reporter,
            )
    except (FileNotFoundError, FileExistsError, ValueError, RawfixError) as error:
        fail(str(error))
    typer.echo(str(checkpoint))
