"""Training of a noise generator against its discriminator: resume, step, checkpoint, one line to ``metrics.jsonl``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rawfix.cfa import CANONICAL
from rawfix.training.networks.noise_generator import (
    NoiseDiscriminator,
    NoiseGenerator,
    discriminator_loss,
    draw_normal,
    generator_loss,
)
from rawfix.training.noise_generator import CameraNoise, law_to_dict
from rawfix.training.noise_samples import Law, Samples, measure_law
from rawfix.training.progress import Reporter

CHECKPOINT = "noise.pt"


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """One run: `minutes` of training, or `steps` where positive; patches are drawn from all bursts alike."""

    seed: int = 1
    minutes: float = 10.0
    steps: int = 0
    batch: int = 8
    patch: int = 64
    widths: tuple[int, ...] = (16, 24)
    judge: int = 16
    generator_rate: float = 1e-3
    mixer_rate: float = 1e-2
    discriminator_rate: float = 2e-3
    ema: float = 0.99
    checkpoint_minutes: float = 3.0


@dataclass(frozen=True, slots=True)
class NoiseBatch:
    """Patches ``(N, 1, P, P)`` of truth, real frame and deviation, and their gains ``(N, 2)``."""

    truth: Tensor
    real: Tensor
    sigma: Tensor
    gains: Tensor


def draw_batch(samples: list[Samples], law: Law, config: NoiseConfig, rng: np.random.Generator) -> NoiseBatch:
    """Patches of random frames of random bursts, in the filter array's phase, mirrored never: rows are rows."""
    truths, reals, sigmas, gains = [], [], [], []
    for _ in range(config.batch):
        sample = samples[int(rng.integers(len(samples)))]
        steps = (lcm(2, length) for length in CANONICAL[sample.family].period)
        y, x = (
            int(rng.integers((side - config.patch) // step + 1)) * step
            for side, step in zip(sample.truth.shape, steps, strict=True)
        )
        window = np.s_[y : y + config.patch, x : x + config.patch]
        truths.append(sample.truth[window])
        reals.append(sample.noisy[int(rng.integers(len(sample.noisy)))][window])
        sigmas.append(law.sigma(truths[-1], sample.gains))
        gains.append(sample.gains)
    truth, real, sigma = (
        torch.from_numpy(np.stack(plane).astype(np.float32))[:, None] for plane in (truths, reals, sigmas)
    )
    return NoiseBatch(truth, real, sigma, torch.from_numpy(np.stack(gains).astype(np.float32)))


class Rivals:
    """Generator, its running average, discriminator, and their optimisers."""

    def __init__(self, config: NoiseConfig) -> None:
        self.config = config
        self.generator, self.average = NoiseGenerator(config.widths), NoiseGenerator(config.widths)
        self.average.load_state_dict(self.generator.state_dict())
        self.discriminator = NoiseDiscriminator(config.judge)
        mixer = {
            "params": [*self.generator.mixer.parameters(), self.generator.hinges],
            "lr": config.mixer_rate,
        }
        groups: tuple[list[dict[str, Any]], ...] = (
            [{"params": list(self.generator.trunk.parameters()), "lr": config.generator_rate}, mixer],
            [{"params": list(self.discriminator.parameters()), "lr": config.discriminator_rate}],
        )
        self.optimizers = [torch.optim.Adam(group, betas=(0.5, 0.9)) for group in groups]
        self.rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in self.optimizers]

    def parts(self) -> Iterator[tuple[str, Any]]:
        """What a checkpoint holds, by name."""
        yield from (
            ("raw_generator", self.generator),
            ("generator", self.average),
            ("discriminator", self.discriminator),
            ("generator_optimizer", self.optimizers[0]),
            ("discriminator_optimizer", self.optimizers[1]),
        )

    def step(self, batch: NoiseBatch, normal: Tensor, progress: float) -> dict[str, float]:
        """One step of each; learning rates fall linearly over the second half."""
        for optimizer, rates in zip(self.optimizers, self.rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * min(1.0, 2.02 - 2 * progress)
        noise = self.generator(batch.truth, batch.gains, normal, batch.sigma)
        fake = torch.clamp(batch.truth + noise, max=1)

        def judge(fake: Tensor) -> tuple[Tensor, Tensor]:
            condition = (batch.truth, batch.gains)
            return (
                self.discriminator(*condition, batch.real, fake, batch.sigma),
                self.discriminator(*condition, fake, batch.real, batch.sigma),
            )

        judged = discriminator_loss(*judge(fake.detach()))
        self._descend(self.optimizers[1], judged)
        self.discriminator.requires_grad_(False)
        fooled = generator_loss(*judge(fake))
        self._descend(self.optimizers[0], fooled)
        self.discriminator.requires_grad_(True)
        with torch.no_grad():
            for slow, fast in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                slow.lerp_(fast, 1 - self.config.ema)
        return {"discriminator": float(judged.detach()), "generator": float(fooled.detach())}

    @staticmethod
    def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in optimizer.param_groups:
            nn.utils.clip_grad_norm_(group["params"], 1.0)
        optimizer.step()


def train_noise(run: Path, samples: list[Samples], config: NoiseConfig, reporter: Reporter) -> CameraNoise:
    """Train until the budget is spent; resumes where a checkpoint lies in ``run``, on the same bursts.

    Parameters
    ----------
    run
        Directory of the run: ``noise.pt``, ``metrics.jsonl``.
    samples
        Of one camera, at several gains.

    Raises
    ------
    ValueError
        A burst smaller than a patch, several filter arrays, or a checkpoint of other networks.
    """
    smallest = min(min(sample.truth.shape) for sample in samples)
    if smallest < config.patch:
        raise ValueError(f"a burst has a side of {smallest}; patches are {config.patch}: give larger bursts")
    run.mkdir(parents=True, exist_ok=True)
    family, *others = sorted({sample.family for sample in samples})
    if others:
        raise ValueError(
            f"bursts of {family} and of {', '.join(others)}: a generator learns one filter array"
        )
    path, law = run / CHECKPOINT, measure_law(samples)
    torch.manual_seed(config.seed)
    rivals, step, spent = Rivals(config), 0, 0.0
    if path.exists():
        stored = torch.load(path, map_location="cpu", weights_only=True)
        if tuple(stored["config"]["widths"]) != config.widths or stored["config"]["judge"] != config.judge:
            raise ValueError(f"{path}: a run of other networks lies here; start another run")
        for name, part in rivals.parts():
            part.load_state_dict(stored[name])
        step, spent = stored["step"], stored["seconds"]
    rng = np.random.default_rng((config.seed, step))
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))

    def save() -> None:
        state = {name: part.state_dict() for name, part in rivals.parts()}
        state |= {
            "config": {**asdict(config), "widths": list(config.widths)},
            "law": law_to_dict(law),
            "family": family,
        }
        torch.save(state | {"step": step, "seconds": spent}, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)

    running: dict[str, float] = {}
    last_saved = spent
    try:
        while (progress := step / config.steps if config.steps else spent / (60 * config.minutes)) < 1:
            started = time.perf_counter()
            batch = draw_batch(samples, law, config, rng)
            normal = draw_normal((config.batch, config.patch, config.patch), generator)
            losses = rivals.step(batch, normal, progress)
            step, spent = step + 1, spent + time.perf_counter() - started
            running = {k: 0.98 * running.get(k, v) + 0.02 * v for k, v in losses.items()}
            reporter.step(step, progress, running)
            if spent - last_saved > 60 * config.checkpoint_minutes:
                last_saved = spent
                save()
    finally:
        save()
    line = {"step": step, "minutes": round(spent / 60, 2), "loss": running}
    with (run / "metrics.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
    return CameraNoise(rivals.average.eval(), law, family)
