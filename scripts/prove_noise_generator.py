"""Does a learned noise generator help? ``python scripts/prove_noise_generator.py --data PHOTOGRAPHS --work FOLDER``

A camera is simulated whose law nobody tells the training: row noise whose share grows with the gain, telegraph sites
that stay where they are, read noise of two stages. It shoots bursts; a generator learns from them; three small
denoisers with the same patches, steps and seed are trained on (a) Gaussian noise of the variance measured on the
bursts, (b) generated noise, (c) the true law, the limit. All are measured on single frames of scenes that none has
seen. ``--stage generator`` and ``--stage denoisers`` do either half.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from rawfix.cfa import CANONICAL
from rawfix.frame import Image
from rawfix.physics import scene
from rawfix.physics.noise import draw_white, quantize
from rawfix.training.burst_bundle import Counts, Levels, write_bundle
from rawfix.training.data import Photos, draw_crop, load
from rawfix.training.networks.encoding import encode
from rawfix.training.networks.restore import Trunk
from rawfix.training.noise_generator import CameraNoise, compare, load_noise
from rawfix.training.noise_samples import read_samples
from rawfix.training.noise_training import CHECKPOINT, NoiseConfig, train_noise
from rawfix.training.progress import Reporter

GAINS = (8.0, 32.0, 96.0)
SIDE, BLACK, WHITE = 192, 512, 16383
SCENES, FRAMES, DARKS = 4, 24, 24
FULL_WELL, READ_ELECTRONS, LATE_READ = 20000.0, 4.0, 2e-4
CFA = CANONICAL["bayer"]
Draw = Callable[[Image, float, np.random.Generator], Image]


class HiddenCamera:
    """Shot noise, two-stage read noise, row noise, telegraph sites."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng((seed, 1))
        self.telegraph = np.where(
            rng.random((SIDE, SIDE)) < 0.02, rng.exponential(5.0, (SIDE, SIDE)), 0.0
        ).astype(np.float32)

    def noise(self, signal: Image, gain: float, rng: np.random.Generator) -> Image:
        """One draw at the sensor's origin, before conversion; ``signal`` at most as large as the sensor."""
        height, width = signal.shape
        early = READ_ELECTRONS * gain / FULL_WELL
        field = draw_white(signal, gain / FULL_WELL, early**2 + LATE_READ**2, rng)
        row = 0.3 * early * (gain / GAINS[0]) ** 0.3
        field += np.float32(row) * rng.standard_normal((height, 1), np.float32)
        jumps = self.telegraph[:height, :width] * (rng.random(signal.shape) < 0.5)
        return np.asarray(field + np.float32(early) * jumps, np.float32)

    def moved_noise(self, signal: Image, gain: float, rng: np.random.Generator) -> Image:
        """As `noise`, its sites shuffled: what a patch anywhere on the sensor may have."""
        other = HiddenCamera(0)
        other.telegraph = rng.permutation(self.telegraph.ravel()).reshape(SIDE, SIDE)
        return other.noise(signal, gain, rng)

    def shoot(self, signal: Image, gain: float, rng: np.random.Generator) -> Counts:
        """Counts of one frame."""
        span = WHITE - BLACK
        recorded = quantize(signal + self.noise(signal, gain, rng), span, black=BLACK)
        return np.rint(recorded * span + BLACK).astype(np.uint16)


def expose(photo: np.ndarray) -> Image:
    """A picture as the mosaic of a dim scene: 0.35 of white, white balance 2/1/1.54."""
    wb = np.array((2.0, 1.0, 1.54), np.float32)
    return np.asarray(CFA.mosaic(scene.linearize(photo) * np.float32(0.35) / wb))


def central(photo: np.ndarray) -> np.ndarray:
    """The middle of a picture, half as large, so that it is sharp and has structure."""
    y, x = ((length - 2 * SIDE) // 4 * 2 for length in photo.shape[:2])
    large = photo[y : y + 2 * SIDE, x : x + 2 * SIDE]
    return large[::2, ::2]


def write_bursts(camera: HiddenCamera, photos: Photos, folder: Path, seed: int) -> list[Path]:
    """Bursts of some scenes at each gain, with dark frames."""
    rng, paths = np.random.default_rng((seed, 2)), []
    dark = np.zeros((SIDE, SIDE), np.float32)
    for gain in GAINS:
        levels = Levels(
            np.full((1, 1), BLACK, np.float32),
            np.full(3, WHITE, np.float32),
            np.array((gain, 1), np.float32),
            CFA,
        )
        for number in range(SCENES):
            signal = expose(central(photos.train[int(rng.integers(len(photos.train)))][1]))
            paths.append(folder / f"burst_{gain:g}_{number}.npz")
            write_bundle(
                paths[-1],
                (camera.shoot(signal, gain, rng) for _ in range(FRAMES)),
                (camera.shoot(dark, gain, rng) for _ in range(DARKS)),
                levels,
            )
    return paths


def small_network() -> torch.nn.Module:
    """Packed mosaic, deviation and detail, four planes each → noise in deviations, four planes."""
    return Trunk(12, 4, (16, 24, 32))


def train_denoiser(
    photos: Photos, learned: CameraNoise, draw: Draw, steps: int, seed: int
) -> torch.nn.Module:
    """A small U-shape that finds noise in units of the measured deviation; batches of four patches of 64."""
    torch.manual_seed(seed)
    rng = np.random.default_rng((seed, 3))
    noise_rng = np.random.default_rng((seed, 4))
    model = small_network()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * step / steps)))
        observed, clean, sigma = [], [], []
        for _ in range(4):
            signal = expose(draw_crop(photos.train, 64, rng))
            gain = float(np.exp(rng.uniform(np.log(GAINS[0]), np.log(GAINS[-1]))))
            clean.append(signal)
            observed.append(np.minimum(signal + draw(signal, gain, noise_rng), 1))
            sigma.append(learned.law.sigma(observed[-1], np.array((gain, 1), np.float32)))
        planes = [torch.from_numpy(np.stack(p).astype(np.float32))[:, None] for p in (observed, clean, sigma)]
        loss = (
            ((denoise(model, planes[0], planes[2]) - planes[1]) / planes[2].mean((1, 2, 3), True)) ** 2
        ).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


def denoise(model: torch.nn.Module, observed: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Mosaic less the noise found, ``(N, 1, H, W)``."""
    packed, deviation = F.pixel_unshuffle(observed, 2), F.pixel_unshuffle(sigma, 2)
    # Detail in deviations: noise has unit size there, which shortens the training.
    detail = (packed - F.avg_pool2d(packed, 5, 1, 2, count_include_pad=False)) / deviation
    seen = torch.cat((encode(packed) * 4, encode(deviation) * 4, detail), 1)
    return observed - sigma * F.pixel_shuffle(model(seen), 2)


def measure(
    models: dict[str, torch.nn.Module], camera: HiddenCamera, photos: Photos, learned: CameraNoise, seed: int
) -> dict[str, dict[str, float]]:
    """PSNR in dB (linear, peak 0.35, where the scenes end) by gain, over one frame of every held-back picture."""
    errors: dict[str, dict[str, list[float]]] = {}
    rng = np.random.default_rng((seed, 5))
    for _, photo in photos.validation:
        signal = expose(central(photo))
        for gain in GAINS:
            counts = camera.shoot(signal, gain, rng)
            observed = np.asarray((counts.astype(np.float32) - BLACK) / (WHITE - BLACK), np.float32)
            sigma = learned.law.sigma(observed, np.array((gain, 1), np.float32))
            tensors = [torch.from_numpy(p)[None, None] for p in (observed, sigma)]
            with torch.no_grad():
                results = {name: denoise(model, *tensors)[0, 0].numpy() for name, model in models.items()}
            for name, result in {"noisy": observed, **results}.items():
                by_gain = errors.setdefault(name, {})
                by_gain.setdefault(f"{gain:g}", []).append(psnr(result, signal))
    return {
        name: {
            **{g: round(float(np.mean(v)), 2) for g, v in by.items()},
            "all": round(float(np.mean(list(by.values()))), 2),
        }
        for name, by in errors.items()
    }


def psnr(result: Image, signal: Image) -> float:
    """In dB, peak 0.35."""
    return float(10 * np.log10(0.35**2 / np.mean((result - signal) ** 2)))


def learn(camera: HiddenCamera, photos: Photos, folder: Path, options: argparse.Namespace) -> None:
    """Shoot bursts, train the generator on them, print how its noise compares with the camera's."""
    samples = [
        read_samples(path, np.random.default_rng(options.seed))
        for path in write_bursts(camera, photos, folder, options.seed)
    ]
    config = NoiseConfig(
        seed=options.seed, steps=options.generator_steps, minutes=options.generator_minutes, batch=4
    )
    with Reporter() as reporter:
        learned = train_noise(folder / "run", samples, config, reporter)
    for found in compare(learned, samples[::SCENES], np.random.default_rng(options.seed)):
        print(json.dumps(found), flush=True)


def judge(
    camera: HiddenCamera, photos: Photos, learned: CameraNoise, folder: Path, options: argparse.Namespace
) -> None:
    """Train the denoisers that do not lie in the folder yet, print their PSNR."""

    def gaussian(signal: Image, gain: float, rng: np.random.Generator) -> Image:
        return draw_white(signal, *learned.law.at(gain), rng)

    def generated(signal: Image, gain: float, rng: np.random.Generator) -> Image:
        return learned.draw(signal, np.array((gain, 1), np.float32), rng)

    models = {}
    for name, draw in (("gaussian", gaussian), ("generated", generated), ("true law", camera.moved_noise)):
        path = folder / f"{name.replace(' ', '_')}_{options.denoiser_steps}.pt"
        if path.exists():
            models[name] = small_network()
            models[name].load_state_dict(torch.load(path, weights_only=True))
            continue
        started = time.monotonic()
        models[name] = train_denoiser(photos, learned, draw, options.denoiser_steps, options.seed)
        torch.save(models[name].state_dict(), path)
        print(f"denoiser on {name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    described = {"seed": options.seed, "steps": options.denoiser_steps, "pictures": len(photos.validation)}
    print(json.dumps({**described, "psnr": measure(models, camera, photos, learned, options.seed)}, indent=1))


def main() -> None:
    """Shoot, learn, train, measure, print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="photographs of 384 pixels or more a side")
    parser.add_argument("--work", type=Path, required=True, help="folder for bursts and the generator's run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stage", choices=("generator", "denoisers", "both"), default="both")
    parser.add_argument("--generator-minutes", type=float, default=10.0)
    parser.add_argument("--generator-steps", type=int, default=0, help="end by step count instead")
    parser.add_argument("--denoiser-steps", type=int, default=600)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    photos, camera = load(options.data, 2 * SIDE), HiddenCamera(options.seed)
    folder = options.work / f"seed_{options.seed}"
    if options.stage != "denoisers":
        learn(camera, photos, folder, options)
    if options.stage != "generator":
        judge(camera, photos, load_noise(folder / "run" / CHECKPOINT), folder, options)


if __name__ == "__main__":
    main()
