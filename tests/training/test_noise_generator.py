"""A noise generator starts from the measured variance, learns what it lacks, and hands its samples to the tasks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rawfix.cfa import CANONICAL, Cfa  # noqa: E402
from rawfix.errors import CorruptRawError  # noqa: E402
from rawfix.frame import Image  # noqa: E402
from rawfix.training import restore_pairs  # noqa: E402
from rawfix.training.burst_bundle import Levels, write_bundle  # noqa: E402
from rawfix.training.config import NetworkConfig, TrainConfig  # noqa: E402
from rawfix.training.data import load  # noqa: E402
from rawfix.training.demosaic import DemosaicTask  # noqa: E402
from rawfix.training.learned_noise import maybe  # noqa: E402
from rawfix.training.networks.noise_generator import (  # noqa: E402
    NoiseDiscriminator,
    NoiseGenerator,
    discriminator_loss,
    draw_normal,
    generator_loss,
)
from rawfix.training.noise_generator import CameraNoise, compare, load_noise  # noqa: E402
from rawfix.training.noise_samples import Law, Samples, fit_variance, measure_law, moments, read_samples  # noqa: E402
from rawfix.training.noise_training import CHECKPOINT, NoiseConfig, train_noise  # noqa: E402
from rawfix.training.progress import Reporter  # noqa: E402
from rawfix.training.synthesis import make_pair  # noqa: E402

pytestmark = pytest.mark.torch

LAW = Law((4.0, 16.0), (1e-3, 4e-3), (1e-5, 1.6e-4))
GAINS = np.array((4, 1), np.float32)


def ramp(side: int = 64) -> Image:
    return np.broadcast_to(np.linspace(0.05, 0.7, side, dtype=np.float32), (side, side)).copy()


def recorded(row: float, seed: int = 0, number: int = 6, side: int = 64) -> list[Samples]:
    """Real noise of `LAW`, and row noise of so many deviations of the dark."""
    rng, made = np.random.default_rng(seed), []
    for gain in LAW.gains:
        gains, truth = np.array((gain, 1), np.float32), ramp(side)
        noise = LAW.sigma(truth, gains) * rng.standard_normal((number, side, side), np.float32)
        bands = rng.standard_normal((number, side, 1), np.float32)
        noise += np.float32(row * np.sqrt(LAW.at(gain)[1])) * bands
        made.append(Samples(truth, truth + noise, gains, "bayer"))
    return made


def test_an_untrained_generator_makes_gaussian_noise_of_the_measured_variance() -> None:
    noise = CameraNoise(NoiseGenerator((8, 8)), LAW, "bayer")
    truth, rng = ramp(256), np.random.default_rng(1)
    drawn = noise.draw(truth, GAINS, rng)[None]
    found = moments(truth, drawn, LAW.sigma(truth, GAINS))
    for name in ("variance_dark", "variance_bright"):
        assert found[name] == pytest.approx(1, abs=0.03)
    for name in ("row", "column", "skewness", "kurtosis"):
        assert found[name] == pytest.approx(0, abs=0.05)


def test_draws_repeat_with_their_seed_and_fit_any_size() -> None:
    noise = CameraNoise(NoiseGenerator((8, 8)), LAW, "bayer")
    truth = ramp(48)[:37, :43]
    first, again, other = (noise.draw(truth, GAINS, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == truth.shape
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_rows_and_columns_share_their_value() -> None:
    normal = draw_normal((2, 16, 24), torch.Generator().manual_seed(1))
    assert normal.shape == (2, 5, 16, 24)
    assert (normal[:, 3] == normal[:, 3, :, :1]).all()
    assert (normal[:, 4] == normal[:, 4, :1]).all()
    assert normal[:, :3].std() == pytest.approx(1, abs=0.05)


def test_losses_are_least_where_each_side_wants_to_be() -> None:
    one, zero = torch.ones(3), torch.zeros(3)
    assert discriminator_loss(one, zero) == 0
    assert generator_loss(one, zero) == 2
    assert generator_loss(zero, one) == 0
    assert discriminator_loss(one, one) == discriminator_loss(zero, zero) == 1


def test_the_discriminator_is_told_which_is_first() -> None:
    judge = NoiseDiscriminator(8)
    truth, gains = torch.rand(2, 1, 32, 32), torch.ones(2, 2)
    first, second = truth + 0.1 * torch.randn_like(truth), truth + 0.1 * torch.randn_like(truth)
    sigma = torch.full_like(truth, 0.1)
    assert not torch.equal(
        judge(truth, gains, first, second, sigma), judge(truth, gains, second, first, sigma)
    )


def test_variance_is_measured_by_gain() -> None:
    law = measure_law(recorded(0, number=24))
    assert law.gains == LAW.gains
    np.testing.assert_allclose(law.shot, LAW.shot, rtol=0.05)
    np.testing.assert_allclose(law.read, LAW.read, rtol=0.25)
    shot, read = LAW.at(8)
    assert (shot, read) == pytest.approx((2e-3, 4e-5))
    assert LAW.at(1) == pytest.approx((LAW.shot[0], LAW.read[0]))


def test_a_law_without_read_noise_stays_positive() -> None:
    rng = np.random.default_rng(0)
    signal = np.tile(ramp(), (8, 1, 1))
    shot, read = fit_variance(signal, np.sqrt(1e-3 * signal) * rng.standard_normal(signal.shape, np.float32))
    assert shot == pytest.approx(1e-3, rel=0.05)
    assert 0 < read < 3e-5


def test_moments_tell_row_noise_and_rare_events() -> None:
    rng = np.random.default_rng(0)
    truth, one = ramp(), np.ones((64, 64), np.float32)
    plain = rng.standard_normal((20, 64, 64))
    rows = plain + 0.5 * rng.standard_normal((20, 64, 1))
    events = plain + 6 * (rng.random(plain.shape) < 0.01)
    assert moments(truth, rows, one)["row"] == pytest.approx(0.2, abs=0.03)
    assert abs(moments(truth, rows, one)["column"]) < 0.03
    assert moments(truth, events, one)["skewness"] > 0.8
    assert moments(truth, events, one)["kurtosis"] > 3


def test_training_teaches_row_noise_and_resumes(tmp_path: Path) -> None:
    samples = recorded(3.0)
    small = NoiseConfig(
        steps=40, batch=4, patch=32, widths=(8, 8), judge=8, ema=0.8, mixer_rate=2e-2, discriminator_rate=1e-2
    )
    with Reporter() as reporter:
        first = train_noise(tmp_path / "run", samples, small, reporter)
        before = torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)
        train_noise(tmp_path / "run", samples, replace(small, steps=41), reporter)
    after = torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)
    assert (before["step"], after["step"]) == (40, 41)
    found = compare(first, samples, np.random.default_rng(1))[0]
    assert found["real"]["row"] > 0.02
    assert found["generated"]["row"] > 0.3 * found["real"]["row"]
    assert abs(found["gaussian"]["row"]) < 0.01


def test_a_checkpoint_draws_what_its_run_drew_and_joins_the_training_set(
    tmp_path: Path, pictures: Path
) -> None:
    config = NoiseConfig(steps=2, batch=2, patch=32, widths=(8, 8), judge=8)
    with Reporter() as reporter:
        made = train_noise(tmp_path / "run", recorded(0.5), config, reporter)
    path = tmp_path / "run" / CHECKPOINT
    loaded = load_noise(path)
    draws = [n.draw(ramp(), GAINS, np.random.default_rng(1)) for n in (made, loaded)]
    np.testing.assert_array_equal(*draws)
    network = NetworkConfig(widths=(8, 8, 8), demosaicers=1, verdict_width=8, bank_kernel=3)
    run = TrainConfig(batch=4, patch=48, quiet=0, network=network, noise_generator=str(path), generated=1.0)
    task = DemosaicTask(run, load(pictures), "cpu")
    mosaic, *_, noise, _ = task.draw(np.random.default_rng(1))
    assert task.noise is not None
    assert np.isfinite(mosaic).all()
    assert noise.std() > 0
    other = TrainConfig(network=NetworkConfig("xtrans", widths=(8, 8, 8)), noise_generator=str(path))
    with pytest.raises(ValueError, match="bayer, this run is xtrans"):
        DemosaicTask(other, load(pictures), "cpu")


class Loud:
    """A camera whose noise is one."""

    def draw_field(self, signal: Image, rng: np.random.Generator) -> tuple[Image, float, float]:
        """Noise that cannot be mistaken."""
        return np.full_like(signal, -1), 0.25, 0.5


def test_learned_noise_and_its_model_reach_the_pair() -> None:
    photo = np.full((48, 48, 3), 90, np.uint8)
    made = make_pair(photo, CANONICAL["bayer"], np.random.default_rng(5), quiet=0, learned=Loud())
    wb_plane = -made.noise
    assert wb_plane.min() >= 1
    assert (made.sigma > 0.3 * np.sqrt(0.5)).all()


def test_learned_noise_and_its_model_reach_the_pair_of_restoration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore_pairs, "NOISY", 1)
    photo = np.full((48, 48, 3), 90, np.uint8)
    made = restore_pairs.make_restore_pair(
        photo, CANONICAL["bayer"], np.random.default_rng(5), learned=Loud()
    )
    # Misjudged by a deviation of 0.1; the green multiplier is 1.
    assert made.shot[1] == pytest.approx(0.25, rel=0.5)
    assert made.read[1] == pytest.approx(0.5, rel=0.5)
    assert made.mosaic.max() < 0


def test_the_share_of_learned_noise_is_kept() -> None:
    noise = CameraNoise(NoiseGenerator((8, 8)), LAW, "bayer")
    rng = np.random.default_rng(0)
    drawn = sum(maybe(noise, 0.3, rng) is not None for _ in range(2000))
    assert drawn == pytest.approx(600, abs=80)
    state = rng.bit_generator.state
    assert maybe(None, 0.3, rng) is None
    assert rng.bit_generator.state == state


def shot_bundle(path: Path, cfa: Cfa) -> Path:
    rng = np.random.default_rng(0)
    site = cfa.channels((50, 54)) * 1000.0 + 2000
    frames = (np.rint(rng.normal(512 + site, 30)).astype(np.uint16) for _ in range(12))
    darks = (np.rint(rng.normal(512, 5, (50, 54))).astype(np.uint16) for _ in range(12))
    levels = Levels(np.full((1, 1), 512, np.float32), np.full(3, 16383, np.float32), GAINS, cfa)
    write_bundle(path, frames, darks, levels)
    return path


def test_bursts_are_read_in_the_canonical_phase(tmp_path: Path) -> None:
    rows = shot_bundle(tmp_path / "b.npz", Cfa.from_rows("BG", "GR"))
    sample = read_samples(rows, np.random.default_rng(0))
    known = (CANONICAL["bayer"].channels((48, 54)) * 1000.0 + 2000) / (16383 - 512)
    assert sample.family == "bayer"
    assert sample.noisy.shape == (12, *sample.truth.shape)
    np.testing.assert_allclose(sample.truth, known, atol=0.005)
    # Frames count in their own average: uncorrected, their variance would be 11/12.
    assert (sample.noisy - sample.truth).std() == pytest.approx(30 / (16383 - 512), rel=0.02)


def test_a_filter_array_of_no_family_is_refused(tmp_path: Path) -> None:
    odd = shot_bundle(tmp_path / "b.npz", Cfa.from_rows("RR", "GB"))
    with pytest.raises(CorruptRawError, match="RR/GB"):
        read_samples(odd, np.random.default_rng(0))


def test_what_is_no_noise_generator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such"):
        load_noise(tmp_path / "none.pt")
    torch.save({"config": {}}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="no noise generator"):
        load_noise(tmp_path / "other.pt")
