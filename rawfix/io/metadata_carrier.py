"""A photograph's metadata in a file of one pixel, for when the RAW file is gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tifffile

from rawfix.io.metadata import copy_metadata
from rawfix.io.provenance import Origin


def to_carrier(origin: Origin) -> bytes:
    """A TIFF with the EXIF, XMP and IPTC of the RAW file and its sidecars, without provenance."""
    with TemporaryDirectory(prefix="rawfix-") as folder:
        path = Path(folder, "carrier.tif")
        tifffile.imwrite(path, np.zeros((1, 1, 3), np.uint8), photometric="rgb", metadata=None)
        copy_metadata(replace(origin, provenance=None), path)
        return path.read_bytes()
