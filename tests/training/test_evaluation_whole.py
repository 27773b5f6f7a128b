"""Whole frames through a small network: any size, any filter array, by tiles or in one piece."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from rawfix.cfa import CANONICAL  # noqa: E402
from rawfix.training.config import NetworkConfig  # noqa: E402
from rawfix.training.evaluation.protocol import expose, multipliers, to_light, with_infrared  # noqa: E402
from rawfix.training.evaluation.whole import Demosaicer  # noqa: E402
from rawfix.training.networks.demosaic import DemosaicNetwork  # noqa: E402
from tests.training.conftest import smooth_photo  # noqa: E402

pytestmark = pytest.mark.torch

FAMILIES = ("bayer", "quad", "nona", "xtrans", "rgbir2", "rgbir4")


def demosaicer(cfa: str, tile: int = 1024) -> Demosaicer:
    """Small, and random everywhere, so that every path counts."""
    torch.manual_seed(0)
    model = DemosaicNetwork(NetworkConfig(cfa=cfa, widths=(8, 8, 8), demosaicers=2, bank_kernel=3)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return Demosaicer(model, cfa, tile=tile)


@pytest.mark.parametrize("cfa", FAMILIES)
@pytest.mark.parametrize("size", [(48, 72), (61, 50)])
def test_a_frame_of_any_size_comes_back_with_its_samples(cfa: str, size: tuple[int, int]) -> None:
    run = demosaicer(cfa)
    plane = expose(to_light(smooth_photo(0, *size)), CANONICAL[cfa])
    camera, bad = run(plane)
    channels = 4 if "ir" in cfa else 3
    assert camera.shape == (*size, channels)
    assert bad.shape == size
    index = CANONICAL[cfa].channels(size).astype(np.intp)[..., None]
    kept = np.take_along_axis(camera, index, 2)[..., 0]
    np.testing.assert_array_equal(kept[~bad], (plane * multipliers(CANONICAL[cfa], size))[~bad])
    assert not bad.all()


def test_tiles_are_the_whole() -> None:
    rng = np.random.default_rng(0)
    plane = rng.random((210, 190), np.float32)
    known = rng.random(plane.shape) < 0.05
    whole = demosaicer("bayer")(plane, 400.0, known)
    tiled = demosaicer("bayer", tile=64)(plane, 400.0, known)
    np.testing.assert_allclose(tiled[0], whole[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(tiled[1], whole[1])


def test_a_sample_known_to_be_bad_is_replaced_and_reported() -> None:
    plane = expose(to_light(smooth_photo(0, 64, 64)), CANONICAL["bayer"])
    known = np.zeros(plane.shape, bool)
    known[30, 31] = True
    plane[30, 31] = 5.0
    channel = CANONICAL["bayer"].channels((64, 64))[30, 31]
    camera, bad = demosaicer("bayer")(plane, known_bad=known)
    assert bad[30, 31]
    assert camera[30, 31, channel] < 4


def test_infrared_is_seen_through_its_own_filter() -> None:
    light = to_light(smooth_photo(0, 48, 48))
    plane = expose(light, CANONICAL["rgbir2"])
    sites = CANONICAL["rgbir2"].channels((48, 48)) == 3
    np.testing.assert_allclose(plane[sites], with_infrared(light)[..., 3][sites])
    np.testing.assert_allclose(with_infrared(light)[..., 3], light.mean(2))
