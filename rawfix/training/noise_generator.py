"""A trained noise generator: load it, draw from it, compare it with the camera it learned."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rawfix.frame import Image
from rawfix.training.networks.noise_generator import NoiseGenerator, draw_normal
from rawfix.training.noise_samples import Law, Samples, moments

_COMPARED = 8
"""Fields of each kind whose moments are compared, per burst."""


@dataclass(frozen=True, slots=True, eq=False)
class CameraNoise:
    """The noise of one camera, drawn by its generator.

    Attributes
    ----------
    network
        On the CPU, in evaluation.
    law
        Measured variance by gain: what the generator multiplies, and the noise model that goes with its samples.
    family
        Filter array it learned, in its canonical phase: a key of `rawfix.cfa.CANONICAL`.
    """

    network: NoiseGenerator
    law: Law
    family: str

    def draw(self, truth: Image, gains: Image, rng: np.random.Generator) -> Image:
        """One draw of noise for a mosaic.

        Parameters
        ----------
        truth
            ``(H, W)``: linear mosaic, black 0, white 1, before white balance, in the canonical phase of `family`.
        gains
            ``(2,)``: analog and digital, as in the bundles; between and at those trained on.

        Returns
        -------
        ``(H, W)`` float32, to be added to ``truth``; clip the sum at white.
        """
        height, width = truth.shape
        multiple = self.network.multiple
        padded = np.pad(truth, ((0, -height % multiple), (0, -width % multiple)), mode="edge")
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        planes = [
            torch.from_numpy(np.asarray(p, np.float32))[None, None]
            for p in (padded, self.law.sigma(padded, gains))
        ]
        normal = draw_normal((1, *padded.shape), generator)
        speeds = torch.from_numpy(np.asarray(gains, np.float32))[None]
        with torch.no_grad():
            made = self.network(planes[0], speeds, normal, planes[1])
        return np.asarray(made[0, 0, :height, :width].numpy())

    def draw_field(self, signal: Image, rng: np.random.Generator) -> tuple[Image, float, float]:
        """Noise for a mosaic ``(H, W)``, and its ``shot`` and ``read`` variance.

        The gain lies between the least and the greatest trained on, even in stops, all of it analog.
        """
        gain = float(np.exp(rng.uniform(np.log(self.law.gains[0]), np.log(self.law.gains[-1]))))
        return self.draw(signal, np.array((gain, 1), np.float32), rng), *self.law.at(gain)


def load_noise(checkpoint: Path) -> CameraNoise:
    """The generator of a checkpoint of ``python -m rawfix.training noise``.

    Raises
    ------
    FileNotFoundError, ValueError
        Missing, or of another kind of run.
    """
    if not checkpoint.is_file():
        raise FileNotFoundError(f"{checkpoint}: there is no such checkpoint of a noise generator")
    stored: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    if "law" not in stored or "generator" not in stored:
        raise ValueError(f"{checkpoint}: no noise generator; make one with python -m rawfix.training noise")
    network = NoiseGenerator(tuple(stored["config"]["widths"]))
    network.load_state_dict(stored["generator"])
    law = Law(**{name: tuple(values) for name, values in stored["law"].items()})
    return CameraNoise(network.eval(), law, stored["family"])


def law_to_dict(law: Law) -> dict[str, list[float]]:
    """Plain values, for a checkpoint."""
    return {name: list(values) for name, values in asdict(law).items()}


def compare(noise: CameraNoise, samples: list[Samples], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Moments of real, generated and Gaussian noise on each sample's truth, in deviations of the measured law."""
    found = []
    for sample in samples:
        sigma = noise.law.sigma(sample.truth, sample.gains)
        number = min(len(sample.noisy), _COMPARED)

        def clipped(field: Image, truth: Image = sample.truth) -> Image:
            return np.minimum(truth + field, 1) - truth

        fields = {
            "real": sample.noisy[:number] - sample.truth,
            "generated": np.stack(
                [clipped(noise.draw(sample.truth, sample.gains, rng)) for _ in range(number)]
            ),
            "gaussian": np.stack(
                [clipped(sigma * rng.standard_normal(sigma.shape, np.float32)) for _ in range(number)]
            ),
        }
        measured = {
            name: {k: round(v, 4) for k, v in moments(sample.truth, field, sigma).items()}
            for name, field in fields.items()
        }
        found.append({"gains": [round(float(g), 3) for g in sample.gains], **measured})
    return found
