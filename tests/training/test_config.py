"""A run's config survives its checkpoint and its manifest."""

from __future__ import annotations

import json

import pytest

from rawfix.training.config import NetworkConfig, RestoreConfig, TrainConfig

pytestmark = pytest.mark.torch


def test_config_round_trip_through_json() -> None:
    config = TrainConfig(seed=3, steps=20, network=NetworkConfig(widths=(8, 8, 8), demosaicers=2))
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="momentum"):
        TrainConfig.from_dict({"momentum": 0.9})


def test_a_restoration_run_round_trips_too() -> None:
    config = TrainConfig(task="restore", demosaic=("models/x",), network=RestoreConfig((8, 8, 8), trunks=2))
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_a_run_that_named_its_one_demosaicer_as_text_is_read_still() -> None:
    values = TrainConfig(task="restore", network=RestoreConfig()).to_dict() | {"demosaic": "models/x"}
    assert TrainConfig.from_dict(values).demosaic == ("models/x",)
    assert TrainConfig.from_dict(values | {"demosaic": ""}).demosaic == ()
