"""The one way in: RAW containers, and mosaics without one."""

from __future__ import annotations

from pathlib import Path

from rawfix.errors import UnsupportedRawError
from rawfix.frame import RawFrame
from rawfix.io import raw_checks
from rawfix.io.dng_tags import read_tags
from rawfix.io.mosaic_facts import MosaicFacts, facts_beside
from rawfix.io.mosaic_file import read_mosaic
from rawfix.io.mosaic_samples import HEADERLESS, PICTURES
from rawfix.io.raw import count_samples, read_raw

MOSAIC_SUFFIXES = HEADERLESS | PICTURES
_TIFF = frozenset((".tif", ".tiff"))


def read_frame(path: Path, given: MosaicFacts | None = None) -> RawFrame:
    """Read a RAW file, or a mosaic described by options or by a ``NAME.toml`` beside it.

    Parameters
    ----------
    path
        A RAW file of any kind, or a file of `MOSAIC_SUFFIXES`.
    given
        Facts for mosaics without a container; they win over the ``NAME.toml``. RAW files do not look at them.

    Raises
    ------
    SettingsError
        A fact is missing, has no meaning or contradicts the file.
    CorruptRawError, UnsupportedRawError
        See `read_raw` and `read_mosaic`; also a mosaic without a description.
    """
    path = Path(path)
    if path.suffix.lower() not in MOSAIC_SUFFIXES:
        return read_raw(path)
    raw_checks.check_file(path)
    facts = (given or MosaicFacts()).over(facts_beside(path))
    if facts.cfa is not None:
        return read_mosaic(path, facts)
    if _is_camera_file(path):
        return read_raw(path)
    needs = "--cfa, --size and --bits" if path.suffix.lower() in HEADERLESS else "--cfa"
    raise UnsupportedRawError(
        f"{path.name}: is not a camera's RAW file and does not say what its samples are; give {needs} "
        f"to develop or info, or a {path.stem}.toml beside it"
    )


def count_pixels(path: Path) -> int:
    """About how many pixels a file holds, without decoding it, to foresee what memory it takes.

    A mosaic without a container is taken for one of 8 bits: it may hold fewer pixels, but not more.
    """
    if path.suffix.lower() not in MOSAIC_SUFFIXES:
        return count_samples(path)
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_camera_file(path: Path) -> bool:
    """Whether a ``.raw`` or ``.tif`` is one of the RAW containers that end so.

    LibRaw is no judge of that: it takes headerless files for those of cameras that wrote as many bytes, and
    any TIFF of one channel for a monochrome sensor's.
    """
    if path.suffix.lower() in PICTURES - _TIFF:
        return False
    with path.open("rb") as file:
        head = file.read(64)
    if path.suffix.lower() in _TIFF:
        tags = read_tags(path)
        return tags.is_dng or tags.raw is not None or bool(tags.make)
    return head.startswith((b"II", b"MM")) or b"ARECOYK" in head  # the latter: Contax N Digital
