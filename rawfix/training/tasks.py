"""What can be trained: one literal, no scanning of folders."""

from __future__ import annotations

from typing import Any

from rawfix.training.demosaic import DemosaicTask
from rawfix.training.restore import RestoreTask
from rawfix.training.upscale import UpscaleTask

TASKS: dict[str, Any] = {"demosaic": DemosaicTask, "restore": RestoreTask, "upscale": UpscaleTask}
