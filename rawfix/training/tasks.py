"""What can be trained: one literal, no scanning of folders."""

from __future__ import annotations

from typing import Any

from rawfix.training.demosaic import DemosaicTask
from rawfix.training.restore import RestoreTask

TASKS: dict[str, Any] = {"demosaic": DemosaicTask, "restore": RestoreTask}
