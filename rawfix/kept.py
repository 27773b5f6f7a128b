"""A camera image and its maps, kept in a file: other strengths, balances and tones later, without a network.

The camera image is kept in 32 bits and the maps in the 16 in which they are weighed, so that what is rendered of the
file is bit for bit what `rawfix.pipeline.develop` renders.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rawfix.auto_strengths import decide_strengths
from rawfix.cfa import Cfa
from rawfix.errors import CorruptRawError
from rawfix.finish import Developed, finish
from rawfix.frame import Image, LensFacts, NoiseModel, RawFrame
from rawfix.io.metadata_carrier import to_carrier
from rawfix.io.planes_file import Plane, read_facts, read_planes, write_planes
from rawfix.io.provenance import Origin, Provenance, sidecars_of
from rawfix.lens import find_correction
from rawfix.maps import Maps, apply_maps
from rawfix.nn.threads import thread_share
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
    camera = apply_maps(kept.camera, kept.maps, strengths, thread_share(settings.threads or None))
    settings = replace(settings, strengths=strengths)
    models = tuple(id for id, _ in kept.models if strengths.active or id != kept.maps.model)
    lens, said = find_correction(kept.frame, settings, (camera.shape[0], camera.shape[1]))
    if settings.upscale != 1:
        from rawfix.upscaling import upscale_camera  # without it, no network's runtime is loaded

        camera, more = upscale_camera(camera, settings)
        models += more
    return finish(camera, kept.frame, settings, models=models, notes=(*notes, *said), lens=lens)


def save_kept(path: Path, kept: Kept, origin: Origin, *, overwrite: bool, threads: int = 0) -> None:
    """Write a kept image with the metadata of its origin; raises `OutputError`."""
    assert kept.maps.blur is not None
    planes: dict[str, Plane] = {"camera": kept.camera, "noise": kept.maps.noise, "blur": kept.maps.blur}
    facts = {
        "source": Path(kept.source).name if origin.strip_private else kept.source,
        "source_sha256": kept.sha256,
        "models": kept.models,
        "maps": {
            "model": kept.maps.model,
            "shot": kept.maps.shot.tolist(),
            "read": kept.maps.read.tolist(),
        },
        "noise": _noise_to_dict(kept.noise),
        "defects": kept.defects,
        "settings": kept.settings,
        "frame": _frame_to_dict(kept.frame),
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
        maps = facts["maps"]
        noise, blur = (np.asarray(planes[name], np.float16) for name in ("noise", "blur"))
        shot, read = (np.asarray(maps[name], np.float32) for name in ("shot", "read"))
        kept = Kept(
            frame=_frame_of(facts["frame"]),
            camera=np.asarray(planes["camera"], np.float32),
            maps=Maps(noise, blur, shot, read, maps["model"]),
            noise=_noise_of(facts["noise"]),
            defects=facts["defects"],
            models=tuple((id, digest) for id, digest in facts["models"]),
            source=facts["source"],
            sha256=facts["source_sha256"],
            settings={name: facts["settings"][name] for name in BAKED},
        )
    except (KeyError, TypeError, ValueError):
        raise CorruptRawError(
            f"{path.name}: lacks facts; make it again with rawfix develop --save-maps"
        ) from None
    return kept, carrier


def naming_facts(path: Path) -> dict[str, object]:
    """Camera, ISO and tier for a file's name, read without the image; raises as `load_kept`."""
    facts = read_facts(path)
    frame = facts["frame"]
    return {
        "camera": frame["camera"] or "unknown",
        "iso": round(frame["iso"] or 0),
        "quality": facts["settings"]["quality"],
    }


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


def _noise_to_dict(noise: NoiseModel) -> dict[str, Any]:
    return {"shot": [*map(float, noise.shot)], "read": [*map(float, noise.read)], "source": noise.source}


def _noise_of(values: dict[str, Any]) -> NoiseModel:
    return NoiseModel(_triple(values["shot"]), _triple(values["read"]), values["source"])


def _triple(values: list[float]) -> tuple[float, float, float]:
    red, green, blue = values
    return float(red), float(green), float(blue)


def _frame_to_dict(frame: RawFrame) -> dict[str, Any]:
    return {
        "dtype": frame.mosaic.dtype.name,
        "cfa": None if frame.cfa is None else frame.cfa.unit().tolist(),
        "white": [*map(float, frame.white)],
        "wb": [*map(float, frame.wb)],
        "cam_to_xyz": frame.cam_to_xyz.tolist(),
        "noise": None if frame.noise is None else _noise_to_dict(frame.noise),
        "iso": None if frame.iso is None else float(frame.iso),
        "orientation": frame.orientation,
        "camera": frame.camera,
        "lens": frame.lens,
        "pixel_aspect": float(frame.pixel_aspect),
        "daylight_wb": None if frame.daylight_wb is None else [*map(float, frame.daylight_wb)],
        "lens_facts": _lens_facts_to_dict(frame.lens_facts),
        "notes": frame.notes,
    }


def _frame_of(values: dict[str, Any]) -> RawFrame:
    return RawFrame(
        mosaic=np.empty((0, 0), values["dtype"]),
        cfa=None if values["cfa"] is None else Cfa(tuple(tuple(row) for row in values["cfa"])),
        black=np.zeros((1, 1), np.float32),
        white=_triple(values["white"]),
        wb=_triple(values["wb"]),
        cam_to_xyz=np.asarray(values["cam_to_xyz"], np.float64),
        noise=None if values["noise"] is None else _noise_of(values["noise"]),
        iso=values["iso"],
        orientation=values["orientation"],
        camera=values["camera"],
        lens=values["lens"],
        pixel_aspect=values["pixel_aspect"],
        daylight_wb=None if values["daylight_wb"] is None else _triple(values["daylight_wb"]),
        lens_facts=_lens_facts_of(values.get("lens_facts")),
        notes=tuple(values["notes"]),
    )


def _lens_facts_to_dict(facts: LensFacts) -> dict[str, Any]:
    lists = {name: b64encode(getattr(facts, name)).decode() for name in ("opcodes_2", "opcodes_3")}
    return asdict(facts) | lists


def _lens_facts_of(values: dict[str, Any] | None) -> LensFacts:
    """What is known of the lens; nothing, in files that were kept without."""
    if values is None:
        return LensFacts()
    lists = {name: b64decode(values[name]) for name in ("opcodes_2", "opcodes_3")}
    return LensFacts(**{**values, **lists, "area": values["area"] and tuple(values["area"])})
