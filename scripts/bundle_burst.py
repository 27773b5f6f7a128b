"""RAW files of one burst into one bundle: ``python scripts/bundle_burst.py --output burst.npz FRAMES… --dark DARKS…``

The bundle is what ``python -m rawfix.training burst`` and ``noise`` read; its gains are the files' ISO over
``--base-iso``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rawfix.cfa import Cfa
from rawfix.errors import RawfixError
from rawfix.frame import RawFrame
from rawfix.io.raw import read_raw
from rawfix.training.burst_bundle import Counts, Levels, write_bundle


def mosaic_of(path: Path, first: RawFrame | None, *, dark: bool) -> RawFrame:
    """Read one frame; raises ValueError where it does not belong to the burst of ``first``."""
    frame = read_raw(path)
    if frame.cfa is None or frame.mosaic.dtype != np.uint16:
        raise ValueError(f"{path}: no mosaic in counts; a burst needs undemosaiced RAW files")
    if frame.black_rows is not None or frame.black_columns is not None:
        raise ValueError(f"{path}: its black level changes by row or column, which a bundle cannot hold")
    if first is None:
        return frame
    for name, mine, others in (
        ("size", frame.mosaic.shape, first.mosaic.shape),
        ("filter array", frame.cfa, first.cfa),
        ("ISO", frame.iso, first.iso),
        ("white level", frame.white, first.white),
        ("black level", frame.black.tolist(), first.black.tolist()),
    ):
        # Some cameras measure black anew for each frame; a dark frame then tells it better than a level.
        if mine != others and not (name == "black level" and dark):
            raise ValueError(
                f"{path}: {name} {mine} differs from the first frame's {others}; bundle them apart"
            )
    return frame


def counts(paths: list[Path], first: RawFrame, *, dark: bool) -> Iterator[Counts]:
    """The mosaics of a burst, one at a time, the first of them checked against."""
    for path in paths:
        yield np.asarray(mosaic_of(path, first, dark=dark).mosaic, np.uint16)


def main() -> int:
    """Read, check, bundle; 2 on bad input."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "frames", type=Path, nargs="+", help="RAW files of one still scene, same exposure and ISO"
    )
    parser.add_argument("--dark", type=Path, nargs="*", default=[], help="RAW files with the lens cap on")
    parser.add_argument("--output", "-o", type=Path, required=True, help="the bundle, .npz")
    parser.add_argument("--base-iso", type=float, default=100.0, help="ISO at which the analog gain is 1")
    parser.add_argument("--digital-gain", type=float, default=1.0, help="gain applied after conversion")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing bundle")
    options = parser.parse_args()
    if options.output.exists() and not options.overwrite:
        return refuse(f"{options.output}: exists already; give another --output, or --overwrite")
    if len(options.frames) < 2:
        return refuse("a burst has two frames or more, better thirty")
    if options.base_iso <= 0 or options.digital_gain <= 0:
        return refuse("--base-iso and --digital-gain are positive")
    try:
        first = mosaic_of(options.frames[0], None, dark=False)
        assert isinstance(first.cfa, Cfa)
        if first.iso is None:
            return refuse(f"{options.frames[0]}: names no ISO; the gains of a burst cannot be told")
        gains = np.array(
            (first.iso / options.base_iso / options.digital_gain, options.digital_gain), np.float32
        )
        levels = Levels(first.black, np.asarray(first.white, np.float32), gains, first.cfa)
        write_bundle(
            options.output,
            counts(options.frames, first, dark=False),
            counts(options.dark, first, dark=True),
            levels,
        )
    except (RawfixError, ValueError, OSError) as error:
        return refuse(str(error))
    print(f"{options.output}: {len(options.frames)} frames, {len(options.dark)} dark, gains {gains.tolist()}")
    return 0


def refuse(message: str) -> int:
    """One line on stderr."""
    print(f"bundle_burst: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
