"""A network asked several times: of the same samples, in the phase it knows, and the mean is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rawfix.cfa import CANONICAL, Cfa  # noqa: E402
from rawfix.nn.manifest import load_model  # noqa: E402
from rawfix.nn.session import self_test  # noqa: E402
from rawfix.symmetry import Symmetry  # noqa: E402
from rawfix.training.config import NetworkConfig, RestoreConfig, TrainConfig, UpscaleConfig  # noqa: E402
from rawfix.training.export import export, reach  # noqa: E402
from rawfix.training.networks import Network, build  # noqa: E402
from rawfix.training.networks.demosaic import DemosaicNetwork  # noqa: E402
from rawfix.training.networks.ensemble import SelfEnsemble, _turn, _turn_back, views, views_of  # noqa: E402
from rawfix.training.weights import load_initial  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")]


def tiny(cfa: str = "bayer") -> DemosaicNetwork:
    torch.manual_seed(0)
    model = build(NetworkConfig(cfa, widths=(8, 8, 8), demosaicers=1, verdict_width=8, bank_kernel=3)).eval()
    assert isinstance(model, DemosaicNetwork)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.03 * torch.randn_like(parameter))
    return model


def assert_in_phase(cfa: Cfa, symmetry: Symmetry, offset: tuple[int, int]) -> None:
    side = 8 * cfa.period[0]
    colors = torch.from_numpy(cfa.channels((side, side)).astype(np.float32))[None, None]
    seen = _turn(colors, symmetry, offset)
    inner = np.s_[..., : side - max(offset), : side - max(offset)]
    torch.testing.assert_close(seen[inner], colors[inner])
    torch.testing.assert_close(_turn_back(seen, symmetry, offset), colors)


@pytest.mark.parametrize("family", ["bayer", "quad", "nona", "xtrans", "rgbir2", "rgbir4"])
def test_every_view_is_in_canonical_phase_and_comes_back(family: str) -> None:
    for symmetry, offset in views(CANONICAL[family]):
        assert_in_phase(CANONICAL[family], symmetry, offset)


def test_views_of_images_are_in_phase_for_bayer_and_xtrans() -> None:
    found = views_of(build(RestoreConfig((8, 8, 8))))
    assert len(found) == 4
    for symmetry, offset in found:
        assert_in_phase(CANONICAL["bayer"], symmetry, offset)
        assert_in_phase(CANONICAL["xtrans"], symmetry, offset)


def test_the_answer_is_the_mean_of_the_views() -> None:
    core = tiny()
    planes = [torch.rand(1, 1, 64, 64) for _ in range(2)] + [torch.zeros(1, 1, 64, 64)]
    with torch.no_grad():
        whole = SelfEnsemble(core, 2)(*planes)
        other = [
            _turn_back(p, *views(core.cfa)[1]) for p in core(*(_turn(p, *views(core.cfa)[1]) for p in planes))
        ]
        for found, one, two in zip(whole, core(*planes), other, strict=True):
            torch.testing.assert_close(found, (one + two) / 2)


@pytest.mark.parametrize(("family", "count"), [("bayer", 3), ("bayer", 6), ("xtrans", 6)])
def test_nothing_beyond_its_reach_counts(family: str, count: int) -> None:
    """Also along the other axis, and also what leaves a view on one side and enters on the other."""
    model = SelfEnsemble(tiny(family), count)
    step = model.multiple
    halo = -(-reach(model) // step) * step
    side = step * -(-96 // step)
    wide = torch.rand(1, 1, side + 4 * step + 2 * halo, side + 4 * step + 2 * halo)
    sigma, known = torch.full_like(wide, 0.01), torch.zeros_like(wide)
    cut = np.s_[..., 2 * step : -2 * step, 2 * step : -2 * step]
    inner = np.s_[..., halo:-halo, halo:-halo]
    with torch.no_grad():
        whole = model(wide, sigma, known)[0][cut][inner]
        tile = model(wide[cut], sigma[cut], known[cut])[0][inner]
    torch.testing.assert_close(tile, whole)


@pytest.mark.parametrize(("family", "count"), [("rgbir4", 6), ("bayer", 9), ("bayer", 1)])
def test_more_views_than_there_are_are_refused(family: str, count: int) -> None:
    with pytest.raises(ValueError, match="views"):
        SelfEnsemble(tiny(family), count)


def test_it_is_exported_as_the_best_tier_and_says_so(tmp_path: Path) -> None:
    core = tiny()
    config = TrainConfig(
        network=NetworkConfig(widths=(8, 8, 8), demosaicers=1, verdict_width=8, bank_kernel=3)
    )
    checkpoint = checkpoint_of(core, config, tmp_path / "checkpoint.pt")
    single, best = (load_model(export(checkpoint, tmp_path, views=count)) for count in (1, 3))
    assert (single.manifest.id, best.manifest.id) == ("demosaic-bayer-standard", "demosaic-bayer-best")
    assert best.manifest.gflop_per_mp == pytest.approx(3 * single.manifest.gflop_per_mp, rel=1e-3)
    assert best.manifest.parameters <= single.manifest.parameters + 50
    assert self_test(best) <= best.manifest.golden["tolerance"]
    assert (single.manifest.views, best.manifest.views) == (1, 3)
    assert "3 times" in (best.folder / "README.md").read_text()
    planes = [torch.rand(1, 1, 32, 32) for _ in range(3)]
    with torch.no_grad():
        answers = [load_initial(model.folder).to_network()(*planes)[0] for model in (single, best)]
    torch.testing.assert_close(*answers)


def checkpoint_of(core: torch.nn.Module, config: TrainConfig, path: Path) -> Path:
    state = {"config": config.to_dict(), "ema": core.state_dict(), "step": 1, "seconds": 1.0}
    torch.save(state | {"hardware": "none", "pictures": [], "held_back": []}, path)
    return path


def perturbed(network: RestoreConfig | UpscaleConfig) -> Network:
    torch.manual_seed(0)
    core = build(network)
    with torch.no_grad():
        for parameter in core.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return core.eval()


def test_restoration_is_the_mean_of_its_views(tmp_path: Path) -> None:
    core = perturbed(RestoreConfig((8, 8, 8)))
    config = TrainConfig(task="restore", tier="standard", network=RestoreConfig((8, 8, 8)))
    path = checkpoint_of(core, config, tmp_path / "checkpoint.pt")
    single, best = (load_model(export(path, tmp_path, views=n)) for n in (1, 4))
    assert best.manifest.id == "restore-camera-best"
    assert best.manifest.gflop_per_mp == pytest.approx(4 * single.manifest.gflop_per_mp, rel=1e-3)
    assert self_test(best) <= best.manifest.golden["tolerance"]
    planes = [torch.rand(1, channels, 48, 48) for _, channels in core.inputs]
    with torch.no_grad():
        each = [[_turn_back(p, *v) for p in core(*(_turn(p, *v) for p in planes))] for v in views_of(core)]
        for found, *parts in zip(SelfEnsemble(core, 4)(*planes), *each, strict=True):
            torch.testing.assert_close(found, torch.stack(parts).mean(0))


def test_views_of_an_enlargement_agree_on_what_was_seen_and_leave_detail_alone(tmp_path: Path) -> None:
    network = UpscaleConfig(width=8)
    core = perturbed(network)
    path = checkpoint_of(core, TrainConfig(task="upscale", tier="fast", network=network), tmp_path / "a.pt")
    single, several = (load_model(export(path, tmp_path, views=n)) for n in (1, 3))
    assert several.manifest.id == "upscale-x2-camera-standard"
    # What comes before the noise joins, the first view and the lively answer share.
    assert 3.8 < several.manifest.gflop_per_mp / single.manifest.gflop_per_mp < 4
    assert self_test(several) <= several.manifest.golden["tolerance"]
    assert "asked once more" in (several.folder / "README.md").read_text()
    image, noise = torch.rand(1, 3, 24, 28), torch.randn(1, 1, 24, 28)
    ensemble = SelfEnsemble(core, 3)
    with torch.no_grad():
        still, lively = (ensemble(image, plane)[0] for plane in (0 * noise, noise))
        plain = [core(_turn(image, *v), 0 * _turn(noise, *v))[0] for v in views_of(core)[:3]]
        turned = [_turn_back(p, *v) for p, v in zip(plain, views_of(core), strict=False)]
        torch.testing.assert_close(still, torch.stack(turned).mean(0))
        detail = core(image, noise)[0] - core(image, 0 * noise)[0]
        torch.testing.assert_close(lively - still, detail, rtol=1e-4, atol=1e-6)
