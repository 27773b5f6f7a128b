"""Opening RAW files: the only importer of rawpy (LibRaw)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rawpy
from numpy.typing import NDArray

from rawfix.cfa import CANONICAL, Cfa
from rawfix.errors import CorruptRawError, UnsupportedRawError
from rawfix.frame import RawFrame
from rawfix.io import dng_tags, raw_checks, raw_color, raw_levels
from rawfix.io.dng_bad_pixels import decode_bad_pixels
from rawfix.io.dng_tags import FileTags, RawTags
from rawfix.io.good_samples import with_saturation
from rawfix.io.lossy_levels import apply_levels, needs_levels
from rawfix.io.metadata import read_names
from rawfix.io.metadata_lens import read_lens_facts
from rawfix.io.raw_noise import estimate, file_noise
from rawfix.io.raw_planes import order_of, rows_of
from rawfix.io.utf8 import is_utf8
from rawfix.physics.sensor import SRGB_TO_XYZ

_FLIP_TO_ORIENTATION = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}
"""LibRaw's flip bits (1 mirror, 2 upside down, 4 transpose) → EXIF orientation."""


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    """What LibRaw gave; its own views die with the file, these are copies."""

    samples: NDArray[Any]
    pattern: NDArray[np.uint8] | None
    colors: int
    color_letters: str
    black: list[float]
    white: float
    white_per_channel: list[float] | None
    camera_wb: list[float]
    daylight_wb: list[float]
    cam_to_srgb: NDArray[np.float64]
    xyz_to_cam: NDArray[np.float64]
    margins: tuple[int, int]
    flip: int
    pixel_aspect: float
    iso: float
    lens: str


def read_raw(path: Path) -> RawFrame:
    """Read one RAW file of any kind LibRaw decodes.

    Parameters
    ----------
    path
        DNG, CR2, CR3, NEF, ARW, RAF, CRW, KDC …

    Returns
    -------
    RawFrame
        Visible samples in counts, nothing applied but the file's own linearisation. ``notes`` tells of
        every fallback. Sensors without a network (X-Trans, Quad …) are read like any other.

    Raises
    ------
    CorruptRawError
        Missing, empty, cut short, damaged, or without a picture.
    UnsupportedRawError
        Not a RAW file, or of a kind that cannot be decoded faithfully.
    """
    path = Path(path)
    raw_checks.check_file(path)
    tags = dng_tags.read_tags(path)
    raw_checks.check_extents(path, tags.raw)
    raw = tags.raw if tags.is_dng else None
    decoded = _decode(path, tags)
    if raw is not None and raw.is_float:
        decoded = _with_float_samples(path, decoded, raw)
    if raw is not None and raw.compression == dng_tags.LOSSY_JPEG and needs_levels(raw):
        samples = apply_levels(path, decoded.samples, raw)
        decoded = replace(decoded, samples=samples, black=[0.0] * 4, white=65535.0)
    # Lossy DNGs state their levels in 8-bit codes, LibRaw hands out the 16 bits they expand to.
    level_tags = raw if raw is not None and raw.compression != dng_tags.LOSSY_JPEG else None
    frame = _assemble(path, decoded, tags, raw, level_tags)
    raw_checks.check_samples(
        path, frame.mosaic, float(frame.black.min()), max(*frame.white, decoded.white), raw
    )
    frame.mosaic.flags.writeable = False
    if raw is not None and raw.opcodes_1:
        frame = raw_color.without_bad(_with_opcodes(frame, raw))
    return replace(with_saturation(frame), noise=file_noise(tags.raw) or estimate(frame))


def _with_opcodes(frame: RawFrame, raw: RawTags) -> RawFrame:
    """The frame with the bad pixels that its own opcode list names; by their place only, where codes were expanded."""
    if frame.cfa is None or raw.is_float:
        return frame
    by_value = raw.compression != dng_tags.LOSSY_JPEG
    try:
        bad = decode_bad_pixels(
            raw.opcodes_1, frame.mosaic, frame.origin, raw.linearization, by_value=by_value
        )
    except ValueError as error:
        note = f"the file's own list of bad pixels was left out: {error}"
        return replace(frame, notes=(*frame.notes, note))
    return replace(frame, known_bad=bad) if bad.any() else frame


def count_samples(path: Path) -> int:
    """Samples of the sensor, without decoding them; 0 for what LibRaw does not open: reading it will say why."""
    with raw_checks.captured_stderr():
        try:
            with _opened(path) as raw:
                return int(raw.sizes.raw_height) * int(raw.sizes.raw_width)
        except (rawpy.LibRawError, RuntimeError, NotImplementedError, ValueError, OSError):
            return 0


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """LibRaw's view of a file; one whose name LibRaw does not take is read for it."""
    with ExitStack() as open_files:
        named = str(path) if is_utf8(path) else open_files.enter_context(path.open("rb"))
        yield open_files.enter_context(rawpy.imread(named))


def _decode(path: Path, tags: FileTags) -> _Decoded:
    failure: Exception | None = None
    with raw_checks.captured_stderr() as messages:
        try:
            with _opened(path) as raw:
                decoded = _copy(raw)
        except (rawpy.LibRawError, RuntimeError, NotImplementedError, ValueError, OSError) as error:
            failure = error
    if failure is not None:
        raise raw_checks.explain_refusal(path, failure, tags.raw) from failure
    raw_checks.check_messages(path, messages)
    return decoded


def _copy(raw: Any) -> _Decoded:
    sizes = raw.sizes
    visible = raw.raw_image_visible
    if visible is None:
        raise ValueError("no sensor samples")
    per_channel = raw.camera_white_level_per_channel
    return _Decoded(
        samples=np.array(visible if visible.ndim == 2 else visible[..., :3], order="C"),
        pattern=None if raw.raw_pattern is None else np.array(raw.raw_pattern),
        colors=raw.num_colors,
        color_letters=raw.color_desc.decode("ascii", "replace"),
        black=[float(level) for level in raw.black_level_per_channel],
        white=float(raw.white_level),
        white_per_channel=None if per_channel is None else [float(level) for level in per_channel],
        camera_wb=list(raw.camera_whitebalance),
        daylight_wb=list(raw.daylight_whitebalance),
        cam_to_srgb=_libraw_matrix(raw),
        xyz_to_cam=np.array(raw.rgb_xyz_matrix, np.float64),
        margins=(sizes.top_margin, sizes.left_margin),
        flip=sizes.flip,
        pixel_aspect=float(sizes.pixel_aspect),
        iso=float(raw.other.iso_speed),
        lens=raw.lens.model,
    )


def _libraw_matrix(raw: Any) -> NDArray[np.float64]:
    """Camera → sRGB as LibRaw has it; zeros where it knows none.

    A few old cameras have a matrix inside LibRaw that is not handed out: it is fitted to two renders, one
    in sRGB and one in the camera's own colors.
    """
    stated = np.array(raw.color_matrix, np.float64)[:3]
    if stated.any() or np.any(raw.rgb_xyz_matrix) or raw.num_colors != 3 or raw.raw_image_visible.ndim != 2:
        return stated
    options: dict[str, Any] = {
        "half_size": True, "gamma": (1, 1), "no_auto_bright": True, "output_bps": 16, "user_flip": 0,
        "user_wb": [1.0, 1.0, 1.0, 1.0], "adjust_maximum_thr": 0.0,
    }  # fmt: skip
    plain = raw.postprocess(output_color=rawpy.ColorSpace.raw, **options).reshape(-1, 3)
    rendered = raw.postprocess(output_color=rawpy.ColorSpace.sRGB, **options).reshape(-1, 3)
    usable = ((rendered > 300) & (rendered < 60000)).all(1)
    if np.count_nonzero(usable) < 1000:
        return stated
    matrix = np.linalg.lstsq(
        plain[usable].astype(np.float64), rendered[usable].astype(np.float64), rcond=None
    )[0].T
    return stated if np.allclose(matrix, np.eye(3), atol=0.02) else np.asarray(matrix)


def _with_float_samples(path: Path, decoded: _Decoded, raw: RawTags) -> _Decoded:
    """Replace LibRaw's rescaled integers by the floats stored; mosaics become counts of 1/65535 of white."""
    stored = dng_tags.read_float_samples(path)
    if stored is None or stored.shape[:2] != raw.size:
        raise UnsupportedRawError(
            f"{path.name}: its floating-point samples cannot be decoded; save 16-bit integers"
        )
    top, left, bottom, right = raw.active_area
    stored = stored[top:bottom, left:right, ...]
    if stored.ndim == 3:
        return replace(decoded, samples=np.ascontiguousarray(stored[..., :3]), white=1.0, margins=(top, left))
    if not np.isfinite(stored).all():
        raise CorruptRawError(
            f"{path.name}: holds samples that are no numbers; copy the file again from its source"
        )
    # HDR mosaics go beyond white: the scale leaves room for the brightest sample.
    scale = 65535.0 / max(float(stored.max()), *(raw.white or (1.0,)))
    counts = np.clip(np.rint(stored * scale), 0, 65535).astype(np.uint16)
    return replace(decoded, samples=counts, white=scale * (raw.white or (1.0,))[0], margins=(top, left))


def _assemble(
    path: Path, decoded: _Decoded, tags: FileTags, raw: RawTags | None, levels: RawTags | None
) -> RawFrame:
    """Everything but the noise model; ``levels`` is the directory whose level tags apply, if any."""
    samples = decoded.samples
    area = raw.active_area if raw is not None else (*decoded.margins, 0, 0)
    origin = (decoded.margins[0] - area[0], decoded.margins[1] - area[1])
    order = order_of(raw)
    is_mono = samples.ndim == 2 and (decoded.pattern is None or decoded.colors == 1)
    cfa: Cfa | None = None
    if is_mono:
        cfa = CANONICAL["mono"]
    elif samples.ndim == 2 and decoded.pattern is not None:
        cfa = raw_levels.choose_cfa(
            path.name, decoded.pattern, decoded.color_letters, raw, tags.color_matrix, origin
        )

    white = raw_levels.channel_white(decoded.white, decoded.white_per_channel, levels)
    black = raw_levels.site_black(
        decoded.black, decoded.pattern if samples.ndim == 2 else None, levels, origin
    )
    if raw is not None and raw.is_float and samples.ndim == 2:
        black, white = black * (decoded.white / (raw.white or (1.0,))[0]), (decoded.white,) * 3
    if cfa is None:
        samples, white = raw_levels.common_black(samples, white, levels)
    else:
        black = raw_levels.to_multiple(black, cfa)

    cam_to_xyz, xyz_to_cam, matrix_note = raw_color.choose_cam_to_xyz(
        decoded.cam_to_srgb[:, order],
        decoded.xyz_to_cam[order],
        rows_of(tags.color_matrix, order),
    )
    wb, wb_note = raw_color.choose_wb(
        raw_color.as_shot([decoded.camera_wb[plane] for plane in order], tags.neutral, order),
        [decoded.daylight_wb[plane] for plane in order],
        xyz_to_cam,
        raw_levels.channel_means(samples, cfa, black, white),
    )
    if is_mono:
        wb, cam_to_xyz, wb_note, matrix_note = (1.0, 1.0, 1.0), SRGB_TO_XYZ.copy(), None, None
    make, model = (tags.make, tags.model) if tags.make or tags.model else read_names(path)
    height, width = samples.shape[:2]
    return RawFrame(
        mosaic=samples,
        cfa=cfa,
        black=black,
        white=white,
        wb=wb,
        cam_to_xyz=cam_to_xyz,
        noise=None,
        iso=decoded.iso if decoded.iso > 0 and decoded.iso != dng_tags.ISO_OVERFLOW else tags.iso,
        orientation=_FLIP_TO_ORIENTATION.get(decoded.flip, 1),
        camera=model if not make or model.lower().startswith(make.split()[0].lower()) else f"{make} {model}",
        lens=tags.lens or decoded.lens,
        black_rows=None if levels is None else raw_levels.delta(levels.black_rows, origin[0], height),
        black_columns=None if levels is None else raw_levels.delta(levels.black_columns, origin[1], width),
        pixel_aspect=decoded.pixel_aspect if decoded.pixel_aspect > 0 else 1.0,
        daylight_wb=None if is_mono else raw_color.daylight_wb(xyz_to_cam),
        origin=decoded.margins,
        lens_facts=read_lens_facts(path, tags.lens or decoded.lens, raw, origin),
        notes=(*tags.notes, *(note for note in (matrix_note, wb_note) if note)),
        wb_from_mean=wb_note == raw_color.GRAY_WORLD,
    )


def libraw_version() -> str:
    """Version of the LibRaw that decodes."""
    return ".".join(map(str, rawpy.libraw_version))
