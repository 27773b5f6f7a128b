"""A run's checkpoint becomes ``models/<id>/``: ``python scripts/export_onnx/export.py RUN [MODELS]``."""

import sys
from pathlib import Path

from rawfix.training.export import export
from rawfix.training.loop import CHECKPOINT

if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: export.py RUN_DIRECTORY [MODELS_FOLDER]")
    run = Path(sys.argv[1])
    print(export(run / CHECKPOINT, Path(sys.argv[2]) if len(sys.argv) == 3 else Path("models")))
