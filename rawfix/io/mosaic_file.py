"""Mosaics without a RAW container, from machine-vision cameras and phones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.errors import SettingsError
from rawfix.frame import RawFrame, with_infrared
from rawfix.io import raw_checks, raw_color, raw_levels
from rawfix.io.mosaic_facts import MosaicFacts
from rawfix.io.mosaic_samples import read_samples
from rawfix.io.raw_noise import estimate
from rawfix.physics.sensor import SRGB_TO_XYZ

_NO_MATRIX = "the camera's color matrix is unknown: colors are approximate (sRGB primaries); --matrix sets it"
_NO_BLACK = "the black level is unknown: 0 is assumed; --black sets it"


def read_mosaic(path: Path, facts: MosaicFacts) -> RawFrame:
    """Read a mosaic by its description.

    Parameters
    ----------
    path
        ``.raw``, ``.bin``, ``.npy``, ``.tif``, ``.tiff`` or ``.png``.
    facts
        What the file does not say; ``cfa`` at least.

    Returns
    -------
    RawFrame
        Samples as stored, noise estimated from them; ``notes`` tells what was assumed.

    Raises
    ------
    SettingsError
        A fact is missing or contradicts the file or another fact.
    CorruptRawError, UnsupportedRawError
        See `read_samples` and `raw_checks.check_samples`.
    """
    assert facts.cfa is not None
    samples = read_samples(path, facts)
    mosaic = samples.mosaic
    white = facts.white if facts.white is not None else float(2**samples.bits - 1)
    black = _black(path, facts, facts.cfa)
    if float(black.max()) >= white:
        raise SettingsError(f"{path.name}: white {white:g} is not above black {black.max():g}; give --white")
    raw_checks.check_samples(path, mosaic, float(black.min()), white, None)
    mosaic.flags.writeable = False
    is_mono = facts.cfa.name == "mono"
    notes = [*samples.notes, *(() if facts.black is not None else (_NO_BLACK,))]
    cam_to_xyz = SRGB_TO_XYZ.copy()
    if facts.matrix is not None:
        rows = np.array(facts.matrix).reshape(3, 3)
        cam_to_xyz = SRGB_TO_XYZ @ (rows / rows.sum(axis=1, keepdims=True))
    elif not is_mono:
        notes.append(_NO_MATRIX)
    wb, wb_note = facts.wb, None
    if is_mono:
        wb = (1.0, 1.0, 1.0)
    elif wb is None:
        means = raw_levels.channel_means(mosaic, facts.cfa, black, (white,) * 3)
        wb, wb_note = raw_color.choose_wb((), (), None, means)
    frame = RawFrame(
        mosaic=mosaic,
        cfa=facts.cfa,
        black=black,
        white=(white,) * 3,
        wb=wb,
        cam_to_xyz=cam_to_xyz,
        noise=None,
        iso=None,
        orientation=1,
        camera=facts.camera or "",
        lens="",
        notes=(*notes, wb_note) if wb_note else tuple(notes),
        wb_from_mean=wb_note is not None,
    )
    return replace(frame, noise=estimate(frame))


def _black(path: Path, facts: MosaicFacts, cfa: Cfa) -> NDArray[np.float32]:
    """Level per site, or ``(1, 1)``."""
    levels = facts.black or (0.0,)
    if len(levels) == 1:
        return np.full((1, 1), levels[0], np.float32)
    if len(levels) != 3 + cfa.has_infrared:
        channels = "four channels (R,G,B,IR)" if cfa.has_infrared else "three channels (R,G,B)"
        raise SettingsError(
            f"{path.name}: --black has {len(levels)} levels, its filter array {channels}; give one a channel, or one"
        )
    table = with_infrared((levels[0], levels[1], levels[2]))
    table[3] = levels[-1]
    return raw_levels.reduce_period(table[cfa.unit()])
