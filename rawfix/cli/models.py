"""``rawfix models``."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from rawfix.cli import exit_codes
from rawfix.cli.console import out, print_json, refuse
from rawfix.errors import ModelError
from rawfix.nn.manifest import Model, find_models


def _facts(model: Model, verify: bool) -> dict[str, Any]:
    manifest = model.manifest
    facts: dict[str, Any] = {
        "id": manifest.id,
        "contract": manifest.contract,
        "sha256": manifest.sha256,
        "parameters": manifest.parameters,
        "gflop_per_mp": manifest.gflop_per_mp,
        "metrics": dict(manifest.metrics),
    }
    if verify:
        from rawfix.nn.session import self_test

        facts["difference"] = self_test(model)
    return facts


def run(*, verify: bool, as_json: bool) -> int:
    """List the models, checked where asked; returns the exit code."""
    try:
        facts = [_facts(model, verify) for model in find_models()]
    except ModelError as error:
        refuse(error)
        return exit_codes.MODEL
    if not facts:
        refuse("no models are installed; install rawfix again")
        return exit_codes.MODEL
    if as_json:
        for line in facts:
            print_json(line)
        return exit_codes.DONE
    if out.is_terminal:
        table = Table()
        for title in (
            "model",
            "contract",
            "parameters",
            "GFLOP/MP",
            "sha256",
            *(("check",) if verify else ()),
        ):
            table.add_column(title, overflow="fold")
        for line in facts:
            table.add_row(*_cells(line, digits=12))
        out.print(table)
    else:  # whole values, a model a line, for whoever reads them
        for line in facts:
            out.print("  ".join(_cells(line)), soft_wrap=True)
    return exit_codes.DONE


def _cells(facts: dict[str, Any], digits: int | None = None) -> list[str]:
    """What is told of a model, with so many digits of its hash."""
    check = [f"passed, {facts['difference']:.1e}"] if "difference" in facts else []
    numbers = [f"{facts['parameters']:,}", f"{facts['gflop_per_mp']:.1f}"]
    return [facts["id"], facts["contract"], *numbers, facts["sha256"][:digits], *check]
