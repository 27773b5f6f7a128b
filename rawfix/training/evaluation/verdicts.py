"""What a network flagged, by the kind that rawfix counts it as: told from the map and the mosaic, without the truth.

`rawfix.physics.bad_kinds` counts by these rules; here each sample gets its kind.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image
from rawfix.physics.bad_kinds import in_lines, judge
from rawfix.physics.neighbors import same_color_offsets, samples_at
from rawfix.training.evaluation.protocol import sigma

Bool = NDArray[np.bool_]
KINDS = ("warm", "hot", "dead", "stuck", "quiet", "cluster", "line")
"""Single samples by value, those that touch (patches too), and those of rows and columns."""
_NEIGHBORS = 12


def touching(points: Bool) -> Bool:
    """Points that have another among their eight neighbors."""
    height, width = points.shape
    padded = np.pad(points, 1).astype(np.int8)
    around = sum(
        (padded[y : y + height, x : x + width] for y in range(3) for x in range(3)),
        np.zeros(points.shape, np.int8),
    )
    return points & (around > 1)


def sort_verdicts(observed: Image, found: Bool, cfa: Cfa, iso: float) -> dict[str, Bool]:
    """Every flagged sample under one of `KINDS`.

    Parameters
    ----------
    observed
        ``(H, W)`` mosaic before white balance, white at 1, defects and all.
    found
        ``(H, W)``, what was flagged.
    cfa, iso
        Of the mosaic; the noise of that speed tells what is no outlier.
    """
    lines = in_lines(found)
    clusters = touching(found & ~lines)
    sorted_by = {"cluster": clusters, "line": lines}
    rows, columns = np.nonzero(found & ~lines & ~clusters)
    offsets = same_color_offsets(cfa, _NEIGHBORS)[rows % cfa.period[0], columns % cfa.period[1]]
    values, good = samples_at(observed, found, (rows, columns), offsets)
    around = np.where(good, values, np.nan).astype(np.float64)
    kinds = judge(
        observed[rows, columns].astype(np.float64), around, lambda light: sigma(light.astype(np.float32), iso)
    )
    for kind, chosen in kinds.items():
        sorted_by[kind] = np.zeros(found.shape, bool)
        sorted_by[kind][rows[chosen], columns[chosen]] = True
    return {kind: sorted_by[kind] for kind in KINDS}
