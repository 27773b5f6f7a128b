"""What is known of a picture as plain values, for the file that keeps it; raises what malformed values raise."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import asdict
from typing import Any

import numpy as np

from rawfix.cfa import Cfa
from rawfix.frame import Image, LensFacts, NoiseModel, RawFrame
from rawfix.maps import Fringe, Maps
from rawfix.physics.haze import Haze
from rawfix.physics.lateral_color import LateralColor


def maps_to_dict(maps: Maps) -> dict[str, Any]:
    """Plain values of everything but arrays of the picture's size and `haze_plane`."""
    fringe, haze = maps.fringe, maps.haze
    return {
        "model": maps.model,
        "shot": maps.shot.tolist(),
        "read": maps.read.tolist(),
        "fringe": None
        if fringe is None
        else {
            "seen": asdict(fringe.seen),
            "deblurred": asdict(fringe.deblurred),
            "clip": [float(c) if np.isfinite(c) else None for c in fringe.clip],
        },
        "haze": None if haze is None else {"airlight": list(haze.airlight), "factor": haze.factor},
    }


def maps_of(values: dict[str, Any], planes: dict[str, Any]) -> Maps:
    """Inverse of `maps_to_dict`, with the arrays ``noise``, ``blur`` and, where there is haze, ``haze``."""
    noise, blur = (np.asarray(planes[name], np.float16) for name in ("noise", "blur"))
    shot, read = (np.asarray(values[name], np.float32) for name in ("shot", "read"))
    fringe = haze = None
    if (found := values["fringe"]) is not None:
        clip = _triple([np.inf if c is None else c for c in found["clip"]])
        fringe = Fringe(_lateral_of(found["seen"]), _lateral_of(found["deblurred"]), clip)
    if (found := values["haze"]) is not None:
        grid = np.ascontiguousarray(planes["haze"][..., :2], np.float32)
        haze = Haze(_triple(found["airlight"]), grid, int(found["factor"]))
    return Maps(noise, blur, shot, read, values["model"], fringe, haze)


def haze_plane(haze: Haze) -> Image:
    """The grid as an array of three channels, the last one empty: what files of planes hold."""
    return np.pad(haze.grid, ((0, 0), (0, 0), (0, 1)))


def _lateral_of(values: dict[str, Any]) -> LateralColor:
    red, blue = ((float(a), float(b)) for a, b in (values["red"], values["blue"]))
    return LateralColor(red, blue)


def noise_to_dict(noise: NoiseModel) -> dict[str, Any]:
    """Plain values."""
    return {"shot": [*map(float, noise.shot)], "read": [*map(float, noise.read)], "source": noise.source}


def noise_of(values: dict[str, Any]) -> NoiseModel:
    """Inverse of `noise_to_dict`."""
    return NoiseModel(_triple(values["shot"]), _triple(values["read"]), values["source"])


def _triple(values: list[float]) -> tuple[float, float, float]:
    red, green, blue = values
    return float(red), float(green), float(blue)


def frame_to_dict(frame: RawFrame) -> dict[str, Any]:
    """Plain values of everything but the mosaic, of which the type is kept."""
    return {
        "dtype": frame.mosaic.dtype.name,
        "cfa": None if frame.cfa is None else frame.cfa.unit().tolist(),
        "white": [*map(float, frame.white)],
        "wb": [*map(float, frame.wb)],
        "saturation": [*map(float, frame.saturation)],
        "cam_to_xyz": frame.cam_to_xyz.tolist(),
        "noise": None if frame.noise is None else noise_to_dict(frame.noise),
        "iso": None if frame.iso is None else float(frame.iso),
        "orientation": frame.orientation,
        "camera": frame.camera,
        "lens": frame.lens,
        "pixel_aspect": float(frame.pixel_aspect),
        "daylight_wb": None if frame.daylight_wb is None else [*map(float, frame.daylight_wb)],
        "lens_facts": _lens_facts_to_dict(frame.lens_facts),
        "notes": frame.notes,
    }


def frame_of(values: dict[str, Any]) -> RawFrame:
    """Inverse of `frame_to_dict`: a frame without samples."""
    return RawFrame(
        mosaic=np.empty((0, 0), values["dtype"]),
        cfa=None if values["cfa"] is None else Cfa(tuple(tuple(row) for row in values["cfa"])),
        black=np.zeros((1, 1), np.float32),
        white=_triple(values["white"]),
        wb=_triple(values["wb"]),
        cam_to_xyz=np.asarray(values["cam_to_xyz"], np.float64),
        noise=None if values["noise"] is None else noise_of(values["noise"]),
        iso=values["iso"],
        orientation=values["orientation"],
        camera=values["camera"],
        lens=values["lens"],
        pixel_aspect=values["pixel_aspect"],
        daylight_wb=None if values["daylight_wb"] is None else _triple(values["daylight_wb"]),
        lens_facts=_lens_facts_of(values.get("lens_facts")),
        notes=tuple(values["notes"]),
        saturation=_triple(values.get("saturation", [1.0, 1.0, 1.0])),
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
