"""Writing a restored picture as a DNG that other RAW developers take over.

References: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0; TIFF/EP, ISO 12234-2.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import RawFrame
from rawfix.io import dng_opcodes
from rawfix.io.atomic import replacing
from rawfix.io.dng_bad_pixels import FIX_CONSTANT, FIX_LIST
from rawfix.io.dng_carry import OPCODES_1, OPCODES_2, OPCODES_3, Carried, read_carried
from rawfix.io.dng_ifd import Directory, append_directories, numbers, rational, read_first, undefined
from rawfix.io.dng_infrared import with_infrared_plane, without_infrared_plane
from rawfix.io.dng_levels import Levels, choose_levels, quantize
from rawfix.io.dng_main import main_directory
from rawfix.io.dng_metadata import write_skeleton
from rawfix.io.dng_opcodes import Opcode
from rawfix.io.dng_preview import append_preview, append_thumbnail
from rawfix.io.dng_raw import CROP_ORIGIN, CROP_SIZE, cfa_directory, linear_directory, white_span
from rawfix.io.dng_samples import append_samples
from rawfix.io.provenance import Origin
from rawfix.physics.noise import residual
from rawfix.settings import Settings

_NOISE_REDUCTION = 50935
_BEST_SCALE = 50780
_RAW_FACTS = (50733, 50737, 50738, _BEST_SCALE)


def write_negative(
    path: Path,
    samples: NDArray[Any],
    preview: NDArray[np.uint8],
    frame: RawFrame,
    wb: tuple[float, float, float],
    settings: Settings,
    origin: Origin,
    *,
    overwrite: bool,
    replaced: frozenset[int] = frozenset(),
) -> tuple[str, ...]:
    """Write a DNG, whole or not at all.

    The first directory holds a thumbnail and everything about camera, color and photograph; its
    sub-directories hold the raw picture and a JPEG preview. A DNG's own matrices, profile, lens data, crop
    and opcode lists are carried over; for other files the matrix is `frame.cam_to_xyz`.

    Parameters
    ----------
    path
        The file to write.
    samples
        ``(H, W)`` uint16: counts on the frame's levels, written as a mosaic; or ``(H, W, C)`` float32 light
        before white balance, the sensor's white at 1, pixels square, written as LinearRaw; C is 1 or 3.
    preview
        ``(h, w, 3)`` uint8 sRGB, turned as ``samples`` are.
    frame
        What was developed.
    wb
        Multipliers to state as the as-shot balance.
    settings
        Exposure becomes BaselineExposure; strengths say what is left of the noise; compression.
    origin
        The RAW file and its sidecars: their metadata goes along, its name and digest are recorded.
    overwrite
        Whether an existing file may be replaced.
    replaced
        Numbers of the source's opcodes that must not be applied to the samples again: they are left out.

    Returns
    -------
    tuple of str
        Plain sentences about what could not be carried.

    Raises
    ------
    OutputError
        See `rawfix.io.atomic.replacing`.
    """
    carried = read_carried(origin.source, strip_private=origin.strip_private)
    raw, samples, levels = _picture(samples, frame, settings)
    facts, notes = _raw_facts(carried, frame, samples.shape, settings, replaced)
    if settings.dng_compression == "jxl":
        notes += ("JPEG XL: opens in Adobe's programs, not in LibRaw 0.22, RawTherapee 5.9 or darktable 4.2",)
    with replacing(path, overwrite) as temporary:
        notes += write_skeleton(temporary, origin, with_image=not carried.is_tiff, iso=frame.iso)
        with temporary.open("r+b") as file:
            stored, digest = append_samples(file, samples, settings.dng_compression)
            main = main_directory(
                frame,
                wb,
                read_first(file),
                carried,
                origin,
                digest,
                stops=settings.exposure + levels.stops,
                span=white_span(frame) if samples.ndim == 2 else (1.0, 1.0, 1.0),
                is_linear=samples.ndim == 3,
                is_jpeg_xl=settings.dng_compression == "jxl",
                has_opcodes=not {OPCODES_1, OPCODES_2, OPCODES_3}.isdisjoint(facts),
            )
            raw |= facts | stored
            if frame.cfa is not None and frame.cfa.has_infrared:
                in_planes = with_infrared_plane if samples.ndim == 2 else without_infrared_plane
                raw, main = in_planes(raw), in_planes(main)
            main |= append_thumbnail(file, preview)
            append_directories(file, main, [raw, append_preview(file, preview)])
    return notes


def _picture(
    samples: NDArray[Any], frame: RawFrame, settings: Settings
) -> tuple[Directory, NDArray[np.uint16], Levels]:
    """The raw directory, the samples as they are stored, and their levels."""
    noise, (luma, chroma) = frame.noise, settings.strengths.noise
    if samples.ndim == 2:
        noise = noise and residual(noise, luma, chroma, frame.wb)
        stored = replace(frame, mosaic=samples, noise=noise, known_bad=None)
        return cfa_directory(stored), samples, Levels(1)
    levels = choose_levels(samples)
    noise = noise and residual(noise, luma, chroma, frame.wb, levels.gain, 1 / levels.white)
    height, width, planes = samples.shape
    directory = linear_directory((height, width, planes), levels.white, noise)
    return directory, quantize(samples, levels), levels


def _raw_facts(
    carried: Carried,
    frame: RawFrame,
    shape: tuple[int, ...],
    settings: Settings,
    replaced: frozenset[int],
) -> tuple[Directory, tuple[str, ...]]:
    """What the source's raw directory says that still holds: crop, filter, noise reduction, opcode lists."""
    facts = {tag: carried.raw[tag] for tag in _RAW_FACTS if tag in carried.raw}
    before = (numbers(carried.raw[_NOISE_REDUCTION]) if _NOISE_REDUCTION in carried.raw else [0.0])[0]
    denoise = min(settings.strengths.noise)
    applied = 1 - (1 - min(max(before, 0.0), 1.0)) * (1 - min(max(denoise, 0.0), 1.0))
    facts[_NOISE_REDUCTION] = rational(applied)
    scale = settings.upscale
    is_whole = carried.area is not None and (carried.area[2], carried.area[3]) == frame.mosaic.shape[:2]
    is_large = is_whole and shape[:2] == tuple(scale * side for side in frame.mosaic.shape[:2])
    is_same = is_large and scale == 1
    crop = {tag: carried.raw[tag] for tag in (CROP_ORIGIN, CROP_SIZE) if tag in carried.raw}
    if is_large:
        facts |= (
            crop
            if scale == 1
            else {tag: rational([scale * side for side in numbers(entry)]) for tag, entry in crop.items()}
        )
    if scale != 1 and _BEST_SCALE in facts:
        facts[_BEST_SCALE] = rational(1.0)  # of the pixels that are there, no more can be made
    notes: tuple[str, ...] = ()
    for tag in (OPCODES_1, OPCODES_2, OPCODES_3):
        if tag not in carried.raw:
            continue
        try:
            found = [o for o in dng_opcodes.parse(carried.raw[tag].data) if o.number not in replaced]
        except ValueError as error:
            notes += (f"the source's corrections (OpcodeList) were left out: {error}",)
            continue
        kept = _kept(tag, found, carried, frame, is_linear=len(shape) == 3, is_same=is_same)
        if kept:
            facts[tag] = undefined(dng_opcodes.build(kept))
        if len(kept) < len(found) and not (tag == OPCODES_1 or carried.is_lossy):
            notes += ("some of the source's corrections (OpcodeList) do not outlive demosaicing: left out",)
    return facts, notes


def _kept(
    tag: int, found: list[Opcode], carried: Carried, frame: RawFrame, *, is_linear: bool, is_same: bool
) -> list[Opcode]:
    """What is left of an opcode list."""
    if tag == OPCODES_3:
        return found if is_same else dng_opcodes.at_any_size(found)
    if tag == OPCODES_2:
        kept = dng_opcodes.without_maps(found) if carried.is_lossy else found
        if is_linear and frame.cfa is not None:
            kept = dng_opcodes.onto_planes(kept, frame.cfa)
        return kept if is_same else dng_opcodes.at_any_size(kept)
    # List 1 speaks of stored samples, margins included, and mends bad pixels that are mended now.
    is_whole = carried.area is not None and carried.area[:2] == (0, 0)
    if frame.known_bad is not None:
        found = [opcode for opcode in found if opcode.number not in (FIX_CONSTANT, FIX_LIST)]
    return found if is_same and is_whole and not is_linear else []
