"""The bank of linear demosaicers: one kernel, whatever it is made of, and gray stays gray."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch.nn.functional as F  # noqa: E402

from rawfix.cfa import CANONICAL  # noqa: E402
from rawfix.training.config import NetworkConfig  # noqa: E402
from rawfix.training.linear import fit_bank, missing_outputs, pack, packed_channels  # noqa: E402
from rawfix.training.networks.demosaic import DemosaicNetwork  # noqa: E402
from rawfix.training.networks.encoding import decode, encode  # noqa: E402
from rawfix.training.networks.linear_layers import LinearBank, Neighbours  # noqa: E402

pytestmark = pytest.mark.torch


FAMILIES = ["bayer", "quad", "nona", "xtrans", "rgbir2", "rgbir4"]


def random_bank(family: str, demosaicers: int, kernel: int = 5) -> LinearBank:
    bank = LinearBank(CANONICAL[family], demosaicers, kernel)
    for parameter in bank.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return bank


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_the_composed_kernel_is_the_chain_of_convolutions(kernel: int) -> None:
    bank = random_bank("bayer", 3, kernel)
    packed = torch.rand(2, 4, 20, 22)
    with torch.no_grad():
        chain = F.conv2d(F.conv2d(packed, bank.first), bank.second)
        explicit = chain + F.conv2d(packed, bank.direct)
        # What normalising adds to a kernel depends on its color alone: undo it on the flat windows' sums.
        margin = kernel // 2
        groups = bank.groups
        kernels = bank.direct + compose_by_sum(bank)
        excess = (bank.target - kernels.sum((2, 3)) @ groups.T) / (groups.sum(1) * kernel**2)
        sums = F.conv2d(packed, torch.ones(4, 1, kernel, kernel), groups=4)
        normalizing = torch.einsum("og,gc,nchw->nohw", excess, groups, sums)
        found = bank(packed)[..., margin:-margin, margin:-margin]
    torch.testing.assert_close(found, explicit + normalizing, rtol=1e-4, atol=1e-5)


def compose_by_sum(bank: LinearBank) -> torch.Tensor:
    """The chain's kernel, tap by tap."""
    rows, _, height, width = bank.second.shape
    chain = torch.zeros(rows, bank.first.shape[1], height + 2, width + 2)
    for y in range(height):
        for x in range(width):
            taps = torch.einsum("oh,hcyx->ocyx", bank.second[:, :, y, x], bank.first)
            chain[:, :, y : y + 3, x : x + 3] += taps
    return chain


@pytest.mark.parametrize("family", ["bayer", "quad", "xtrans", "rgbir4"])
def test_each_kernel_sums_to_one_on_its_color_and_to_zero_on_others(family: str) -> None:
    bank = random_bank(family, 2)
    sites = torch.from_numpy(packed_channels(CANONICAL[family]))
    sums = bank.composed().sum((2, 3)).detach()
    for row, (_, channel) in enumerate(bank.outputs * 2):
        for color in range(int(sites.max()) + 1):
            expected = 1.0 if color == channel else 0.0
            assert float(sums[row, sites == color].sum()) == pytest.approx(expected, abs=1e-4)


def test_a_flat_color_stays_that_color() -> None:
    bank = random_bank("bayer", 2)
    color = torch.tensor([0.2, 0.5, 0.9])
    sites = torch.from_numpy(packed_channels(CANONICAL["bayer"]))
    packed = color[sites][None, :, None, None].expand(1, 4, 12, 12)
    with torch.no_grad():
        found = bank(packed)[..., 2:-2, 2:-2]
    expected = torch.tensor([color[channel] for _, channel in bank.outputs * 2])
    torch.testing.assert_close(found, expected[None, :, None, None].expand_as(found), rtol=0, atol=1e-5)


@pytest.mark.parametrize("period", [2, 4, 6])
def test_pack_is_pixel_unshuffle_by_two_and_then_by_half_the_period(period: int) -> None:
    plane = np.random.default_rng(0).random((24, 36), np.float32)
    packed = torch.from_numpy(pack(plane, period)).permute(2, 0, 1)
    by_two = F.pixel_unshuffle(torch.from_numpy(plane)[None], 2)
    torch.testing.assert_close(packed, F.pixel_unshuffle(by_two, period // 2))


@pytest.mark.parametrize("family", FAMILIES)
def test_missing_and_measured_make_every_channel_of_every_site(family: str) -> None:
    cfa = CANONICAL[family]
    missing = missing_outputs(cfa)
    measured = [(site, int(channel)) for site, channel in enumerate(packed_channels(cfa))]
    channels = 4 if "rgbir" in family else 3
    assert sorted(missing + measured) == [(s, c) for s in range(cfa.unit().size) for c in range(channels)]


def test_least_squares_finds_a_demosaic_of_smooth_pictures() -> None:
    y, x = np.mgrid[0:96, 0:96]
    waves = [128 + 100 * np.sin(x / a + y / b) for a, b in ((9, 13), (14, 8), (11, 17))]
    photo = np.stack(waves, -1).astype(np.uint8)
    kernels = fit_bank((("waves", photo),), "bayer", 1, 3, samples=5000)
    assert kernels.shape == (1, 8, 4, 3, 3)
    packed = torch.full((1, 4, 9, 9), 0.4)
    found = F.conv2d(packed, torch.from_numpy(kernels[0]))
    torch.testing.assert_close(found, torch.full_like(found, 0.4), rtol=0, atol=0.02)


def test_the_encoding_is_odd_and_undone() -> None:
    light = torch.linspace(-2, 3, 1001)
    torch.testing.assert_close(decode(encode(light)), light, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(encode(-light), -encode(light))
    assert (encode(light).diff() > 0).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_neighbours_are_good_samples_of_the_same_color(family: str) -> None:
    cfa = CANONICAL[family]
    period = cfa.period[0]
    channels = cfa.channels((8 * period, 8 * period))
    plane = (channels + 1).astype(np.float32)
    good = np.random.default_rng(0).random(plane.shape) < 0.7
    plane = np.where(good, plane, 99).astype(np.float32)
    values, weights = (
        torch.from_numpy(pack(p.astype(np.float32), period)).permute(2, 0, 1)[None] for p in (plane, good)
    )
    found = Neighbours(cfa)(values, weights)[0]
    expected = torch.from_numpy(packed_channels(cfa) + 1).float()[:, None, None].expand_as(found)
    inner = (slice(None), slice(2, -2), slice(2, -2))
    torch.testing.assert_close(found[inner], expected[inner], rtol=5e-3, atol=0)


@pytest.fixture(params=["bayer", "quad", "xtrans", "rgbir2"])
def network(request: pytest.FixtureRequest) -> DemosaicNetwork:
    kernel = 5 if CANONICAL[request.param].period == (2, 2) else 3
    config = NetworkConfig(
        cfa=request.param, widths=(8, 8, 8), demosaicers=2, verdict_width=8, bank_kernel=kernel
    )
    model = DemosaicNetwork(config)
    for bank in (model.bank, model.predict):
        torch.nn.init.normal_(bank.direct, std=0.1)
    return model.eval()


def planes_of(mosaic: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return mosaic, torch.full_like(mosaic, 0.01), torch.zeros_like(mosaic)


@pytest.mark.parametrize("level", [-0.02, 0.0, 0.001, 0.18, 1.0, 2.5])
def test_flat_gray_in_is_flat_gray_out(network: DemosaicNetwork, level: float) -> None:
    with torch.no_grad():
        camera, logits = network(*planes_of(torch.full((1, 1, 96, 96), level)))
    inner = camera[..., 40:-40, 40:-40]
    torch.testing.assert_close(inner, torch.full_like(inner, level), rtol=1e-4, atol=1e-5)
    assert (logits[..., 40:-40, 40:-40] < 0).all()


def test_a_trusted_sample_passes_through(network: DemosaicNetwork) -> None:
    mosaic = torch.rand(1, 1, 48, 72)
    with torch.no_grad():
        camera, _ = network(*planes_of(mosaic))
    channels = torch.from_numpy(network.cfa.channels((48, 72)).astype(np.int64))
    torch.testing.assert_close(camera.gather(1, channels[None, None]), mosaic)


def test_a_sample_known_to_be_bad_has_no_influence(network: DemosaicNetwork) -> None:
    mosaic, sigma, known = planes_of(torch.rand(1, 1, 48, 48))
    known = known.clone()
    known[..., 15, 16] = 1
    stuck = mosaic.clone()
    stuck[..., 15, 16] = 50
    loud = sigma.clone()
    loud[..., 15, 16] = 3
    with torch.no_grad():
        first, second = network(mosaic, sigma, known), network(stuck, loud, known)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_moving_by_the_multiple_moves_the_picture(network: DemosaicNetwork) -> None:
    mosaic, step = torch.rand(1, 1, 240, 240), network.multiple
    with torch.no_grad():
        whole = network(*planes_of(mosaic))[0][..., 120:136, 120:136]
        part = network(*planes_of(mosaic[..., step:, step:].contiguous()))[0]
        part = part[..., 120 - step : 136 - step, 120 - step : 136 - step]
    torch.testing.assert_close(part, whole, rtol=0, atol=1e-5)
