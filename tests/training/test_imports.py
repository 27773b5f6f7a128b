"""Training runs where no RAW file can be opened and no model can be run."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

pytest.importorskip("torch")

import rawfix.training

pytestmark = pytest.mark.torch


def test_training_loads_neither_rawpy_nor_onnxruntime() -> None:
    found = pkgutil.walk_packages(rawfix.training.__path__, "rawfix.training.")
    names = sorted(module.name for module in found if not module.name.endswith(("export", "__main__")))
    assert "rawfix.training.loop" in names
    code = (
        "import importlib, sys\n"
        "sys.modules['rawpy'] = sys.modules['onnxruntime'] = None\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        "assert 'onnx' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
