"""The demosaicing task: its pairs, its network, its loss, its measure of validation."""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rawfix.cfa import CANONICAL, INFRARED
from rawfix.physics import scene
from rawfix.physics.defects import Defects, plant
from rawfix.training import mining
from rawfix.training.config import NetworkConfig, TrainConfig
from rawfix.training.data import Photo, Photos, draw_crop, stream
from rawfix.training.learned_noise import maybe, open_for
from rawfix.training.linear import fit_bank, fit_leave_one_out
from rawfix.training.losses import Batch, LinearDemosaic, demosaic_loss, inside
from rawfix.training.networks.demosaic import DemosaicNetwork
from rawfix.training.networks.linear_layers import LinearBank
from rawfix.training.synthesis import MosaicPair, add_infrared, make_pair


def demosaic_config(config: TrainConfig) -> NetworkConfig:
    """The network's config of a demosaicing run."""
    assert isinstance(config.network, NetworkConfig)
    return config.network


def initialize(model: DemosaicNetwork, photos: Photos, config: TrainConfig) -> None:
    """Start the linear layers from least squares on the training pictures."""
    net = demosaic_config(config)
    model.initialize_linear(
        fit_bank(photos.train, net.cfa, net.demosaicers, net.bank_kernel, seed=config.seed),
        fit_leave_one_out(photos.train, net.cfa, net.bank_kernel, seed=config.seed),
    )


def collate(pairs: list[MosaicPair]) -> tuple[np.ndarray, ...]:
    """Mosaic, sigma, known_bad, clean, clip, noise, bad: each ``(N, C, H, W)`` float32, clip ``(N, C, 1, 1)``."""
    planes = [
        np.stack([getattr(p, name) for p in pairs])[:, None]
        for name in ("mosaic", "sigma", "known_bad", "noise", "bad")
    ]
    mosaic, sigma, known_bad, noise, bad = (np.asarray(p, np.float32) for p in planes)
    clean = np.stack([p.clean for p in pairs]).transpose(0, 3, 1, 2)
    clip = np.stack([p.clip for p in pairs])[..., None, None]
    return mosaic, sigma, known_bad, np.ascontiguousarray(clean), clip, noise, bad


class DemosaicTask:
    """Everything the loop needs to know of demosaicing."""

    def __init__(self, config: TrainConfig, photos: Photos, device: str) -> None:
        self.config, self.photos, self.device = config, photos, device
        net = demosaic_config(config)
        self.noise = open_for(config, net.cfa)
        plain = NetworkConfig(cfa=net.cfa, demosaicers=1, bank_kernel=net.bank_kernel)
        bank = LinearBank(CANONICAL[plain.cfa], 1, plain.bank_kernel)
        kernels = fit_bank(photos.train, plain.cfa, 1, plain.bank_kernel, samples=60_000, seed=7)
        with torch.no_grad():
            bank.direct.copy_(torch.from_numpy(kernels.reshape(bank.direct.shape)))
        probe = DemosaicNetwork(plain)
        self.linear = LinearDemosaic(bank, probe.order, probe.period)
        visible = INFRARED not in CANONICAL[plain.cfa].unit()
        self.hard = (
            mining.find(photos.train, CANONICAL[plain.cfa], self.linear) if visible and config.hard else None
        )
        self.linear = self.linear.to(device)

    def initialize(self, model: nn.Module) -> None:
        """Start a network that has learnt nothing yet."""
        assert isinstance(model, DemosaicNetwork)
        initialize(model, self.photos, self.config)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of the task: nothing."""
        return {}

    def stream(self, step: int) -> Iterator[Batch]:
        """Endless batches from here on; a resumed run draws from a new stream."""
        for arrays in stream(self.draw, (self.config.seed, step), self.device):
            yield self.batch(arrays)

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """One batch of pairs."""
        config = self.config
        cfa = CANONICAL[demosaic_config(config).cfa]
        crops = [self._crop(rng) for _ in range(config.batch)]
        return collate(
            [
                make_pair(
                    crop,
                    cfa,
                    rng,
                    quiet=config.quiet,
                    natural=config.natural,
                    learned=maybe(self.noise, config.generated, rng),
                )
                for crop in crops
            ]
        )

    def _crop(self, rng: np.random.Generator) -> Photo:
        if self.hard is not None and rng.random() < self.config.hard:
            return self.hard.draw(self.config.patch, rng)
        return draw_crop(self.photos.train, self.config.patch, rng)

    def batch(self, arrays: tuple[Tensor, ...]) -> Batch:
        """Move to the device and complete the target."""
        planes = (torch.as_tensor(a).to(self.device, non_blocking=True) for a in arrays)
        mosaic, sigma, known_bad, clean, clip, noise, bad = planes
        return Batch(mosaic, sigma, known_bad, clean, bad, clean + self.linear(noise), clip)

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Loss of one batch and its parts."""
        camera, logits = model(batch.mosaic, batch.sigma, batch.known_bad)
        return demosaic_loss(torch.minimum(camera, batch.clip), logits, batch, self.config)

    @torch.no_grad()
    def validate(self, model: nn.Module, pictures: Path | None = None) -> dict[str, float]:
        """Clean and defect CPSNR (8-bit sRGB), near defects, detection, noise kept, on the held-back pictures."""
        return validate(model, self.photos, self.config, self.device, self.linear, pictures)


def _psnr(squared: Tensor) -> float:
    return float(-10 * torch.log10(squared.mean() + 1e-12))


def validate(
    model: nn.Module,
    photos: Photos,
    config: TrainConfig,
    device: str,
    linear: nn.Module,
    pictures: Path | None,
) -> dict[str, float]:
    """See `DemosaicTask.validate`. Protocol: linear light at 0.9 of white, wb 2/1/1.54, sRGB primaries."""
    cfa = CANONICAL[demosaic_config(config).cfa]
    wb = np.array([2.0, 1.0, 1.54, 1.0], np.float32)
    size, multiple = 96 * 2, lcm(8, cfa.period[0])
    rng = np.random.default_rng(0)
    sums: dict[str, list[float]] = {}
    strips: list[np.ndarray] = []
    for _, photo in photos.validation:
        side = min(size, *(length // multiple * multiple for length in photo.shape[:2]))
        y, x = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
        clean = scene.linearize(photo[y : y + side, x : x + side]) * np.float32(0.9)
        if cfa.unit().max() == INFRARED:
            clean = np.minimum(add_infrared(clean, rng), wb)
        multiplier = wb[cfa.channels((side, side))]
        plain = cfa.mosaic(clean) / multiplier
        defective, bad = plant(plain, Defects(1e-3), rng)
        variance = 1 / 90000 * np.maximum(plain, 0) + (2.5 / 90000) ** 2
        grain = np.sqrt(64 * variance).astype(np.float32) * rng.standard_normal(plain.shape, np.float32)
        truth = torch.from_numpy(clean.transpose(2, 0, 1).copy())[None]
        still = truth
        for case, plane, gain in (
            ("clean", plain, 1.0),
            ("defect", defective, 1.0),
            ("noisy", plain + grain, 64.0),
        ):
            shot, read = gain / 90000, (2.5 / 90000 * gain) ** 2
            sigma = np.sqrt(shot * np.maximum(plane, 0) + read)
            tensors = [
                torch.from_numpy(np.asarray(p, np.float32))[None, None].to(device)
                for p in (plane * multiplier, sigma * multiplier, np.zeros_like(plane))
            ]
            camera, logits = (t.cpu() for t in model(*tensors))
            still = camera if case == "clean" else still
            shown = [srgb8(c[:, :3] / 0.9) for c in (camera, truth)]
            squared = ((shown[0] - shown[1]) / 255)[inside(10)] ** 2
            if case == "noisy":
                spread = linear(torch.from_numpy(grain * multiplier)[None, None].to(device)).cpu()[inside(10)]
                kept = (camera - still)[inside(10)].std() / spread.std()
                sums.setdefault("noise_kept", []).append(float(kept))
                continue
            sums.setdefault(case, []).append(_psnr(squared))
            found = (torch.sigmoid(logits) > 0.5)[0, 0].numpy()
            if case == "defect":
                mask = torch.from_numpy(bad.astype(np.float32))[None, None]
                near = (F.max_pool2d(mask, 5, 1, 2)[inside(10)] > 0).expand_as(squared)
                strong = bad & (np.abs(defective - plain) > 6 * np.sqrt(variance) + 0.02)
                sums.setdefault("near_mse", []).append(float(squared[near].sum()))
                sums.setdefault("near_count", []).append(float(near.sum()))
                sums.setdefault("hit", []).append(float((found & strong).sum()))
                sums.setdefault("strong", []).append(float(strong.sum()))
            else:
                within = found[10:-10, 10:-10]  # at the rim it lacks what development mirrors
                sums.setdefault("false", []).append(float(within.sum()))
                sums.setdefault("pixels", []).append(float(within.size))
        if pictures is not None and len(strips) < 6:
            strips.append(np.concatenate([s[0].permute(1, 2, 0).numpy() for s in shown], 1))
    if pictures is not None:
        write_strip(pictures, strips)
    near_mse = sum(sums["near_mse"]) / max(sum(sums["near_count"]), 1)
    return {
        "cpsnr": float(np.mean(sums["clean"])),
        "cpsnr_defects": float(np.mean(sums["defect"])),
        "near_defects": float(-10 * np.log10(near_mse + 1e-12)),
        "recall": sum(sums["hit"]) / max(sum(sums["strong"]), 1),
        "false_per_mp": 1e6 * sum(sums["false"]) / sum(sums["pixels"]),
        "noise_kept": float(np.mean(sums["noise_kept"])),
    }


def srgb8(linear: Tensor) -> Tensor:
    """Linear sRGB → 0…255, clipped and rounded."""
    clipped = linear.clamp(0, 1)
    curve = torch.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return torch.round(curve * 255)


def write_strip(path: Path, strips: list[np.ndarray]) -> None:
    """Result beside truth, one row a picture, as PNG."""
    from PIL import Image as Picture

    width = max(s.shape[1] for s in strips)
    padded = [np.pad(s, ((0, 0), (0, width - s.shape[1]), (0, 0))) for s in strips]
    Picture.fromarray(np.concatenate(padded).astype(np.uint8)).save(path)
