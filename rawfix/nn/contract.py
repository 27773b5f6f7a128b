"""What a network promises: the closed table of contracts between `rawfix` and its models."""

from __future__ import annotations

from dataclasses import dataclass

from rawfix.errors import ManifestError


@dataclass(frozen=True, slots=True)
class Plane:
    """One named input or output of a network.

    Attributes
    ----------
    name
        Name of the tensor in the graph.
    channels
        The channel counts allowed, in most cases one.
    meaning
        What the values stand for.
    """

    name: str
    channels: tuple[int, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class Contract:
    """The meaning of a network's inputs and outputs; a change of meaning is a new name, never an edit.

    Common to every contract:

    * Layout: each plane is one NCHW float32 tensor, full resolution; a network that likes a packed mosaic
      packs it inside its graph. N is 1.
    * Size: all inputs of a call share height and width, both multiples of the manifest's ``multiple``; an
      output is ``scale`` times as high and wide, pixel ``(scale·y, scale·x)`` above input pixel ``(y, x)``.
    * Range: linear light after white balance, black 0, and the white level 1 before white balance (so a
      channel with multiplier m saturates at m). Signed below black and unclipped above white. Any encoding
      a network likes is inside its graph.
    * Order: camera channels are red, green, blue and, where there is a fourth, infrared.
    * Reach: an output pixel depends on inputs no farther than the manifest's ``halo``; no statistic is
      taken over the tile, there is no free gain. Moving the inputs by ``multiple`` pixels moves the outputs
      by as many times ``scale``.

    Attributes
    ----------
    name
        ``<task>-v<n>``.
    inputs, outputs
        The planes, in the order of the graph.
    scale
        Output pixels per input pixel along each axis.
    """

    name: str
    inputs: tuple[Plane, ...]
    outputs: tuple[Plane, ...]
    scale: int = 1

    @property
    def task(self) -> str:
        """The name without its version: ``demosaic``, ``restore``, ``upscale-x2``."""
        return self.name.rsplit("-v", 1)[0]


_UPSCALE_INPUTS = (
    Plane("image", (3,), "camera image"),
    Plane("noise", (1,), "detail × N(0, 1) from a fixed seed; 0 = least error, 1 = most perceptual"),
)
_UPSCALE_OUTPUTS = (Plane("upscaled", (3,), "the same light at S times the resolution along each axis"),)

CONTRACTS: dict[str, Contract] = {
    contract.name: contract
    for contract in (
        Contract(
            "demosaic-v1",
            inputs=(
                Plane(
                    "mosaic", (1,), "sensor values; pixel (0, 0) of the tile is in the canonical CFA phase"
                ),
                Plane("sigma", (1,), "noise standard deviation, by the noise model at the observed value"),
                Plane("known_bad", (1,), "1 where the caller knows the sample is worthless, else 0"),
            ),
            outputs=(
                Plane("camera", (3, 4), "full color, noise kept, defects repaired; 4 with infrared"),
                Plane("bad", (1,), "probability, 0…1, that the sample is defective"),
            ),
        ),
        Contract(
            "restore-v1",
            inputs=(
                Plane("camera", (3,), "camera image as observed"),
                Plane("sigma", (3,), "noise standard deviation per channel, at the observed value"),
            ),
            outputs=(
                Plane("noise_map", (3,), "observed − ideal, the part that is noise"),
                Plane("blur_map", (3,), "observed − ideal, the part that is blur"),
            ),
        ),
        Contract("upscale-x2-v1", _UPSCALE_INPUTS, _UPSCALE_OUTPUTS, scale=2),
        Contract("upscale-x4-v1", _UPSCALE_INPUTS, _UPSCALE_OUTPUTS, scale=4),
    )
}
"""Every contract there is; a literal, so that a model can never bring its own."""


def find_contract(name: str) -> Contract:
    """The contract of that name; raises `ManifestError` for any other."""
    if name not in CONTRACTS:
        raise ManifestError(f"unknown contract {name!r}; this rawfix speaks {', '.join(CONTRACTS)}")
    return CONTRACTS[name]
