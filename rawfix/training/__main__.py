"""``python -m rawfix.training``: pack, train, evaluate, export, burst, noise."""

from __future__ import annotations

import typer

from rawfix.training.commands.burst import burst
from rawfix.training.commands.evaluate import evaluate
from rawfix.training.commands.export import export
from rawfix.training.commands.noise import noise
from rawfix.training.commands.pack import pack
from rawfix.training.commands.train import train

app = typer.Typer(
    name="python -m rawfix.training",
    help="Train the networks of rawfix on your own photographs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (pack, train, evaluate, export, burst, noise):
    app.command()(command)

if __name__ == "__main__":
    app()
