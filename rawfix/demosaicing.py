"""A frame's demosaicing: which network, over which tiles; and a second look at bad lines and clusters, once told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import CANONICAL
from rawfix.errors import ManifestError, ModelError, UnsupportedRawError
from rawfix.frame import Image, NoiseModel, RawFrame
from rawfix.nn.manifest import Model, models_root, nearest_model, tiers
from rawfix.nn.session import open_session
from rawfix.nn.tiles import Finish as TileFinish
from rawfix.nn.tiles import run_tiled
from rawfix.nn.turn import run_turned
from rawfix.physics.bad_lines import BadLines, find_constant, find_lines
from rawfix.physics.clusters import find_clustered
from rawfix.physics.neighbors import fill
from rawfix.physics.shifted_lines import find_shifted
from rawfix.settings import Settings
from rawfix.stages.demosaic import DemosaicNetwork, Window, demosaic

Progress = Callable[[int, int], None]
Bool = NDArray[np.bool_]
Box = tuple[slice, slice]
EVERYTHING = (slice(None), slice(None))
_CELL = 8
"""Side of the parts of a frame that are looked at again, in halos."""


def demosaic_model(frame: RawFrame, settings: Settings) -> Model | None:
    """The network this frame needs, of the nearest tier installed; None for frames that need none.

    Raises
    ------
    UnsupportedRawError
        No network exists for the filter array, of any tier.
    ModelError
        It is damaged.
    """
    if frame.cfa is None or frame.cfa.name == "mono":
        return None
    family = frame.cfa.name
    if family == "unknown" or not tiers("demosaic", family):
        able = [name for name in CANONICAL if tiers("demosaic", name)]
        if not able:
            raise ModelError(f"no demosaicing network in {models_root()}; install rawfix again")
        raise UnsupportedRawError(
            f"its {family} filter array ({frame.cfa.letters}) has no demosaicing network; "
            f"{', '.join([*able, 'monochrome'])} and already demosaiced files can be developed"
        )
    return nearest_model("demosaic", family, settings.quality)


def tiled(
    model: Model, frame: RawFrame, settings: Settings, progress: Progress | None, *, whole: bool = True
) -> DemosaicNetwork:
    """A demosaicing model as a callable over this frame: tiles on the grid of its canonical phase.

    What is not ``whole`` but a part of a frame, its halo included, is one tile.

    Where no crop leads to that phase, the network sees the frame turned or mirrored. Beyond the frame it is
    told that no sample is worth anything, as it was in training.
    """
    assert frame.cfa is not None
    shape = (frame.mosaic.shape[0], frame.mosaic.shape[1])
    canonical = frame.cfa.to_canonical(shape)
    assert canonical is not None
    family, symmetry, origin = canonical
    session = open_session(model, settings.provider, settings.threads or None)
    manifest = model.manifest
    if session.outputs["camera"] != (4 if frame.cfa.has_infrared else 3):
        raise ManifestError(
            f"{manifest.id}: its {session.outputs['camera']} channels are not those of {family}"
        )

    def run_tiles(inputs: Mapping[str, Image | Window], finish: TileFinish | None) -> dict[str, NDArray[Any]]:
        return run_tiled(
            session.run,
            inputs,
            session.outputs,
            tile=(settings.tile or manifest.tile) if whole else max(shape) + manifest.multiple,
            halo=manifest.halo if whole else 0,
            multiple=manifest.multiple,
            period=CANONICAL[family].period,
            origin=origin,
            shape=symmetry.shape(shape),
            progress=progress,
            finish=finish,
            outside={"known_bad": 1.0},
        )

    return lambda inputs, finish: run_turned(run_tiles, inputs, finish, symmetry, shape)


def demosaic_frame(
    light: Image,
    frame: RawFrame,
    noise: NoiseModel,
    known_bad: Bool | None,
    model: Model,
    settings: Settings,
    progress: Progress | None = None,
) -> tuple[Image, Bool, tuple[str, ...]]:
    """Full color of a frame, its bad samples repaired.

    Rows and columns of one value, or shifted by one amount, are known before it looks. Of any other that is bad as a
    whole (`rawfix.physics.bad_lines`), and of many a cluster (`rawfix.physics.clusters`), the network finds a part by
    itself. It is told the whole, and looks again at what lies within its reach.

    Parameters
    ----------
    light
        ``(H, W)`` float32, normalised; what ``known_bad`` names is filled.
    frame
        Filter array, white balance, saturation.
    noise
        Before white balance.
    known_bad
        ``(H, W)`` bool, or None.
    model, settings, progress
        As from `demosaic_model`; tile, provider, threads.

    Returns
    -------
    camera, bad, notes
        ``(H, W, 3)`` float32, or 4 with infrared; ``(H, W)`` bool, what was replaced; what there is to tell.
    """
    assert frame.cfa is not None

    def look(window: Box, known: Bool | None, progress: Progress | None, whole: bool) -> tuple[Image, Bool]:
        assert frame.cfa is not None
        seen, cfa = light[window], frame.cfa.shift(window[0].start or 0, window[1].start or 0)
        part = replace(frame, mosaic=frame.mosaic[window], cfa=cfa, known_bad=None)
        seen = seen if window == EVERYTHING or known is None else fill(seen, cfa, known)
        network = tiled(model, part, settings, progress, whole=whole)
        return demosaic(seen, cfa, frame.wb, noise, network, known, clip=frame.clip())

    shape = (light.shape[0], light.shape[1])
    lines = find_constant(light, frame.cfa, frame.wb, noise) | find_shifted(light, frame.cfa, frame.wb)
    if lines.any():
        marked = lines.mark(shape)
        if known_bad is not None and known_bad[marked].all():
            lines = BadLines((), ())  # nothing new
        else:
            known_bad = marked if known_bad is None else known_bad | marked
            light = fill(light, frame.cfa, known_bad)
    camera, bad = look(EVERYTHING, known_bad, progress, True)
    halo, multiple = model.manifest.halo, model.manifest.multiple

    def look_again(told: Bool, windows: list[tuple[Box, Box]]) -> None:
        for done, (window, inner) in enumerate(windows, start=1):
            again = look(window, told[window], None, _reaches_border(window, shape, multiple))
            if progress:
                progress(done, len(windows))
            part = tuple(
                slice(i.start - w.start, i.stop - w.start) for i, w in zip(inner, window, strict=True)
            )
            camera[inner], bad[inner] = again[0][part], again[1][part]

    found = find_lines(bad if known_bad is None else bad & ~known_bad)
    if found.any() and not bad[marked := found.mark(shape)].all():
        known_bad, lines = marked if known_bad is None else marked | known_bad, lines | found
        look_again(known_bad, list(_along(found, shape, halo, multiple)))
    clusters = find_clustered(
        light, frame.cfa, frame.wb, noise, bad if known_bad is None else bad & ~known_bad, bad
    )
    if clusters.any():
        told = clusters if known_bad is None else clusters | known_bad
        look_again(told, list(_around(clusters, halo, multiple)))
    return camera, bad, (lines.tell(),) if lines.any() else ()


def _along(lines: BadLines, shape: tuple[int, int], halo: int, multiple: int) -> Iterator[tuple[Box, Box]]:
    """What to look at for some lines, and what of that changes: everything within reach of a line; along it, all.

    Seen from another place than its grid's, a network answers a little otherwise (`_on_grid`).
    """
    for is_row, positions in ((True, lines.rows), (False, lines.columns)):
        across, along = shape if is_row else shape[::-1]
        groups: list[list[int]] = []
        for position in positions:
            if groups and position - groups[-1][-1] <= 2 * halo:
                groups[-1].append(position)
            else:
                groups.append([position])
        for group in groups:
            inner, outer = (
                slice(max(group[0] - reach, 0), min(group[-1] + 1 + reach, across))
                for reach in (halo, 2 * halo)
            )
            outer = _on_grid(outer, across, multiple)
            every = slice(0, along)
            yield ((outer, every), (inner, every)) if is_row else ((every, outer), (every, inner))


def _around(told: Bool, halo: int, multiple: int) -> Iterator[tuple[Box, Box]]:
    """What to look at for some samples, and what of that changes: everything within reach of one, cell by cell."""
    height, width = told.shape
    side = _CELL * halo
    for y in range(0, height, side):
        for x in range(0, width, side):
            top, left = max(y - halo, 0), max(x - halo, 0)
            near = told[top : y + side + halo, left : x + side + halo]
            if not near.any():
                continue
            spans = []
            for axis, start, cell, size in ((1, top, y, height), (0, left, x, width)):
                places = start + np.flatnonzero(near.any(axis))
                spans.append(
                    slice(
                        max(int(places[0]) - halo, cell), min(int(places[-1]) + 1 + halo, cell + side, size)
                    )
                )
            rows, columns = (
                _on_grid(slice(max(span.start - halo, 0), min(span.stop + halo, size)), size, multiple)
                for span, size in zip(spans, (height, width), strict=True)
            )
            yield (rows, columns), (spans[0], spans[1])


def _on_grid(span: slice, size: int, multiple: int) -> slice:
    """A span that begins where tiles of the whole frame would, seen from either end."""
    before, behind = span.start // multiple, (size - span.stop) // multiple
    return slice(before * multiple, size - behind * multiple)


def _reaches_border(window: Box, shape: tuple[int, int], multiple: int) -> bool:
    """Whether a window ends at the frame's border or, rounded to the grid, might reach beyond it."""
    return any(
        span.start < multiple or span.stop > size - multiple for span, size in zip(window, shape, strict=True)
    )
