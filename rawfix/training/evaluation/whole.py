"""Whole frames through a network in torch: any size, bounded memory, as the pipeline treats them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import Image
from rawfix.nn.tiles import reflect
from rawfix.stages.demosaic import THRESHOLD
from rawfix.training.evaluation.protocol import multipliers, sigma
from rawfix.training.networks.demosaic import DemosaicNetwork

Bool = NDArray[np.bool_]
TILE = 1024
"""Core of a tile, in pixels; frames up to so much along both sides run in one piece."""


class Demosaicer:
    """A network as a function of a mosaic.

    Parameters
    ----------
    model
        The trained network.
    cfa
        Name of the filter array it was made for; mosaics are in its canonical phase.
    device
        ``cpu`` or ``cuda``.
    tile
        See `TILE`.
    """

    def __init__(self, model: DemosaicNetwork, cfa: str, device: str = "cpu", tile: int = TILE) -> None:
        self.model, self.device = model.to(device).eval(), device
        self.cfa: Cfa = CANONICAL[cfa]
        self.step = model.multiple
        self.tile = -(-tile // self.step) * self.step

    @cached_property
    def halo(self) -> int:
        """The network's reach, on the grid of its cells."""
        from rawfix.training.export import reach

        return -(-reach(self.model) // self.step) * self.step

    def __call__(self, plane: Image, iso: float = 100.0, known_bad: Bool | None = None) -> tuple[Image, Bool]:
        """Develop one mosaic.

        Parameters
        ----------
        plane
            ``(H, W)`` float32, linear, before white balance, white at 1; any size.
        iso
            Speed whose noise model the network is told.
        known_bad
            ``(H, W)`` bool, or None.

        Returns
        -------
        camera, bad
            White-balanced light ``(H, W, C)`` float32, and the bool map of replaced samples. Where that is
            False the measured sample is kept, as in the pipeline.
        """
        height, width = plane.shape
        gain = multipliers(self.cfa, plane.shape)
        known = np.zeros(plane.shape, bool) if known_bad is None else known_bad
        planes = (plane * gain, sigma(plane, iso) * gain, known.astype(np.float32))
        # A ring of what is not known, as far as the grid asks for and one cell more: reflected, in phase.
        index = [np.arange(-self.step, side + -side % self.step + self.step) for side in (height, width)]
        rows, cols = (
            reflect(i, side, self.cfa.period[0]) for i, side in zip(index, (height, width), strict=True)
        )
        padded = np.stack([p[rows][:, cols] for p in planes])
        padded[2] = 1
        inner = np.s_[self.step : self.step + height, self.step : self.step + width]
        padded[2][inner] = planes[2]
        camera, bad = self._run(padded.astype(np.float32))
        camera, bad = np.ascontiguousarray(camera[inner]), bad[inner] | known
        self.cfa.place(planes[0], camera, ~bad)
        return camera, bad

    def _run(self, planes: Image) -> tuple[Image, Bool]:
        """``(3, H, W)`` on the grid → camera ``(H, W, C)`` and verdicts, by tiles where it is large."""
        height, width = planes.shape[1:]
        if max(height, width) <= self.tile + 2 * self.step:
            return self._forward(planes)
        camera = np.empty((height, width, self.model.channels), np.float32)
        bad = np.empty((height, width), bool)
        for y in range(0, height, self.tile):
            for x in range(0, width, self.tile):
                y0, x0 = max(y - self.halo, 0), max(x - self.halo, 0)
                found = self._forward(
                    planes[:, y0 : y + self.tile + self.halo, x0 : x + self.tile + self.halo]
                )
                core = np.s_[y : y + self.tile, x : x + self.tile]
                tile = np.s_[y - y0 : y - y0 + self.tile, x - x0 : x - x0 + self.tile]
                camera[core], bad[core] = found[0][tile], found[1][tile]
        return camera, bad

    @torch.inference_mode()
    def _forward(self, planes: Image) -> tuple[Image, Bool]:
        tensors = (torch.from_numpy(np.ascontiguousarray(p))[None, None].to(self.device) for p in planes)
        camera, logits = self.model(*tensors)
        light = camera[0].permute(1, 2, 0).cpu().numpy()
        return light, (torch.sigmoid(logits)[0, 0] >= THRESHOLD).cpu().numpy()
