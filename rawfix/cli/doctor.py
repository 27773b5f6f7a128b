"""``rawfix doctor``."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

from rich.table import Table
from rich.text import Text

from rawfix import __version__
from rawfix.cli import exit_codes
from rawfix.cli.console import out, print_json, refuse
from rawfix.errors import ModelError
from rawfix.io.raw import libraw_version
from rawfix.nn.manifest import find_models, models_root
from rawfix.nn.session import available_providers, self_test
from rawfix.nn.threads import available_threads

_LIBRARIES = ("numpy", "rawpy", "onnxruntime", "tifffile", "imagecodecs", "pillow", "exiv2")


def run(*, as_json: bool) -> int:
    """Check the installation; returns the exit code."""
    facts: dict[str, Any] = {
        "rawfix": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "libraw": libraw_version(),
        **{name: metadata.version(name) for name in _LIBRARIES},
        "threads": available_threads(),
        "providers": available_providers(),
    }
    code = exit_codes.DONE
    try:
        facts["models"] = str(models_root())
        for model in find_models():
            facts[model.manifest.id] = f"works, test patch within {self_test(model):.1e}"
    except ModelError as error:
        refuse(error)
        code = exit_codes.MODEL
    if as_json:
        print_json({**facts, "ok": code == exit_codes.DONE})
        return code
    table = Table(show_header=False)
    for name, value in facts.items():
        table.add_row(name, Text(", ".join(value) if isinstance(value, list) else str(value)))
    out.print(table)
    out.print("Everything works." if code == exit_codes.DONE else "Something is wrong; see above.")
    return code
