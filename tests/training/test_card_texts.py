"""What cards say of a network is what was built."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from rawfix.training.card_texts import TEXTS, fields
from rawfix.training.config import NETWORKS


@pytest.mark.parametrize(("key", "config"), NETWORKS.items(), ids=str)
def test_about_a_demosaicing_network(key: tuple[str, str], config: object) -> None:
    said = " ".join(TEXTS["demosaic"].about.format(**fields(asdict(config))).split())  # type: ignore[call-overload]
    assert ("sees the mosaic instead" in said) == (key[0] in ("bayer", "rgbir2"))
    assert ("one linear demosaicer runs" in said) == (key == ("xtrans", "fast"))
    assert ("to their mixture" in said) != (key == ("xtrans", "fast"))
