"""A camera image and its maps, kept in a file: other strengths, balances and tones later, without a network.

The camera image is kept in 32 bits and the maps in the 16 in which they are weighed, so that what is rendered of the
file is bit for bit what `rawfix.pipeline.develop` renders.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rawfix.auto_strengths import decide_strengths
from rawfix.errors import CorruptRawError, OutputError
from rawfix.finish import Developed, finish
from rawfix.frame import Image, NoiseModel, RawFrame
from rawfix.io.metadata_carrier import to_carrier
from rawfix.io.planes_file import Plane, read_facts, read_planes, write_planes
from rawfix.io.provenance import Origin, Provenance, sidecars_of
from rawfix.kept_facts import (
    frame_of,
    frame_to_dict,
    haze_plane,
    maps_of,
    maps_to_dict,
    noise_of,
    noise_to_dict,
)
from rawfix.lens import find_correction
from rawfix.maps import Maps, apply_maps
from rawfix.nn.stand_ins import stand_ins
from rawfix.nn.threads import thread_share
from rawfix.optics import tell_optics
from rawfix.settings import Settings

SUFFIX = ".maps.tif"
BAKED = ("quality", "denoise_method", "deblur_method", "ir_crosstalk", "bad_pixels")
"""Settings that shaped what is kept, and that rendering cannot change."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What is in the file.

    Attributes
    ----------
    frame
        What was developed, without its mosaic: an array of its type and of no samples.
    camera
        ``(H, W, 3)`` float32 on the sensor's grid, linear, balanced with the frame's ``wb``, signed.
    maps
        Noise and blur, both.
    noise
        Noise model of the camera image before white balance.
    defects
        Samples that were replaced; None where none were looked for.
    models
        ``(id, sha256)`` of every network that ran.
    source, sha256
        The RAW file where it lay, or its bare name where places are private; and its digest.
    settings
        The `BAKED` ones.
    """

    frame: RawFrame
    camera: Image
    maps: Maps
    noise: NoiseModel
    defects: int | None
    models: tuple[tuple[str, str], ...]
    source: str
    sha256: str
    settings: dict[str, Any]


def render_kept(kept: Kept, settings: Settings) -> Developed:
    """Develop what is kept with strengths and look of the settings; `kept.camera` may be written over."""
    settings = replace(settings, **kept.settings)
    wb, exposure = kept.frame.wb, settings.exposure
    strengths, notes = decide_strengths(settings.strengths, kept.camera, kept.noise, wb, exposure)
    threads = thread_share(settings.threads or None)
    camera = apply_maps(kept.camera, kept.maps, strengths, threads, in_place=True)
    settings = replace(settings, strengths=strengths)
    models = tuple(id for id, _ in kept.models if strengths.active or id != kept.maps.model)
    lens, said = find_correction(kept.frame, settings, (camera.shape[0], camera.shape[1]))
    if lens is not None and kept.maps.realigns(strengths):
        lens = lens.without_lateral_color()
    if settings.upscale != 1:
        from rawfix.upscaling import upscale_camera  # without it, no network's runtime is loaded

        camera, more = upscale_camera(camera, kept.frame.wb, settings)
        models += more
        notes = (*notes, *stand_ins(more, settings.quality))
    notes = (*notes, *tell_optics(kept.maps, strengths), *said)
    return finish(camera, kept.frame, settings, models=models, notes=notes, lens=lens)


def save_kept(path: Path, kept: Kept, origin: Origin, *, overwrite: bool, threads: int = 0) -> None:
    """Write a kept image with the metadata of its origin; raises `OutputError`."""
    assert kept.maps.blur is not None
    assert kept.maps.noise is not None
    planes: dict[str, Plane] = {"camera": kept.camera, "noise": kept.maps.noise, "blur": kept.maps.blur}
    if kept.maps.haze is not None:
        planes["haze"] = haze_plane(kept.maps.haze)
    facts = {
        "source": Path(kept.source).name if origin.strip_private else kept.source,
        "source_sha256": kept.sha256,
        "models": kept.models,
        "maps": maps_to_dict(kept.maps),
        "noise": noise_to_dict(kept.noise),
        "defects": kept.defects,
        "settings": kept.settings,
        "frame": frame_to_dict(kept.frame),
    }
    write_planes(
        path, planes, facts, to_carrier(origin), overwrite=overwrite, threads=thread_share(threads or None)
    )


def load_kept(path: Path, threads: int = 0) -> tuple[Kept, bytes]:
    """Read what `save_kept` wrote, and the carrier of its metadata.

    Raises
    ------
    UnsupportedRawError, CorruptRawError
        See `rawfix.io.planes_file.read_planes`.
    """
    facts, planes, carrier = read_planes(path, thread_share(threads or None))
    try:
        kept = Kept(
            frame=frame_of(facts["frame"]),
            camera=np.asarray(planes["camera"], np.float32),
            maps=maps_of(facts["maps"], planes),
            noise=noise_of(facts["noise"]),
            defects=facts["defects"],
            models=tuple((id, digest) for id, digest in facts["models"]),
            source=facts["source"],
            sha256=facts["source_sha256"],
            settings={name: facts["settings"][name] for name in BAKED},
        )
    except (KeyError, TypeError, ValueError):
        raise _lacking(path) from None
    return kept, carrier


def _lacking(path: Path) -> CorruptRawError:
    return CorruptRawError(f"{path.name}: lacks facts; make it again with rawfix develop --save-maps")


def naming_facts(path: Path) -> dict[str, object]:
    """Camera, ISO and tier for a file's name, read without the image; raises as `load_kept`."""
    facts = read_facts(path)
    try:
        frame = facts["frame"]
        return {
            "camera": frame["camera"] or "unknown",
            "iso": round(frame["iso"] or 0),
            "quality": facts["settings"]["quality"],
        }
    except (KeyError, TypeError, ValueError):
        raise _lacking(path) from None


def check_is_not_source(target: Path, kept: Kept) -> None:
    """A picture is never written over the very file that it was developed of; raises `OutputError`."""
    name = Path(kept.source).name
    if target.name.casefold() == name.casefold() and _digest(target) == kept.sha256:
        raise OutputError(f"{target}: is what the maps were made of; use -o or --name")


@contextmanager
def origin_of(
    kept: Kept, carrier: bytes, beside: Path, provenance: Provenance, *, strip: bool
) -> Iterator[Origin]:
    """Where metadata comes from: the RAW file if it still is what was developed, else what was kept of it."""
    name = Path(kept.source).name
    for path in (beside.resolve().parent / name, Path(kept.source)):
        if path.is_absolute() and _digest(path) == kept.sha256:
            yield Origin(path, sidecars_of(path), strip, provenance)
            return
    with TemporaryDirectory(prefix="rawfix-") as folder:
        path = Path(folder, name or "unknown")
        path.write_bytes(carrier)
        yield Origin(path, (), strip, provenance)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
