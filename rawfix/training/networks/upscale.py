"""The super-resolution generator: multi-grid back-projection with one input noise.

After JP 7446997 B2 and Navarrete Michelini et al. 2018, arXiv:1809.10711. Every step doubles the resolution with the
same weights. Features of the high resolution are corrected, several times, by what is left when they are brought
down to every lower level and held against that level's own features. The noise joins the features of the input: its
amplitude chooses between the least error (0) and the most natural detail (1).

The image is encoded inside, so light stays linear outside; the network only adds to the bicubic picture.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rawfix.training.config import UpscaleConfig
from rawfix.training.networks.encoding import decode, encode
from rawfix.training.networks.layers import LEAK, activate, conv
from rawfix.training.networks.packing import shuffle


class Bicubic(nn.Module):
    """Twice the size by Keys' cubic (a = −0.5): four 4×4 kernels and a shuffle, borders repeated."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        # The second of two pixels lies a quarter right of its input pixel, the first a quarter left.
        near = torch.tensor([_keys(1.25), _keys(0.25), _keys(0.75), _keys(1.75)])
        first, second = F.pad(near.flip(0), (0, 1)), F.pad(near, (1, 0))
        kernel = torch.stack([torch.outer(y, x) for y in (first, second) for x in (first, second)])
        self.register_buffer("kernel", kernel[:, None].repeat(3, 1, 1, 1), False)

    def forward(self, image: Tensor) -> Tensor:
        """``(N, 3, h, w)`` → ``(N, 3, 2h, 2w)``."""
        # Written out: as one operator the exporter cannot fold it.
        padded = torch.cat((image[:, :, :1], image[:, :, :1], image, image[:, :, -1:], image[:, :, -1:]), 2)
        padded = torch.cat((padded[..., :1], padded[..., :1], padded, padded[..., -1:], padded[..., -1:]), 3)
        return shuffle(F.conv2d(padded, self.kernel, groups=3), 2)


def _keys(distance: float) -> float:
    """Keys 1981, doi:10.1109/TASSP.1981.1163711."""
    if distance < 1:
        return 1.5 * distance**3 - 2.5 * distance**2 + 1
    return -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2 if distance < 2 else 0.0


def _block(inputs: int, outputs: int, layers: int, stride: int = 1) -> nn.Sequential:
    """Rectified convolutions, the last one linear; the stride is the first's."""
    widths = [inputs, *[outputs] * layers]
    parts: list[nn.Module] = []
    for index in range(layers):
        parts.append(conv(widths[index], widths[index + 1], stride=stride if index == 0 else 1))
        parts.append(nn.LeakyReLU(LEAK))
    return nn.Sequential(*parts[:-1])


class Up(nn.Module):
    """Features to twice their resolution; rectified, where they are asked to be, while pixels are few."""

    def __init__(self, inputs: int, width: int, layers: int, *, rectified: bool = False) -> None:
        super().__init__()
        self.low = _block(inputs, width, layers)
        self.out, self.rectified = conv(width, 4 * width), rectified

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, h, w)`` → ``(N, width, 2h, 2w)``."""
        found = self.out(activate(self.low(x)))
        return shuffle(activate(found) if self.rectified else found, 2)


class Correction(nn.Module):
    """One round of back-projection: fine features corrected by what they lack where they are brought down."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.down = _block(width, width, 1, stride=2)
        self.up = Up(width, width, layers)

    def forward(self, fine: Tensor, levels: list[Tensor]) -> Tensor:
        """``fine`` lies over the last of ``levels``; each is itself corrected by those below it."""
        if not levels:
            return fine
        low = self(self.down(fine), levels[:-1])
        return fine + self.up(levels[-1] - low)


class UpscaleNetwork(nn.Module):
    """Contract ``upscale-x2-v1`` or ``upscale-x4-v1``."""

    inputs = (("image", 3), ("noise", 1))
    outputs = ("upscaled",)
    linear_layers = ()
    ends = ("synthesis",)
    multiple = 2

    def __init__(self, config: UpscaleConfig) -> None:
        super().__init__()
        width, layers = config.width, config.layers
        self.scale, self.rounds = config.scale, config.rounds
        self.bicubic = Bicubic()
        self.analysis = _block(3, width, 1)
        self.down = _block(width, width, 1, stride=2)
        self.up = Up(2 * width + 1, width, 1, rectified=True)
        self.corrections = nn.ModuleList(Correction(width, layers) for _ in range(max(self.rounds)))
        self.synthesis = nn.Conv2d(width, 3, 3, padding=1)
        nn.init.zeros_(self.synthesis.weight)
        nn.init.zeros_(self.synthesis.bias)

    def pyramid(self, image: Tensor, noise: Tensor) -> list[Tensor]:
        """Encoded pictures of every step, the finest last: ``(N, 3, 2h, 2w)``, ``(N, 3, 4h, 4w)``, …"""
        current, plane, levels, pictures = encode(image), noise, [], []
        for rounds in self.rounds[: self.scale.bit_length() - 1]:
            smooth = self.bicubic(current)
            features = self.analysis(current)
            levels.append(features)
            fine = self.up(torch.cat((features, plane, self.down(self.analysis(smooth))), 1))
            for correction in self.corrections[:rounds]:
                fine = activate(correction(fine, levels))
            current = smooth + self.synthesis(fine)
            pictures.append(current)
            plane = shuffle(plane.expand(-1, 4, -1, -1), 2)  # the same noise, on more pixels
        return pictures

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor]:
        """``image (N, 3, h, w)`` linear and ``noise (N, 1, h, w)`` → the image at ``scale`` times the size, linear."""
        return (decode(self.pyramid(image, noise)[-1]),)

    def deliver(self, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The contract's outputs."""
        return outputs


class Discriminator(nn.Module):
    """Judges a whole pyramid at once: the finest picture goes down level by level, and each coarser one joins in."""

    def __init__(self, width: int, levels: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(conv(3, width) for _ in range(levels))
        self.bodies = nn.ModuleList(_block(width * min(k + 1, 2), width, 2, stride=2) for k in range(levels))
        self.tail = _block(width, width, 2, stride=2)
        self.score = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, pictures: list[Tensor]) -> Tensor:
        """Encoded pictures, the finest last → ``(N, 1, h', w')`` scores, unbounded."""
        x: Tensor | None = None
        for picture, head, body in zip(reversed(pictures), self.heads, self.bodies, strict=True):
            own = F.leaky_relu(head(picture), 0.2)
            x = F.leaky_relu(body(own if x is None else torch.cat((x, own), 1)), 0.2)
        assert x is not None
        return self.score(F.leaky_relu(self.tail(x), 0.2))
