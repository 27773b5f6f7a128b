"""The noise model of a file: stated by it, or measured from its own samples."""

from __future__ import annotations

import numpy as np

from rawfix.frame import NoiseModel, RawFrame, with_infrared
from rawfix.io.dng_tags import RawTags
from rawfix.io.raw_planes import order_of
from rawfix.physics.noise_estimation import estimate_noise, least_variance, most_shot

_LEAST_READ = least_variance(1 / 65535)
"""A profile may leave the read noise out; rounding alone is noise."""


def file_noise(raw: RawTags | None) -> NoiseModel | None:
    """NoiseProfile as a model: one pair for all channels, or one a plane."""
    pairs = raw.noise if raw is not None else ()
    if len(pairs) not in (1, 3, 4) or not all(
        np.isfinite(p).all() and min(p) >= 0 and max(p) > 0 for p in pairs
    ):
        return None
    order = order_of(raw)
    red, green, blue = (pairs[plane] for plane in order) if len(pairs) > max(order) else pairs[:1] * 3
    read = tuple(max(pair[1], _LEAST_READ) for pair in (red, green, blue))
    return NoiseModel((red[0], green[0], blue[0]), (read[0], read[1], read[2]), "file")


def estimate(frame: RawFrame) -> NoiseModel:
    """The noise model measured from the frame itself."""
    samples = frame.mosaic.astype(np.float32)
    height, width = samples.shape[:2]
    rows, columns = frame.black.shape
    black = np.tile(frame.black, (-(-height // rows), -(-width // columns)))[:height, :width]
    if frame.black_rows is not None:
        black = black + frame.black_rows[:, None]
    if frame.black_columns is not None:
        black = black + frame.black_columns[None, :]
    white = with_infrared(frame.white) - float(frame.black.mean())
    step = 1 / float(white.max()) if frame.mosaic.dtype == np.uint16 else 1e-6
    if frame.cfa is None:
        return estimate_noise((samples - black[..., None]) / white[:3], step=step, most_shot=most_shot(frame))
    channels = frame.cfa.unit()
    period = (-(-height // channels.shape[0]), -(-width // channels.shape[1]))
    scale = np.tile(white[channels], period)[:height, :width]
    return estimate_noise(
        np.asarray((samples - black) / scale, np.float32), channels, step=step, most_shot=most_shot(frame)
    )
