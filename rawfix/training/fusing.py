"""Linear layers as the one convolution that each of them amounts to."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from rawfix.training.networks import Network
from rawfix.training.networks.ensemble import SelfEnsemble

Exportable = Network | SelfEnsemble


class Fused(nn.Module):
    """`LinearBank` or `LeaveOneOut` as the single convolution that runs."""

    def __init__(self, bank: nn.Module) -> None:
        super().__init__()
        kernel = bank.composed().detach()
        self.conv = nn.Conv2d(
            kernel.shape[1], kernel.shape[0], kernel.shape[2], padding=kernel.shape[2] // 2, bias=False
        )
        self.conv.weight = nn.Parameter(kernel)

    def forward(self, packed: Tensor) -> Tensor:
        """As the layer it stands for."""
        return self.conv(packed)


def fuse(model: Exportable) -> Exportable:
    """A copy whose linear layers are one convolution each; same results to float32 rounding."""
    fused = copy.deepcopy(model).cpu().eval()
    core = fused.core if isinstance(fused, SelfEnsemble) else fused
    for name in core.linear_layers:
        if hasattr(core, name):
            setattr(core, name, Fused(getattr(core, name)))
    return fused
