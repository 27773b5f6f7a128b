"""The optimiser: for the convolutions within a network, momentum made orthogonal; for all else, Adam.

Of a convolution's momentum, as a matrix (out, in · kernel), every direction counts alike (Muon: Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon; size of a step after Liu et al., arXiv 2502.16982). Networks of large
pictures have few weights, so that this costs a twentieth of a step on a CPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

KINDS = ("muon", "adam")

_MOMENTUM = 0.95
_ROUNDS = 5
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the iteration x ← (a + b·xxᵀ + c·(xxᵀ)²) x that draws all singular values near 1 (Jordan et al.)."""
_LIKE_ADAM = 0.2
"""Root mean square of an update at a learning rate of 1: about Adam's, so that one rate serves both."""


def orthogonal(matrix: Tensor) -> Tensor:
    """``(rows, columns)`` → nearly its orthogonal factor: the same singular vectors, singular values in 0.65…1.25.

    Those below a thousandth of the greatest stay smaller.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).T
    a, b, c = _COEFFICIENTS
    scaled = matrix / (matrix.norm() + 1e-12)
    # The iteration's factors are polynomials of the Gram matrix and commute: multiplied up on that, which is small.
    gram = scaled @ scaled.T
    unit = torch.eye(len(gram), device=gram.device)
    product = unit
    for _ in range(_ROUNDS):
        factor = a * unit + b * gram + c * gram @ gram
        product = factor @ product
        gram = factor @ gram @ factor
    return product @ scaled


class Orthogonal(torch.optim.Optimizer):
    """Steps along the orthogonal factor of Nesterov's momentum, for weights ``(out, in, kernel, kernel)``."""

    def __init__(self, weights: Iterable[Tensor], lr: float) -> None:
        super().__init__(weights, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """One step by the weights' gradients."""
        with _one_thread():
            for group in self.param_groups:
                for weight in group["params"]:
                    if weight.grad is not None:
                        self._update(weight, weight.grad, group["lr"])

    def _update(self, weight: Tensor, gradient: Tensor, rate: float) -> None:
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"].lerp_(gradient, 1 - _MOMENTUM)
        ahead = gradient.lerp(momentum, _MOMENTUM).reshape(len(weight), -1)
        size = _LIKE_ADAM * max(ahead.shape) ** 0.5
        weight.add_(orthogonal(ahead).reshape(weight.shape), alpha=-rate * size)


class Optimizer:
    """One of `KINDS`, else `ValueError`: ``muon`` is `Orthogonal` for `inner_weights`, Adam for the others."""

    def __init__(self, model: nn.Module, learning_rate: float, kind: str) -> None:
        if kind not in KINDS:
            raise ValueError(f"optimiser {kind}: there is {', '.join(KINDS)}")
        chosen = inner_weights(model) if kind == "muon" else []
        ids = {id(p) for p in chosen}
        others = [p for p in model.parameters() if id(p) not in ids]
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.Adam(others, lr=learning_rate, betas=(0.9, 0.99))
        ]
        if chosen:
            self.parts.append(Orthogonal(chosen, learning_rate))

    def step(self, learning_rate: float) -> None:
        """One step by the gradients, at this rate."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = learning_rate
            part.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """What a checkpoint keeps."""
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]] | dict[str, Any]) -> None:
        """Inverse of `state_dict`; Adam's alone, too."""
        every = [states] if isinstance(states, dict) else states
        for part, state in zip(self.parts, every, strict=True):
            part.load_state_dict(state)


def inner_weights(model: nn.Module) -> list[Tensor]:
    """The convolutions' weights within a network: no linear layer that means something, and no end of the network."""
    apart = {*getattr(model, "linear_layers", ()), *getattr(model, "ends", ())}
    return [p for name, p in model.named_parameters() if p.ndim == 4 and apart.isdisjoint(name.split("."))]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Matrices this small are done before a second thread has begun."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
