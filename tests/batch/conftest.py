"""Model folders for what chooses and measures them; no test knows what this machine remembers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rawfix.nn.manifest import Model
from tests.nn.conftest import golden_planes, make_model, manifest_of

__all__ = ["golden_planes", "make_model", "manifest_of"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("RAWFIX_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiers(
    make_model: Callable[..., Model], tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Model]]:
    """``tiers("fast", "best", cfa="bayer")`` installs small models of these tiers, and no others."""
    monkeypatch.setenv("RAWFIX_MODELS", str(tmp_path))

    def make(*names: str, cfa: str = "bayer", **facts: object) -> dict[str, Model]:
        return {name: make_model(cfa=cfa, tier=name, **facts) for name in names}

    return make
