"""Writing a frame as an uncompressed CFA DNG 1.4.

Reference: Adobe, "Digital Negative (DNG) Specification", version 1.4.0.0, 2012.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from rawfix.errors import OutputError
from rawfix.frame import RawFrame
from rawfix.io.atomic import replacing
from rawfix.io.exif_block import ExifValue, append_exif

_CFA, _LINEAR_RAW = 32803, 34892
_D65 = 21
_DENOMINATOR = 1_000_000
_Tag = tuple[int, str, int, Any, bool]


@dataclass(frozen=True, slots=True)
class DngExif:
    """What a DNG can say about the exposure beyond the frame; empty or None is left out.

    Attributes
    ----------
    make, model, serial
        The camera's; ``model`` defaults to the frame's camera name.
    lens
        Defaults to the frame's.
    datetime
        ``"YYYY:MM:DD HH:MM:SS"``, when the picture was taken.
    exposure_time, f_number, focal_length
        Seconds, the aperture number, millimeters.
    """

    make: str = ""
    model: str = ""
    serial: str = ""
    lens: str = ""
    datetime: str = ""
    exposure_time: float | None = None
    f_number: float | None = None
    focal_length: float | None = None


def write_cfa_dng(
    path: Path, frame: RawFrame, exif: DngExif | None = None, *, overwrite: bool = False
) -> None:
    """Write the mosaic with all that developing it needs; `read_raw` gives the same frame back.

    Pixels, filter array of any period, black per site and per row and column, white, white balance,
    orientation, speed, pixel aspect and noise model are kept. The colour matrix is stated for D65, with the
    as-shot neutral as the camera's answer to D65: a reader that balances to the as-shot neutral gets
    ``frame.cam_to_xyz``, but its colour temperature slider starts at 6500 K. DNG has one white for all
    channels: the least is written.

    Parameters
    ----------
    path
        The target, usually ``*.dng``; written beside it, then renamed.
    frame
        With a ``(H, W)`` uint16 mosaic.
    exif
        Exposure data to add.
    overwrite
        Whether an existing target may be replaced.

    Raises
    ------
    OutputError
        The frame has no mosaic, or the target cannot be written.
    """
    if frame.cfa is None or frame.mosaic.dtype != np.uint16 or frame.mosaic.ndim != 2:
        raise OutputError(f"{path.name}: the picture is already full colour; a CFA DNG needs a mosaic")
    exif = exif or DngExif()
    is_mono = frame.cfa.period == (1, 1)
    with replacing(path, overwrite) as temporary:
        with tifffile.TiffWriter(temporary, byteorder="<", bigtiff=False) as file:
            file.write(
                np.ascontiguousarray(frame.mosaic),
                photometric=_CFA,
                compression=None,
                rowsperstrip=frame.mosaic.shape[0],
                subfiletype=0,
                metadata=None,
                software="rawfix",
                extratags=_tags(frame, exif, is_mono),
            )
        append_exif(temporary, _exif(frame, exif), _LINEAR_RAW if is_mono else _CFA)


def _tags(frame: RawFrame, exif: DngExif, is_mono: bool) -> list[_Tag]:
    height, width = frame.mosaic.shape
    model = _ascii(exif.model or frame.camera) or "Unknown"
    make = _ascii(exif.make or model.split()[0])
    name = model if model.lower().startswith(make.split()[0].lower()) else f"{make} {model}"
    black = np.asarray(frame.black, np.float64)
    neutral = 1 / np.array(frame.wb, np.float64)
    neutral /= neutral.max()
    tags: list[_Tag] = [
        (271, "s", 0, make, True),
        (272, "s", 0, model, True),
        (274, "H", 1, frame.orientation, True),
        (50706, "B", 4, b"\x01\x04\x00\x00", True),
        (50707, "B", 4, b"\x01\x01\x00\x00", True),
        (50708, "s", 0, name, True),
        (50713, "H", 2, black.shape, True),
        (50714, *_rational(black), True),
        (50717, "I", 1, round(min(frame.white)), True),
        (50718, *_rational(np.array([frame.pixel_aspect, 1.0])), True),
        (50719, "I", 2, (0, 0), True),
        (50720, "I", 2, (width, height), True),
        (50730, "2i", 1, (0, 1), True),
        (50829, "I", 4, (0, 0, height, width), True),
    ]
    if not is_mono:
        tags += _color_tags(frame, neutral)
    if frame.noise is not None:
        pairs = list(zip(frame.noise.shot, frame.noise.read, strict=True))[: 1 if is_mono else 3]
        tags.append((51041, "d", 2 * len(pairs), [value for pair in pairs for value in pair], True))
    for code, deltas in ((50715, frame.black_columns), (50716, frame.black_rows)):
        if deltas is not None:
            tags.append((code, *_rational(deltas, signed=True), True))
    if exif.serial:
        tags.append((50735, "s", 0, _ascii(exif.serial), True))
    if exif.datetime:
        tags.append((306, "s", 0, _ascii(exif.datetime), True))
    return sorted(tags, key=lambda tag: tag[0])


def _color_tags(frame: RawFrame, neutral: NDArray[np.float64]) -> list[_Tag]:
    assert frame.cfa is not None
    unit = frame.cfa.unit()
    color_matrix = np.diag(neutral) @ np.linalg.inv(frame.cam_to_xyz)
    return [
        (33421, "H", 2, unit.shape, True),
        (33422, "B", unit.size, unit.tobytes(), True),
        (50710, "B", 3, b"\x00\x01\x02", True),
        (50711, "H", 1, 1, True),
        (50721, *_rational(color_matrix, signed=True), True),
        (50728, *_rational(neutral), True),
        (50778, "H", 1, _D65, True),
    ]


def _exif(frame: RawFrame, exif: DngExif) -> dict[int, ExifValue]:
    values: dict[int, ExifValue] = {36864: b"0230"}
    if frame.iso is not None:
        iso = max(round(frame.iso), 1)
        values[34855] = min(iso, 65535)
        if iso > 65535:
            # Exif 2.3: the 16-bit field saturates, RecommendedExposureIndex (SensitivityType 2) holds it.
            values[34864], values[34866] = 2, iso
    for tag, text in ((36867, exif.datetime), (42036, exif.lens or frame.lens)):
        if text:
            values[tag] = _ascii(text)
    for tag, number in ((33434, exif.exposure_time), (33437, exif.f_number), (37386, exif.focal_length)):
        if number is not None:
            values[tag] = Fraction(number)
    return values


def _rational(values: NDArray[np.floating], signed: bool = False) -> tuple[str, int, tuple[int, ...]]:
    """TIFF type, count and numerators with denominators, in millionths; whole numbers over 1."""
    flat = [float(value) for value in np.ravel(values)]
    denominator = 1 if all(value.is_integer() for value in flat) else _DENOMINATOR
    if not signed and denominator > 1 and max(flat) * denominator >= 2**32:
        denominator = 10_000
    pairs = tuple(number for value in flat for number in (round(value * denominator), denominator))
    return ("2i" if signed else "2I"), len(flat), pairs


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
