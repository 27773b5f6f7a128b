"""The directory of a DNG that describes its samples: a mosaic, or full color (LinearRaw).

Reference: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0, chapters 4 and 5.
"""

from __future__ import annotations

import numpy as np

from rawfix.cfa import Cfa
from rawfix.frame import NoiseModel, RawFrame
from rawfix.io.dng_bad_pixels import encode_bad_pixels
from rawfix.io.dng_ifd import Directory, byte, double, long, rational, short, undefined

CFA, LINEAR_RAW = 32803, 34892
BLACK_LEVEL, WHITE_LEVEL, CROP_ORIGIN, CROP_SIZE = 50714, 50717, 50719, 50720
NOISE_PROFILE, ACTIVE_AREA = 51041, 50829
_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR = (
    254, 256, 257, 258, 259, 262, 277, 284,
)  # fmt: skip


def cfa_directory(frame: RawFrame) -> Directory:
    """Everything about ``frame.mosaic`` but where its strips lie.

    Pixels, filter array of any period, black per site and per row and column, white, pixel aspect and noise
    model are kept; so is what is known to be bad, for Bayer arrays. DNG has one white for all channels: the least
    is written, see `white_span`. A monochrome sensor's mosaic is LinearRaw of one sample.
    """
    assert frame.cfa is not None
    height, width = frame.mosaic.shape
    black = np.asarray(frame.black, np.float64)
    is_mono = frame.cfa.period == (1, 1)
    directory = {
        **_picture(height, width, 1, LINEAR_RAW if is_mono else CFA, frame.pixel_aspect),
        50713: short(*black.shape),
        BLACK_LEVEL: rational(black),
        WHITE_LEVEL: long(round(min(frame.white))),
        **noise_entry(frame.noise, 1 if is_mono else 3, white_span(frame)),
    }
    if not is_mono:
        directory |= _pattern(frame.cfa)
    for tag, deltas in ((50715, frame.black_columns), (50716, frame.black_rows)):
        if deltas is not None:
            directory[tag] = rational(deltas, signed=True)
    if frame.known_bad is not None and frame.cfa.name == "bayer":
        directory[51008] = undefined(encode_bad_pixels(frame.known_bad, frame.cfa))
    return directory


def linear_directory(shape: tuple[int, int, int], white: int, noise: NoiseModel | None) -> Directory:
    """Full color of ``shape`` (height, width, samples), black at 0, pixels square.

    Black stays at 0 although a pedestal would keep the noise below it: of LinearRaw's BlackLevel,
    RawTherapee 5.9 subtracts a part and darktable 4.2 nothing.
    """
    height, width, samples = shape
    return {
        **_picture(height, width, samples, LINEAR_RAW, 1.0),
        50713: short(1, 1),
        BLACK_LEVEL: rational(np.zeros(samples)),
        WHITE_LEVEL: long(*[white] * samples),
        **noise_entry(noise, samples),
    }


def white_span(frame: RawFrame) -> tuple[float, float, float]:
    """Each channel's range from black to white over that of the channel that saturates first."""
    black = float(frame.black.mean())
    least = round(min(frame.white)) - black
    red, green, blue = ((white - black) / least for white in frame.white)
    return red, green, blue


def noise_entry(
    noise: NoiseModel | None, channels: int, span: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Directory:
    """NoiseProfile for samples that are ``span`` times the noise model's signal; empty for no model."""
    if noise is None:
        return {}
    pairs = zip(noise.shot, noise.read, span, strict=True)
    return {NOISE_PROFILE: double([(shot * by, read * by * by) for shot, read, by in pairs][:channels])}


def _picture(height: int, width: int, samples: int, photometric: int, pixel_aspect: float) -> Directory:
    return {
        _SUBFILE: long(0),
        _WIDTH: long(width),
        _HEIGHT: long(height),
        _BITS: short(*[16] * samples),
        _COMPRESSION: short(1),
        _PHOTOMETRIC: short(photometric),
        _SAMPLES: short(samples),
        _PLANAR: short(1),
        50718: rational([pixel_aspect, 1.0]),
        CROP_ORIGIN: long(0, 0),
        CROP_SIZE: long(width, height),
        ACTIVE_AREA: long(0, 0, height, width),
    }


def _pattern(cfa: Cfa) -> Directory:
    unit = cfa.unit()
    return {
        33421: short(*unit.shape),
        33422: byte(unit.tobytes()),
        50710: byte(b"\x00\x01\x02"),
        50711: short(1),
    }
