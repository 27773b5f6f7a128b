"""What the good samples of a frame tell of it: saturation, and the white balance where nothing else does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import RawFrame
from rawfix.io.raw_color import without_bad
from rawfix.physics.saturation import find_saturation

_SATURATES = "the sensor saturates at "
"""How the note begins."""


def with_saturation(frame: RawFrame) -> RawFrame:
    """The frame with the level at which its sensor saturates, where its good samples show that below white."""
    if frame.cfa is None or frame.cfa.name == "mono" or frame.mosaic.dtype != np.uint16:
        return frame
    black = float(frame.black.mean())
    level = find_saturation(frame.mosaic, frame.cfa, black, max(frame.white), frame.wb, frame.known_bad)
    notes = tuple(note for note in frame.notes if not note.startswith(_SATURATES))
    frame = replace(frame, saturation=(1.0, 1.0, 1.0), saturation_from_samples=True, notes=notes)
    if level is None:
        return frame
    red, green, blue = (min((level - black) / (white - black), 1.0) for white in frame.white)
    note = f"{_SATURATES}{level:.0f} of {max(frame.white):g} counts: highlights go by that"
    return replace(frame, saturation=(red, green, blue), notes=(*notes, note))


def with_known(frame: RawFrame, known: NDArray[np.bool_] | None) -> RawFrame:
    """The frame with other samples known to be bad, and with what its samples tell taken anew without them.

    Parameters
    ----------
    frame
        As read.
    known
        ``(H, W)`` bool in place of its ``known_bad``; None where nothing is known. Nothing is taken anew where the
        same samples were known before.
    """
    changed = replace(frame, known_bad=known)
    if _are_alike(frame.known_bad, known):
        return changed
    changed = without_bad(changed)
    return with_saturation(changed) if changed.saturation_from_samples else changed


def _are_alike(first: NDArray[np.bool_] | None, second: NDArray[np.bool_] | None) -> bool:
    if first is None or second is None:
        return not any(bad is not None and bad.any() for bad in (first, second))
    return np.array_equal(first, second)
