"""``python -m rawfix.training``: pack, train, evaluate, export, burst, noise."""

from __future__ import annotations

import json
from dataclasses import replace
from math import lcm
from pathlib import Path
from typing import Annotated

import typer

from rawfix.training import noise_commands

app = typer.Typer(
    name="python -m rawfix.training",
    help="Train the networks of rawfix on your own photographs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Data = Annotated[Path, typer.Option("--data", help="Folder of photographs, or a bundle made by pack.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]


def _fail(message: str) -> None:
    typer.echo(f"rawfix.training: {message}", err=True)
    raise typer.Exit(2)


def _sources(card: Path | None) -> list[dict[str, str]] | None:
    """The data sets a card names."""
    if card is None:
        return None
    try:
        found = json.loads(card.read_text(encoding="utf-8"))
        return [{"name": str(entry["name"]), "license": str(entry["license"])} for entry in found]
    except (OSError, ValueError, TypeError, KeyError) as error:
        _fail(f"--data-card {card}: not a JSON list of objects with name and license ({error})")
        return None


def _settle(device: str, threads: int) -> None:
    """Check the device and set torch's threads."""
    import torch

    from rawfix.nn.threads import available_threads

    if device not in ("cpu", "cuda"):
        _fail(f"--device {device}: give cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        _fail("--device cuda: this torch sees no CUDA device; use --device cpu")
    torch.set_num_threads(threads or available_threads())


@app.command()
def pack(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="The bundle to write, .npz.")],
    megabytes: Annotated[float, typer.Option(help="Size of the bundle, about.")] = 50.0,
    seed: Annotated[int, typer.Option(help="Where crops are taken.")] = 1,
) -> None:
    """Bundle crops of training pictures, to train elsewhere."""
    from rawfix.training.data import pack as write

    try:
        count = write(data, output, megabytes, seed)
    except FileNotFoundError as error:
        _fail(str(error))
    typer.echo(f"{output}: {count} pictures, {output.stat().st_size / 1e6:.1f} MB")


@app.command()
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
            help="upscale: a classifier's weights (.npz) for natural detail; without, least error only."
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
    from rawfix.training.config import NETWORKS, RESTORERS, UPSCALERS, TrainConfig, UpscaleConfig
    from rawfix.training.loop import train as loop
    from rawfix.training.progress import Reporter
    from rawfix.training.weights import load_initial

    choices = {"demosaic": list(NETWORKS)}
    choices |= {"restore": [("bayer", t) for t in RESTORERS], "upscale": [("bayer", t) for t in UPSCALERS]}
    if task not in choices:
        _fail(f"--task {task}: there is {', '.join(choices)}")
    if (cfa, tier) not in choices[task]:
        _fail(f"--cfa {cfa} --tier {tier}: there is {', '.join('/'.join(key) for key in choices[task])}")
    if (task == "restore" and not demosaic) or (task == "demosaic" and demosaic):
        _fail("--task restore needs --demosaic MODEL, once or more; --task demosaic does not take it")
    if scale not in (2, 4) or (features is not None and task != "upscale"):
        _fail(f"--scale {scale}: give 2 or 4; --features is for --task upscale")
    if fidelity <= 0:
        _fail(f"--fidelity {fidelity}: a weight is above 0")
    if not 0 <= hard <= 1:
        _fail(f"--hard {hard}: a share lies between 0 and 1")
    if not 0 <= generated <= 1 or (noise is not None and task == "upscale"):
        _fail(f"--generated {generated}: a share lies between 0 and 1; --noise is not for --task upscale")
    step = lcm(8, CANONICAL[cfa].period[0])
    if patch % step or patch < 48:
        _fail(f"--patch {patch}: give a multiple of {step}, 48 or more")
    networks = {"restore": RESTORERS.get(tier), "upscale": UPSCALERS.get(tier)}
    network = NETWORKS[cfa, tier] if task == "demosaic" else networks[task]
    assert network is not None
    _settle(device, threads)
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
                run, data, config, device=device, init=initial, sources=_sources(data_card), reporter=reporter
            )
    except (FileNotFoundError, FileExistsError, ValueError) as error:
        _fail(str(error))
    typer.echo(str(checkpoint))


@app.command()
def evaluate(
    task: Annotated[str, typer.Argument(help="demosaic, restore or upscale")],
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="Of a run.")],
    data: Annotated[Path, typer.Option("--data", help="Folder of pictures, or a bundle made by pack.")],
    which: Annotated[
        str,
        typer.Option("--set", help="validation: the pictures that the run held back; all: every picture."),
    ] = "validation",
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder for PNG strips: the hardest crops beside the truth, the charts."),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            "--json", help="File of figures, for export --metrics; gains this set, or has it replaced."
        ),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="Measure LibRaw and RawTherapee beside it, where installed.")
    ] = False,
    features: Annotated[
        Path | None,
        typer.Option(help="upscale: a classifier's weights (.npz), for the perceptual distance."),
    ] = None,
    natural: Annotated[
        Path | None,
        typer.Option(help="upscale: folder or bundle of good photographs, for NIQE to compare with."),
    ] = None,
    device: Device = "cpu",
    threads: Annotated[int, typer.Option(help="CPU threads; 0: all this process may use.")] = 0,
) -> None:
    """Measure a checkpoint; prints JSON.

    demosaic: pictures, defects by kind, noise, charts. sRGB pictures are decoded to linear light, exposed to 0.9 of
    white on a sensor of neutral 0.5/1/0.65, and results compared as 8-bit sRGB, 10 pixels of border cut.

    upscale: pictures made small by the bicubic protocol and as by a camera, enlarged with five amounts of detail.

    restore: the validation of its run.
    """
    from rawfix.training.tasks import TASKS

    if task not in TASKS:
        _fail(f"{task}: unknown task; there is {', '.join(TASKS)}")
    if which not in ("validation", "all"):
        _fail(f"--set {which}: give validation or all")
    if (task == "restore" and which == "all") or (task != "demosaic" and peers):
        _fail(f"{task}: --peers is for demosaic alone, --set all for demosaic and upscale")
    for option, given in (("--features", features), ("--natural", natural)):
        if given is not None and task != "upscale":
            _fail(f"{option} {given}: is for upscale")
    _settle(device, threads)
    from rawfix.errors import RawfixError
    from rawfix.training.evaluation import enlarging, files, report

    try:
        earlier = files.prepare(figures, pictures)
        opened = files.open_checkpoint(checkpoint, task)
        if task == "demosaic":
            measured = report.evaluate(
                *opened,
                data,
                "all" if which == "all" else "validation",
                device=device,
                strips_in=pictures,
                with_peers=peers,
                say=lambda line: typer.echo(line, err=True),
            )
        elif task == "upscale":
            measured = enlarging.evaluate(
                *opened, data, "all" if which == "all" else "validation", features=features,
                photographs=natural, device=device, strips_in=pictures, say=lambda line: typer.echo(line, err=True),
            )  # fmt: skip
        else:
            measured = report.validate(*opened, data, device=device, strips_in=pictures)
        typer.echo(json.dumps(measured, indent=1, ensure_ascii=False))
        if figures is not None:
            files.write_figures(figures, earlier | measured)
    except (FileNotFoundError, RawfixError) as error:
        _fail(str(error))


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="Of a run.")],
    models: Annotated[Path, typer.Option("--models", help="Folder of models to write into.")] = Path(
        "models"
    ),
    metrics: Annotated[
        Path | None, typer.Option(help="JSON with measured figures for manifest and card.")
    ] = None,
    data_card: Annotated[
        Path | None, typer.Option(help="JSON list of {name, license}: what the pictures were.")
    ] = None,
    views: Annotated[
        int,
        typer.Option(
            help="demosaic: ask the network so often, turned and mirrored, and average; is tier best.",
            min=1,
            max=8,
        ),
    ] = 1,
) -> None:
    """Write a checkpoint's network as a model folder: graph, manifest, test patch, card."""
    from rawfix.training.export import export as write

    figures = None if metrics is None else json.loads(metrics.read_text())
    try:
        folder = write(checkpoint, models, figures, _sources(data_card), views)
    except (FileNotFoundError, ValueError) as error:
        _fail(str(error))
    typer.echo(str(folder))


noise_commands.register(app)

if __name__ == "__main__":
    app()
