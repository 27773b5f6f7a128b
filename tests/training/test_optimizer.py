"""The optimiser: what it makes orthogonal, what it leaves to Adam, and that it goes on where it was."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")

from rawfix.training.config import NETWORKS, RESTORERS, UPSCALERS  # noqa: E402
from rawfix.training.networks import build  # noqa: E402
from rawfix.training.optimizer import Optimizer, inner_weights, orthogonal  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("shape", [(16, 144), (72, 648), (224, 72), (32, 32)])
def test_orthogonal_keeps_directions_and_evens_out_their_sizes(shape: tuple[int, int]) -> None:
    u, _, vh = torch.linalg.svd(torch.randn(shape, generator=torch.manual_seed(3)), full_matrices=False)
    sizes = torch.logspace(0, -2, len(vh))
    made = u.T @ orthogonal(u @ torch.diag(sizes) @ vh) @ vh.T
    assert made.diagonal().min() > 0.6 and made.diagonal().max() < 1.3
    assert (made - torch.diag(made.diagonal())).abs().max() < 1e-2


def test_orthogonal_of_nothing_is_nothing() -> None:
    assert not orthogonal(torch.zeros(16, 144)).any()


@pytest.mark.parametrize(
    "config", [*NETWORKS.values(), *RESTORERS.values(), *UPSCALERS.values()], ids=lambda c: str(c)[:60]
)
def test_every_weight_has_one_optimizer_and_ends_have_adam(config: object) -> None:
    model = build(config)  # type: ignore[arg-type]
    groups = [
        p for part in Optimizer(model, 1e-3, "muon").parts for g in part.param_groups for p in g["params"]
    ]
    assert sorted(map(id, groups)) == sorted(map(id, model.parameters()))
    names = {id(p): name for name, p in model.named_parameters()}
    inner = [names[id(p)] for p in inner_weights(model)]
    assert inner
    assert not any(part in name.split(".") for name in inner for part in (*model.linear_layers, *model.ends))


def _steps(model: torch.nn.Module, optimizer: Optimizer, count: int) -> None:
    for _ in range(count):
        model.zero_grad()
        sum(((p - 1) ** 2).sum() for p in model.parameters()).backward()
        optimizer.step(1e-3)


@pytest.mark.parametrize("kind", ["muon", "adam"])
def test_a_stored_state_goes_on_as_if_never_stopped(kind: str) -> None:
    torch.manual_seed(0)
    model, other = build(RESTORERS["fast"]), build(RESTORERS["fast"])
    optimizer = Optimizer(model, 1e-3, kind)
    _steps(model, optimizer, 3)
    other.load_state_dict(model.state_dict())
    resumed = Optimizer(other, 1e-3, kind)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    _steps(model, optimizer, 2)
    _steps(other, resumed, 2)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_states_of_runs_from_before_muon_are_read() -> None:
    model = build(UPSCALERS["fast"])
    plain = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.99))
    sum((p**2).sum() for p in model.parameters()).backward()
    plain.step()
    optimizer = Optimizer(model, 1e-3, "adam")
    optimizer.load_state_dict(plain.state_dict())
    assert len(optimizer.parts[0].state_dict()["state"]) == len(list(model.parameters()))


def test_threads_are_as_before_after_a_step() -> None:
    model, threads = build(RESTORERS["fast"]), torch.get_num_threads()
    _steps(model, Optimizer(model, 1e-3, "muon"), 1)
    assert torch.get_num_threads() == threads


def test_an_optimizer_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="optimiser sgd: there is muon, adam"):
        Optimizer(build(RESTORERS["fast"]), 1e-3, "sgd")
