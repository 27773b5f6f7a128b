"""``evaluate``: figures and picture strips of a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rawfix.training.commands.shared import Device, fail, settle


def evaluate(
    task: Annotated[str, typer.Argument(help="demosaic, restore or upscale")],
    checkpoint: Annotated[
        Path, typer.Option("--checkpoint", help="Of a run; or a model's folder, with --set all.")
    ],
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
        typer.Option(help="upscale: a classifier for the perceptual distance, as train takes it."),
    ] = None,
    natural: Annotated[
        Path | None,
        typer.Option(help="upscale: folder or bundle of good photographs, for NIQE to compare with."),
    ] = None,
    demosaic: Annotated[
        Path | None,
        typer.Option(help="upscale: a demosaicing model (or checkpoint) whose images are enlarged, too."),
    ] = None,
    device: Device = "cpu",
    threads: Annotated[int, typer.Option(help="CPU threads; 0: all this process may use.")] = 0,
) -> None:
    """Measure a checkpoint; prints JSON.

    demosaic: pictures, defects by kind, noise, charts. sRGB pictures are decoded to linear light, exposed to 0.9 of
    white on a sensor of neutral 0.5/1/0.65, and results compared as 8-bit sRGB, 10 pixels of border cut.

    upscale: pictures made small by the bicubic protocol and as by a camera, with --demosaic also through its mosaic,
    enlarged with five amounts of detail.

    restore: the validation of its run.
    """
    from rawfix.training.tasks import TASKS

    if task not in TASKS:
        fail(f"{task}: unknown task; there is {', '.join(TASKS)}")
    if which not in ("validation", "all"):
        fail(f"--set {which}: give validation or all")
    if (task == "restore" and which == "all") or (task != "demosaic" and peers):
        fail(f"{task}: --peers is for demosaic alone, --set all for demosaic and upscale")
    for option, given in (
        ("--features", features),
        ("--natural", natural),
        ("--demosaic", demosaic),
    ):
        if given is not None and task != "upscale":
            fail(f"{option} {given}: is for upscale")
    settle(device, threads)
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
                photographs=natural, demosaic=demosaic, device=device, strips_in=pictures,
                say=lambda line: typer.echo(line, err=True),
            )  # fmt: skip
        else:
            measured = report.validate(*opened, data, device=device, strips_in=pictures)
        typer.echo(json.dumps(measured, indent=1, ensure_ascii=False))
        if figures is not None:
            files.write_figures(figures, earlier | measured)
    except (FileNotFoundError, ValueError, RawfixError) as error:
        fail(str(error))
