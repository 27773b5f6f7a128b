from __future__ import annotations

import pytest

from rawfix.errors import ManifestError
from rawfix.nn.contract import CONTRACTS, find_contract


def test_the_table_is_closed():
    assert set(CONTRACTS) == {"demosaic-v1", "restore-v1", "upscale-x2-v1", "upscale-x4-v1"}
    with pytest.raises(ManifestError, match=r"demosaic-v9.*demosaic-v1"):
        find_contract("demosaic-v9")


@pytest.mark.parametrize(
    ("name", "task", "scale"),
    [("demosaic-v1", "demosaic", 1), ("restore-v1", "restore", 1), ("upscale-x4-v1", "upscale-x4", 4)],
)
def test_a_contract_knows_its_task_and_scale(name, task, scale):
    assert (find_contract(name).task, find_contract(name).scale) == (task, scale)


def test_planes_of_one_side_have_different_names():
    for contract in CONTRACTS.values():
        for planes in (contract.inputs, contract.outputs):
            assert len({plane.name for plane in planes}) == len(planes)
