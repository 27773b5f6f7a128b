"""Other developers get the same mosaic, and their picture comes back in the same place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from rawfix.cfa import CANONICAL
from rawfix.frame import Image
from rawfix.training.config import NetworkConfig
from rawfix.training.evaluation import peers, report
from rawfix.training.evaluation.protocol import expose
from rawfix.training.evaluation.whole import Demosaicer
from rawfix.training.networks.demosaic import DemosaicNetwork
from tests.training.conftest import smooth_photo

pytestmark = pytest.mark.torch

PEERS = {cfa: peers.find(CANONICAL[cfa])[0] for cfa in ("bayer", "xtrans")}


def field(height: int, width: int) -> Image:
    """Two flat colors side by side."""
    light = np.empty((height, width, 3), np.float32)
    light[:, : width // 2], light[:, width // 2 :] = (0.7, 0.3, 0.1), (0.06, 0.4, 0.8)
    return light


def counts_as_light(cut: int) -> peers.Peer:
    """A developer that gives the raw counts as gray, less so many pixels of border."""

    def run(path: Path, folder: Path) -> Image:
        import tifffile

        counts = tifffile.imread(path).astype(np.float32)
        light = (counts - peers.BLACK) / (peers.WHITE - peers.BLACK)
        height, width = counts.shape
        return np.repeat(light[cut : height - cut, cut : width - cut, None], 3, axis=2)

    return peers.Peer("gray", run)


@pytest.mark.parametrize("cut", [0, 4, 7])
def test_a_border_that_a_developer_cuts_is_made_up_for(cut: int) -> None:
    plane = np.random.default_rng(0).random((61, 83), np.float32)
    found = counts_as_light(cut).develop(plane, CANONICAL["bayer"])
    np.testing.assert_allclose(found[..., 1], plane, atol=1e-5)


def test_a_picture_of_another_shape_is_refused() -> None:
    odd = peers.Peer("odd", lambda path, folder: np.zeros((10, 10, 3), np.float32))
    with pytest.raises(peers.PeerFailed, match="odd"):
        odd.develop(np.zeros((40, 40), np.float32), CANONICAL["bayer"])


def test_a_program_that_fails_is_named_with_its_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken.dng"
    broken.write_bytes(b"no picture")
    installed = [peer for each in PEERS.values() for peer in each if "LibRaw" in peer.name]
    if not installed:
        pytest.skip("rawpy cannot be imported")
    with pytest.raises(peers.PeerFailed, match="LibRaw"):
        installed[0].run(broken, tmp_path)


def test_filter_arrays_that_nobody_else_reads_are_named() -> None:
    present, absent = peers.find(CANONICAL["quad"])
    assert present == []
    assert "quad" in absent[0]


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers.shutil, "which", lambda name: None)
    present, absent = peers.find(CANONICAL["bayer"])
    assert not any("RawTherapee" in peer.name for peer in present)
    assert any("rawtherapee-cli is not installed" in reason for reason in absent)


@pytest.mark.peers
@pytest.mark.parametrize("cfa", ["bayer", "xtrans"])
@pytest.mark.parametrize("which", ["LibRaw", "RawTherapee"])
def test_flat_colors_come_back_through_every_peer(which: str, cfa: str) -> None:
    found = [peer for peer in PEERS[cfa] if which in peer.name]
    if not found:
        pytest.skip(f"{which} is not installed")
    light = field(150, 190)
    camera = found[0].develop(expose(light, CANONICAL[cfa]), CANONICAL[cfa])
    assert camera.shape == light.shape
    flat = np.abs(np.arange(190) - 95) > 12
    # 16-bit sRGB code values, and what each program does to the sum of its multipliers.
    np.testing.assert_allclose(camera[:, flat], light[:, flat], atol=1.5e-3)


def test_a_peer_that_fails_is_left_out_from_there_on_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fail(path: Path, folder: Path) -> Image:
        calls.append(path)
        raise peers.PeerFailed("broken: no picture today")

    installed = [counts_as_light(4), peers.Peer("broken", fail)]
    monkeypatch.setattr(report.peers, "find", lambda cfa: (list(installed), ["other: not installed"]))
    said: list[str] = []
    rivals = report.Rivals(Demosaicer(DemosaicNetwork(NetworkConfig()), "bayer"), True, said.append)
    truth = smooth_photo(0, 64, 64)
    for name in ("first", "second"):
        assert list(rivals.add(name, truth)) == ["gray"]
    assert len(calls) == 1
    assert rivals.absent == ["other: not installed", "broken: no picture today"]
    assert said == ["left out: broken: no picture today"]
    assert len(rivals.figures["gray"]) == 2
    assert rivals.figures["gray"][0]["cpsnr"] < 40
    assert "broken" not in rivals.figures
