"""The super-resolution task: least error without noise, natural detail with it, and both true to what was seen.

The same small picture goes through with noise amplitude 0 and 1. Without noise the pictures of every step are held
against the truth; with noise the finest one must look natural to a classifier's features (contextual loss) and to a
discriminator of the whole pyramid (relativistic average). Both must shrink back to the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rawfix.physics import psf, scene
from rawfix.training.config import TrainConfig, UpscaleConfig
from rawfix.training.data import Photos, draw_crop, stream
from rawfix.training.demosaic import srgb8, write_strip
from rawfix.training.demosaicers import open_demosaicers
from rawfix.training.features import open_features
from rawfix.training.networks.demosaic import DemosaicNetwork
from rawfix.training.networks.encoding import decode, encode
from rawfix.training.networks.perceptual import contextual, distance
from rawfix.training.networks.upscale import Discriminator, UpscaleNetwork
from rawfix.training.shrink import shrink_area, shrink_bicubic

BORDER = 8
LIVELY = 3
"""Patches of a batch that go through a second time, with noise: a classifier and a discriminator look at each."""
CONSISTENCY = 0.1
"""Weight beside the reconstruction. At 1 its gradient was three to five times as large, and the guard sees to it."""
PLACE = 2.0
"""Weight of the distance beside the contextual loss, which asks for natural detail wherever it lies."""
DEMOSAICED = 0.6
"""Share of the small pictures of cameras that were mosaics, where there are networks to demosaic them."""
CAMERA_SHARE = 0.5
"""Share of the batches that are small as a camera makes them; the others are so by the bicubic protocol."""


@dataclass(frozen=True, slots=True)
class UpscaleBatch:
    """Small and large pictures, linear ``(N, 3, …)``, and how the one became the other.

    ``shrink`` takes encoded pictures: the large one, shrunk, is the small one before its noise and rounding.
    """

    image: Tensor
    large: Tensor
    noise: Tensor
    shrink: Callable[[Tensor, int], Tensor]


def shrink_encoded_area(picture: Tensor, scale: int) -> Tensor:
    """Area means of the light behind an encoded picture, encoded again."""
    return encode(shrink_area(decode(picture), scale))


class UpscaleTask:
    """Everything the loop needs to know of super-resolution."""

    def __init__(self, config: TrainConfig, photos: Photos, device: str) -> None:
        assert isinstance(config.network, UpscaleConfig)
        self.config, self.photos, self.device = config, photos, device
        self.scale = config.network.scale
        self.demosaicers = open_demosaicers(config, device)
        self.features = open_features(config.features).to(device) if config.features else None
        torch.manual_seed(config.seed + 1)
        self.judge = Discriminator(48, self.scale.bit_length() - 1).to(device)
        self.judge_optimizer = torch.optim.Adam(self.judge.parameters(), lr=1e-4, betas=(0.5, 0.99))
        self.steps = 0

    def initialize(self, model: nn.Module) -> None:
        """A generator starts as bicubic interpolation."""

    def state(self) -> dict[str, Any]:
        """What of the discriminator a checkpoint keeps."""
        judge = {"judge": self.judge.state_dict(), "judge_optimizer": self.judge_optimizer.state_dict()}
        return {"steps": self.steps, **judge}

    def resume(self, state: dict[str, Any]) -> None:
        """Inverse of `state`."""
        self.steps = state["steps"]
        self.judge.load_state_dict(state["judge"])
        self.judge_optimizer.load_state_dict(state["judge_optimizer"])

    def stream(self, step: int) -> Iterator[UpscaleBatch]:
        """Endless batches from here on; a resumed run draws from a new stream."""
        for arrays in stream(self.draw, (self.config.seed, step), self.device):
            yield self.batch(arrays)

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Large linear pictures, the softness and noise of the small ones, and which way makes them."""
        config = self.config
        side = config.patch * self.scale
        crops = [draw_crop(self.photos.train, side, rng) for _ in range(config.batch)]
        like_camera = rng.random() < CAMERA_SHARE
        light = np.stack([scene.linearize(crop) for crop in crops]).astype(np.float32)
        if like_camera:
            light *= np.exp(rng.uniform(np.log(0.3), 0, (len(crops), 1, 1, 1))).astype(np.float32)
            kernel = psf.gaussian(float(rng.uniform(0, 0.6)) * self.scale)
            light_small = np.stack([psf.blur(x, (kernel,) * 3) for x in light])
        else:
            light_small = light
        images = [np.ascontiguousarray(x.transpose(0, 3, 1, 2)) for x in (light, light_small)]
        small = (len(crops), 1, config.patch, config.patch)
        grain = rng.standard_normal((len(crops), 3, config.patch, config.patch), np.float32)
        grain *= np.float32(rng.uniform(0, 0.006) * like_camera)
        # -1: the bicubic protocol; 0: seen in full color; from 1 on: through that demosaicer.
        way = -1 if not like_camera else 0
        if like_camera and self.demosaicers and rng.random() < DEMOSAICED:
            way = 1 + int(rng.integers(len(self.demosaicers)))
        return (*images, rng.standard_normal(small, np.float32), grain, np.array(way))

    def batch(self, arrays: tuple[Tensor, ...]) -> UpscaleBatch:
        """Move to the device and make the small pictures."""
        large, soft, noise, grain, way = (torch.as_tensor(a).to(self.device) for a in arrays)
        if int(way) >= 0:
            small = shrink_area(soft, self.scale)
            small = small + grain * torch.sqrt(small.clamp(min=0) + 1e-3)
            if int(way):
                small = self._demosaiced(small, float(grain.std()), self.demosaicers[int(way) - 1])
            return UpscaleBatch(small, large, noise, shrink_encoded_area)
        rounded = torch.round(shrink_bicubic(srgb(soft), self.scale).clamp(0, 1) * 255) / 255
        return UpscaleBatch(linear(rounded), large, noise, shrink_bicubic)

    @torch.no_grad()
    def _demosaiced(self, small: Tensor, grain: float, demosaic: DemosaicNetwork) -> Tensor:
        """What our own demosaicing makes of small pictures that a filter array saw."""
        side = small.shape[2]
        channels = torch.from_numpy(demosaic.cfa.channels((side, side)).astype(np.int64)).to(small.device)
        mosaic = small.gather(1, channels.expand(small.shape[0], 1, side, side))
        sigma = grain * torch.sqrt(mosaic.clamp(min=0) + 1e-3) + 1e-5
        return demosaic(mosaic, sigma, torch.zeros_like(mosaic))[0]

    def loss(self, model: nn.Module, batch: UpscaleBatch) -> tuple[Tensor, dict[str, float]]:
        """λ₁·reconstruction without noise + λ₂·perceptual with noise + λ₃·adversarial with noise, and its parts."""
        assert isinstance(model, UpscaleNetwork)
        config = self.config
        self.steps += 1
        seen = encode(batch.image)
        truth = [encode(shrink_area(batch.large, 2**k)) for k in reversed(range(self.scale.bit_length() - 1))]
        plain = model.pyramid(batch.image, torch.zeros_like(batch.noise))
        parts = {"reconstruction": _apart(plain, truth), "consistency": self._consistency(plain, seen, batch)}
        total = config.lambda_reconstruction * (parts["reconstruction"] + CONSISTENCY * parts["consistency"])
        if self.features is None or self.steps <= config.warm_steps:
            return total, {name: float(part.detach()) for name, part in parts.items()}
        lively = model.pyramid(batch.image[:LIVELY], batch.noise[:LIVELY])
        truth = [picture[:LIVELY] for picture in truth]
        parts["perceptual"] = self._perceptual(lively[-1], truth[-1])
        parts["lively"] = self._consistency(lively, seen[:LIVELY], batch)
        total = total + config.lambda_perceptual * (parts["perceptual"] + 10 * parts["lively"])
        if self.steps > 2 * config.warm_steps:
            parts["judge"] = self._teach(truth, lively)
            parts["adversarial"] = self._adversarial(truth, lively)
            total = total + config.lambda_adversarial * parts["adversarial"]
        return total, {name: float(part.detach()) for name, part in parts.items()}

    def _consistency(self, pictures: list[Tensor], seen: Tensor, batch: UpscaleBatch) -> Tensor:
        """How far every step's picture, shrunk, is from the input."""
        factors = [2 ** (k + 1) for k in range(len(pictures))]
        return _apart(
            [batch.shrink(p, s) for p, s in zip(pictures, factors, strict=True)], [seen] * len(factors)
        )

    def _perceptual(self, picture: Tensor, truth: Tensor) -> Tensor:
        """Contextual loss of the classifier's features, and their distance: like natural detail, and where it is."""
        assert self.features is not None
        found, wanted = (self.features(srgb(decode(p)).clamp(0, 1)) for p in (picture, truth))
        alike = torch.stack([contextual(a, b) for a, b in zip(found[:3], wanted[:3], strict=True)]).mean()
        return alike + PLACE * distance(found, wanted).mean()

    def _teach(self, truth: list[Tensor], lively: list[Tensor]) -> Tensor:
        """One step of the discriminator; its loss."""
        real, fake = self.judge(truth), self.judge([p.detach() for p in lively])
        loss = _relativistic(real, fake)
        self.judge_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.judge_optimizer.step()
        return loss.detach()

    def _adversarial(self, truth: list[Tensor], lively: list[Tensor]) -> Tensor:
        """How unnatural the lively pyramid looks to the discriminator."""
        self.judge.requires_grad_(False)
        loss = _relativistic(self.judge(lively), self.judge(truth))
        self.judge.requires_grad_(True)
        return loss

    @torch.no_grad()
    def validate(self, model: nn.Module, pictures: Path | None = None) -> dict[str, float]:
        """PSNR of luma by the bicubic protocol, CPSNR by the camera's, and the features' distance at detail 0
        and 1.
        """
        scores: dict[str, list[float]] = {}
        strips = []
        for index, (_, photo) in enumerate(self.photos.validation):
            side = 192 // self.scale * self.scale
            y, x = ((length - side) // 2 for length in photo.shape[:2])
            light = scene.linearize(photo[max(y, 0) : y + side, max(x, 0) : x + side])
            height, width = (length // (4 * self.scale) * 4 * self.scale for length in light.shape[:2])
            large = torch.from_numpy(light[:height, :width].transpose(2, 0, 1).copy())[None].to(self.device)
            small = torch.round(shrink_bicubic(srgb(large), self.scale).clamp(0, 1) * 255) / 255
            noise = torch.randn(1, 1, *small.shape[2:], generator=torch.Generator().manual_seed(index))
            shown = [small]
            for name, detail in (("", 0.0), ("_lively", 1.0)):
                found = srgb(model(linear(small), noise.to(self.device) * detail)[0]).clamp(0, 1)
                scores.setdefault(f"psnr_y{name}", []).append(_psnr(luma(found), luma(srgb(large))))
                if self.features is not None:
                    far = distance(self.features(found), self.features(srgb(large)))
                    scores.setdefault(f"distance{name}", []).append(float(far.mean()))
                shown.append(found)
            seen = shrink_area(large, self.scale)
            found = model(seen, torch.zeros_like(seen[:, :1]))[0]
            scores.setdefault("camera", []).append(_psnr(srgb(found), srgb(large)))
            smooth = F.interpolate(encode(seen), scale_factor=self.scale, mode="bicubic")
            scores.setdefault("camera_gain", []).append(
                scores["camera"][-1] - _psnr(srgb(decode(smooth)), srgb(large))
            )
            if pictures is not None and index < 6:
                shown[0] = F.interpolate(shown[0], scale_factor=self.scale, mode="nearest")
                row = [srgb8(linear(p))[0].permute(1, 2, 0).cpu().numpy() for p in (*shown, srgb(large))]
                strips.append(np.concatenate(row, 1))
        if pictures is not None:
            write_strip(pictures, strips)
        return {name: float(np.mean(values)) for name, values in scores.items()}


def _apart(found: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """Mean absolute difference over all pictures, rims left out."""
    each = []
    for a, b in zip(found, wanted, strict=True):
        rim = BORDER if min(a.shape[2:]) > 4 * BORDER else 2
        each.append((a - b)[..., rim:-rim, rim:-rim].abs().mean())
    return torch.stack(each).mean()


def _relativistic(better: Tensor, worse: Tensor) -> Tensor:
    """Relativistic average loss (Jolicoeur-Martineau 2018, arXiv:1807.00734): ``better`` ought to beat ``worse``."""
    first = F.softplus(-(better - worse.mean())).mean()
    return (first + F.softplus(worse - better.mean()).mean()) / 2


def srgb(light: Tensor) -> Tensor:
    """Linear light → sRGB, 0…1 and beyond (odd)."""
    size = light.abs()
    curve = torch.where(size <= 0.0031308, size * 12.92, 1.055 * (size + 1e-9) ** (1 / 2.4) - 0.055)
    return torch.sign(light) * curve


def linear(picture: Tensor) -> Tensor:
    """sRGB in 0…1 → linear light."""
    return torch.where(picture <= 0.04045, picture / 12.92, ((picture.clamp(min=0) + 0.055) / 1.055) ** 2.4)


def luma(picture: Tensor) -> Tensor:
    """Y of BT.601 in 16…235, of sRGB in 0…1, on a scale of 0…1: what the literature measures."""
    weights = torch.tensor((65.481, 128.553, 24.966)).to(picture)[None, :, None, None]
    return (torch.round(picture.clamp(0, 1) * 255) / 255 * weights).sum(1, keepdim=True) / 255 + 16 / 255


def _psnr(found: Tensor, wanted: Tensor) -> float:
    squared = ((found.clamp(0, 1) - wanted.clamp(0, 1)) ** 2)[..., 4:-4, 4:-4].mean()
    return float(-10 * torch.log10(squared + 1e-12))
