"""The restoration task: its pairs, its loss, its measure of validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rawfix.physics import noise, psf, scene
from rawfix.physics.lift_blown import lift_all
from rawfix.training.config import TrainConfig
from rawfix.training.data import Photos, draw_crop, stream
from rawfix.training.demosaic import srgb8, write_strip
from rawfix.training.demosaicers import open_demosaicers
from rawfix.training.learned_noise import maybe, open_for
from rawfix.training.linear import PERCEPTUAL_OFFSET
from rawfix.training.losses import inside, robust
from rawfix.training.networks.encoding import encode
from rawfix.training.restore_pairs import make_restore_pair

BORDER = 12
"""Pixels of a patch's rim that do not count: blur and demosaicing lacked their surroundings there."""


UNSEEN = 0.012
"""Of the perceptual encoding, about three steps of 8 bits: less is not seen as noise."""
LAMBDA_NOISE, LAMBDA_BLOTCHES, LAMBDA_BLUR = 0.1, 0.05, 2.0
"""With 0.1 and 1 for the latter two, blotches were half of the loss, and 0.5 dB of deblurring was unlearned."""
COMMON, LEFT = 5e-4, 4e-4
"""Squares in the perceptual encoding: the usual error of a patch, and the least that there is anyway."""
BLOTCH = 8
"""Pixels: noise that is wider than this is seen at arm's length, and hardly counts pixel by pixel."""


@dataclass(frozen=True, slots=True)
class RestoreBatch:
    """Camera images as our own demosaicing makes them, ``(N, 3, H, W)`` float32, and what they ought to be.

    ``quiet`` is what it makes of the mosaic without noise: what demosaicing leaves is in neither map. Asked to mend it
    too, a network spends four fifths of its loss on the texture of frames at low ISO, and mends nothing.
    """

    camera: Tensor
    sigma: Tensor
    quiet: Tensor
    seen: Tensor
    sharp: Tensor


class RestoreTask:
    """Everything the loop needs to know of restoration."""

    def __init__(self, config: TrainConfig, photos: Photos, device: str) -> None:
        self.config, self.photos, self.device = config, photos, device
        self.demosaicers = open_demosaicers(config, device)
        self.cfas = [demosaic.cfa for demosaic in self.demosaicers]
        self.families = [cfa.name for cfa in self.cfas]
        if config.noise_generator and "bayer" not in self.families:
            raise ValueError(
                "--noise draws for Bayer mosaics; name a --demosaic model of them too, or leave it out"
            )
        self.noise = open_for(config, "bayer")

    def initialize(self, model: nn.Module) -> None:
        """A restoration network starts by finding nothing."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of the task: nothing."""
        return {}

    def stream(self, step: int) -> Iterator[RestoreBatch]:
        """Endless batches from here on; a resumed run draws from a new stream."""
        for arrays in stream(self.draw, (self.config.seed, step), self.device):
            yield self.batch(arrays)

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """One batch of pairs, all of one demosaicer's filter array: sharp, seen, quiet, mosaic, sigma, shot, read, wb,
        which. Mosaics are as the pipeline shows them to a network, blown samples lifted.
        """
        config = self.config
        which = int(rng.integers(len(self.cfas)))
        noise = self.noise if self.families[which] == "bayer" else None
        crops = [draw_crop(self.photos.train, config.patch, rng) for _ in range(config.batch)]
        pairs = [
            make_restore_pair(
                crop,
                self.cfas[which],
                rng,
                natural=config.natural,
                learned=maybe(noise, config.generated, rng),
            )
            for crop in crops
        ]
        images = [np.stack([getattr(p, n) for p in pairs]).transpose(0, 3, 1, 2) for n in ("sharp", "seen")]
        cfa = self.cfas[which]
        mosaics = [
            np.stack([lift_all(getattr(p, n), cfa, p.wb) for p in pairs])[:, None]
            for n in ("quiet", "mosaic")
        ]
        sigma = np.stack([p.sigma for p in pairs])[:, None]
        models = [
            np.stack([np.asarray(getattr(p, n), np.float32) for p in pairs])[..., None, None]
            for n in ("shot", "read", "wb")
        ]
        return tuple(np.ascontiguousarray(a) for a in (*images, *mosaics, sigma, *models, np.array(which)))

    @torch.no_grad()
    def batch(self, arrays: tuple[Tensor, ...]) -> RestoreBatch:
        """Move to the device and demosaic."""
        moved = (torch.as_tensor(a).to(self.device, non_blocking=True) for a in arrays)
        sharp, seen, quiet, mosaic, sigma, shot, read, clip, which = moved
        demosaic, none = self.demosaicers[int(which)], torch.zeros_like(mosaic)
        camera, without = (torch.minimum(demosaic(plane, sigma, none)[0], clip) for plane in (mosaic, quiet))
        return RestoreBatch(camera, torch.sqrt(camera.clamp(min=0) * shot + read), without, seen, sharp)

    def loss(self, model: nn.Module, batch: RestoreBatch) -> tuple[Tensor, dict[str, float]]:
        """Loss of one batch and its parts."""
        noise_map, blur_map = model(batch.camera, batch.sigma)
        return restore_loss(noise_map, blur_map, batch)

    @torch.no_grad()
    def validate(self, model: nn.Module, pictures: Path | None = None) -> dict[str, float]:
        """CPSNR (8-bit sRGB) after denoising at three ISOs and gains by deblurring, on the held-back pictures."""
        scores: dict[str, list[float]] = {}
        strips: list[np.ndarray] = []
        for index, (_, photo) in enumerate(self.photos.validation):
            clean = _central(photo, 192)
            for name, gain, kernel, which in self.cases():
                camera, sigma = self._expose(clean, gain, kernel, np.random.default_rng(index), which)
                noise_map, blur_map = model(camera, sigma)
                result = camera - (blur_map if kernel is not None else noise_map)
                truth = torch.from_numpy(clean.transpose(2, 0, 1).copy())[None]
                before, after = (_psnr(x.cpu(), truth) for x in (camera, result))
                scores.setdefault(name, []).append(after - before if kernel is not None else after)
                if pictures is not None and index < 4 and name in ("iso_6400", "gauss_1.2"):
                    shown = [
                        srgb8(x.cpu()[0].permute(1, 2, 0) / 0.9).numpy() for x in (camera, result, truth)
                    ]
                    strips.append(np.concatenate(shown, 1))
        if pictures is not None:
            write_strip(pictures, strips)
        return {name: float(np.mean(values)) for name, values in scores.items()}

    def cases(self) -> list[tuple[str, float, np.ndarray | None, int]]:
        """`CASES` as the first demosaicer sees them, and the middle one of noise for each other filter array."""
        cases = [(*case, 0) for case in CASES]
        name, gain, blur = CASES[2]
        for which, cfa in enumerate(self.cfas):
            if cfa not in self.cfas[:which] and which > 0:
                cases.append((f"{name}_{self.families[which]}", gain, blur, which))
        return cases

    def _expose(
        self,
        clean: np.ndarray,
        gain: float,
        kernel: np.ndarray | None,
        rng: np.random.Generator,
        which: int,
    ) -> tuple[Tensor, Tensor]:
        """Camera image and sigma of a scene at an ISO of ``100·gain``: full well 90,000 e-, 2.5 e- read noise."""
        wb = np.array((2.0, 1.0, 1.54), np.float32)
        seen = clean if kernel is None else psf.blur(clean, (kernel,) * 3)
        cfa = self.cfas[which]
        multiplier = wb[cfa.channels((clean.shape[0], clean.shape[1]))]
        shot, read = gain / 90000, (2.5 / 90000 * gain) ** 2
        signal = cfa.mosaic(seen) / multiplier
        observed = np.minimum(signal + noise.draw_white(signal, shot, read, rng), 1)
        sigma = np.sqrt(noise.variance(observed, shot, read))
        mosaic, deviation = (
            torch.from_numpy(np.asarray(p * multiplier, np.float32))[None, None].to(self.device)
            for p in (observed, sigma)
        )
        camera, _ = self.demosaicers[which](mosaic, deviation, torch.zeros_like(mosaic))
        scale = torch.from_numpy(wb).to(self.device)[None, :, None, None]
        return camera, torch.sqrt(camera.clamp(min=0) * shot * scale + read * scale**2)


CASES: tuple[tuple[str, float, np.ndarray | None], ...] = (
    ("iso_100", 1, None),
    ("iso_1600", 16, None),
    ("iso_6400", 64, None),
    ("iso_25600", 256, None),
    ("gauss_0.8", 4, psf.gaussian(0.8)),
    ("gauss_1.2", 4, psf.gaussian(1.2)),
    ("disc_1.5", 4, psf.disc(1.5)),
    ("sharp", 4, psf.gaussian(0)),
)
"""Name, gain over ISO 100, and blur of what is validated: CPSNR without blur, the gain in dB with."""


def _cost(error: Tensor, weight: Tensor) -> Tensor:
    """Squared error below 0.02, linear beyond. An absolute one would be least for the median, and where a part of the
    patches is sharp already and nobody can tell how much, the median blur is none: nothing was ever learnt of it.
    ``weight (N, 1, 1, 1)`` is each patch's.
    """
    return 50 * (weight * robust(error, 0.02)).mean()


def _weight(batch: RestoreBatch) -> Tensor:
    """What a patch's error counts, ``(N, 1, 1, 1)``, about 1 on average: the less the more blur took from it.

    Where nobody can tell fine texture that is blurred from coarse one that is sharp, equal weights are best served by
    sharpening both: a third more error on what had been sharp is little beside what blur leaves elsewhere. Twenty
    minutes with these weights halved the loss on sharp pictures, from 1.1 to 0.5 dB, for 0.3 dB of the gain on blur.
    """
    taken = (encode(batch.seen) - encode(batch.sharp))[inside(BORDER)].square().mean((1, 2, 3), keepdim=True)
    return torch.sqrt(COMMON / (taken / 2 + LEFT))


def restore_loss(noise_map: Tensor, blur_map: Tensor, batch: RestoreBatch) -> tuple[Tensor, dict[str, float]]:
    """Each map against its own truth, both together against the sharp scene, what demosaicing leaves being in neither,
    and the patch mean in linear light.

    Errors are those of the picture that the map's removal leaves: in the perceptual encoding, but for noise, which
    counts in deviations of the noise model, by pixel and by the mean of `BLOTCH`-wide squares. In the encoding, what
    blur leaves in texture outweighs it: a network took 28 to 41 % of the noise from even gray at ISO 1600.
    """
    edge, weight = inside(BORDER), _weight(batch)
    noisy = (batch.camera - noise_map - batch.quiet)[edge] / _deviation(batch)[edge]
    deblurred = (encode(batch.seen - blur_map) - encode(batch.sharp))[edge]
    ideal = batch.quiet - batch.seen + batch.sharp
    both = (encode(batch.camera - noise_map - blur_map) - encode(ideal))[edge]
    shift = (batch.camera - noise_map - batch.quiet)[edge].mean((2, 3)).abs().mean()
    shift = shift + (batch.seen - blur_map - batch.sharp)[edge].mean((2, 3)).abs().mean()
    parts = {
        "noise": LAMBDA_NOISE * robust(noisy, 1.0).mean(),
        "blotches": LAMBDA_BLOTCHES * robust(BLOTCH * F.avg_pool2d(noisy, BLOTCH), 1.0).mean(),
        "blur": LAMBDA_BLUR * _cost(deblurred, weight),
        "both": _cost(both, weight),
        "exposure": shift,
    }
    total = torch.stack(list(parts.values())).sum()
    return total, {name: float(part.detach()) for name, part in parts.items()}


def _deviation(batch: RestoreBatch) -> Tensor:
    """The noise's, and no less than a step of the encoding that eyes do not see: ``(N, 3, H, W)``, linear light."""
    slope = torch.sqrt(torch.abs(batch.camera) + PERCEPTUAL_OFFSET)
    return torch.sqrt(batch.sigma**2 + (UNSEEN * slope) ** 2)


def _central(photo: np.ndarray, side: int) -> np.ndarray:
    """The middle of a picture as linear light at 0.9 of white."""
    y, x = ((length - side) // 2 for length in photo.shape[:2])
    crop = photo[max(y, 0) : max(y, 0) + side, max(x, 0) : max(x, 0) + side]
    height, width = (length // 48 * 48 for length in crop.shape[:2])
    return np.asarray(scene.linearize(crop[:height, :width]) * np.float32(0.9))


def _psnr(camera: Tensor, truth: Tensor) -> float:
    """CPSNR of 8-bit sRGB pictures, the rim left out."""
    shown = [srgb8(c / 0.9)[inside(BORDER)] / 255 for c in (camera, truth)]
    return float(-10 * torch.log10(((shown[0] - shown[1]) ** 2).mean() + 1e-12))
