"""The house keeps its shape: who imports whom, what a light command loads, how long a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "rawfix"
FILES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("numpy", "rawpy", "onnxruntime", "torch")
DOORS = {
    "rawpy": ("io/raw*.py",),
    "onnxruntime": ("nn/session.py",),
    "OpenEXR": ("io/exr*.py",),
    "OpenImageIO": ("io/jxl.py",),
    "pyvips": ("io/avif.py",),
    "PyOpenColorIO": ("io/ocio.py",),
    "ascmhl": ("io/mhl.py",),
    "c2pa": ("io/c2pa.py",),
    "cryptography": ("io/c2pa.py",),
    "distributed": ("batch/cluster.py",),
    "fastapi": ("server/app.py",),
    "uvicorn": ("server/serve.py", "server/patience.py"),
    "python_multipart": ("server/upload.py",),
    "httpx": ("server/client.py",),
    "torch": ("training/*.py", "training/*/*.py"),
    "typer": ("cli/*.py", "training/__main__.py", "training/commands/*.py"),
    "rich": ("cli/*.py", "training/*.py"),
}
"""Outside dependency → the files that may import it."""


def imported(path: Path) -> set[str]:
    """Top-level names of every package a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)


def test_imports_run_one_way() -> None:
    pytest.importorskip("importlinter", reason="import-linter is not installed")
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("dependency", DOORS)
def test_each_outside_dependency_has_its_door(dependency: str) -> None:
    allowed = {path for pattern in DOORS[dependency] for path in PACKAGE.glob(pattern)}
    through = {path for path in FILES if dependency in imported(path)}
    assert through
    assert through <= allowed


def test_importing_the_package_loads_nothing_heavy() -> None:
    done = run(f"import sys, rawfix; print([m for m in {HEAVY} if m in sys.modules])")
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize("arguments", [["--help"], ["develop", "--help"], ["--version"]], ids=" ".join)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    done = run(
        "import sys\n"
        f"sys.argv = ['rawfix', *{arguments}]\n"
        "from rawfix.cli import main\n"
        "try:\n"
        "    code = main()\n"
        "except SystemExit as exit:\n"
        "    code = exit.code\n"
        f"loaded = [m for m in {HEAVY} if m in sys.modules]\n"
        "sys.exit(f'exit {code}, loaded {loaded}' if code or loaded else 0)\n"
    )
    assert done.returncode == 0, done.stderr
    assert "rawfix" in done.stdout


def test_nine_files_in_ten_are_short() -> None:
    long = {path: lines for path in FILES if (lines := len(path.read_text().splitlines())) >= 250}
    assert len(long) <= len(FILES) / 10, long


def test_every_file_says_what_it_is() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    assert not [path for path, tree in trees.items() if tree.body and not ast.get_docstring(tree)]
