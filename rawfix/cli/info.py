"""``rawfix info``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from rawfix.batch.calibrated import with_calibration
from rawfix.batch.contained import Contained
from rawfix.batch.inputs import expand
from rawfix.batch.known_bad import with_known_bad
from rawfix.classical import describe_psf
from rawfix.cli import exit_codes
from rawfix.cli.console import file_progress, out, plain, print_json, refuse
from rawfix.cli.headerless import check_facts, facts_of
from rawfix.cli.missed import Missed
from rawfix.errors import InferenceError, ModelError, RawfixError, SettingsError
from rawfix.finish import xyz_to_native
from rawfix.frame import RawFrame
from rawfix.io.mosaic_facts import MosaicFacts
from rawfix.io.read import read_frame
from rawfix.nn.manifest import tiers
from rawfix.physics.bad_kinds import count_kinds, describe_kinds
from rawfix.pipeline import to_camera
from rawfix.settings import Settings
from rawfix.stages.white_balance import wb_to_kelvin

_COLORS = {"R": "red", "G": "green", "B": "blue", "I": "magenta"}
_ORIENTATIONS = {1: "upright", 2: "mirrored", 3: "180°", 4: "mirrored, 180°", 5: "mirrored, 90° left",
                 6: "90° right", 7: "mirrored, 90° right", 8: "90° left"}  # fmt: skip


def describe(frame: RawFrame) -> dict[str, Any]:
    """What the frame holds, as plain values."""
    height, width = frame.mosaic.shape[:2]
    noise = frame.noise
    kelvin, tint = wb_to_kelvin(frame.wb, frame.wb, frame.cam_to_xyz, xyz_to_native(frame))
    return {
        "camera": frame.camera,
        "lens": frame.lens,
        "iso": frame.iso,
        "width": width,
        "height": height,
        "megapixels": round(width * height / 1e6, 2),
        "cfa": None
        if frame.cfa is None
        else {"name": frame.cfa.name, "pattern": frame.cfa.letters.split("/")},
        "black": np.unique(frame.black).round(3).tolist(),
        "white": list(frame.white),
        "wb": [round(float(m), 4) for m in frame.wb],
        "kelvin": round(kelvin) if frame.daylight_wb is not None else None,
        "tint": round(tint, 1) if frame.daylight_wb is not None else None,
        "noise": None if noise is None else {"shot": noise.shot, "read": noise.read, "source": noise.source},
        "psf": None if frame.psf is None else {"center": frame.psf.center, "corner": frame.psf.corner},
        "bad_known": 0 if frame.known_bad is None else int(np.count_nonzero(frame.known_bad)),
        "orientation": frame.orientation,
        "pixel_aspect": frame.pixel_aspect,
        "notes": list(frame.notes),
    }


def run(files: list[str], mosaic: Mapping[str, Any], *, look_for_defects: bool, as_json: bool) -> int:
    """Describe every file; returns the exit code."""
    missed = Missed()
    sources = expand(files, missed)
    if not sources:
        return missed.all(" ".join(files))
    try:
        described = facts_of(mosaic)
        check_facts(described, sources, wb_is_look=False)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    with Contained() as contained:
        return missed.code(
            _show(sources, partial(contained, read, facts=described), look_for_defects, as_json)
        )


def read(path: Path, *, facts: MosaicFacts) -> RawFrame:
    """A frame with all that is known of its body; raises `RawfixError`."""
    return with_calibration(with_known_bad(read_frame(path, facts), path, "auto"), path)


def _show(
    sources: list[Path], read: Callable[[Path], RawFrame], look_for_defects: bool, as_json: bool
) -> int:
    failed = 0
    for path in sources:
        try:
            frame = read(path)
            facts = {"source": str(path), **describe(frame)}
            if look_for_defects and frame.cfa is not None and tiers("demosaic", frame.cfa.name):
                with file_progress(1) as progress:
                    _, bad, _ = to_camera(frame, Settings(), partial(progress.tile, path.name))
                facts["bad_pixels"] = None if bad is None else int(bad.sum())
                facts["bad_kinds"] = None if bad is None else count_kinds(frame, bad)
        except RawfixError as error:
            failed += 1
            refuse(error if path.name in str(error) else f"{path.name}: {error}")
            if isinstance(error, ModelError) and not isinstance(error, InferenceError):
                return exit_codes.MODEL
            continue
        if as_json:
            print_json(facts)
        else:
            out.print(_table(path.name, facts, frame))
    return exit_codes.of_batch(failed, len(sources))


def _table(name: str, facts: dict[str, Any], frame: RawFrame) -> Table:
    table = Table(title=Text(plain(name)), show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    rows: list[tuple[str, str | Text]] = [
        ("camera", facts["camera"] or "unknown"),
        ("lens", facts["lens"] or "unknown"),
        ("ISO", "unknown" if not facts["iso"] else f"{facts['iso']:.0f}"),
        ("sensor", f"{facts['width']} × {facts['height']}, {facts['megapixels']} MP"),
        ("filter array", _draw(facts["cfa"])),
        ("black", ", ".join(f"{level:g}" for level in facts["black"])),
        ("white", ", ".join(f"{level:g}" for level in sorted(set(facts["white"])))),
        ("white balance", _white_balance(facts)),
        ("noise model", _noise(facts["noise"])),
        ("sharpness", "not calibrated" if frame.psf is None else f"{describe_psf(frame.psf)} (calibrated)"),
        ("orientation", _ORIENTATIONS[facts["orientation"]]),
    ]
    if facts["pixel_aspect"] != 1:
        rows.append(("pixels", f"{facts['pixel_aspect']:.3f} times as wide as high"))
    if facts.get("bad_pixels") is not None:
        share = facts["bad_pixels"] / frame.mosaic.size
        rows.append(("defects found", f"{facts['bad_pixels']} pixels ({1e6 * share:.0f} per megapixel)"))
        rows.append(("", describe_kinds(facts["bad_kinds"])))
    if facts["bad_known"]:
        rows.append(("defects known", f"{facts['bad_known']} pixels, by the body's map or the file itself"))
    rows += [("note", note) for note in facts["notes"]]
    for key, value in rows:
        table.add_row(key, value if isinstance(value, Text) else Text(plain(value)))
    return table


def _draw(cfa: dict[str, Any] | None) -> Text:
    if cfa is None:
        return Text("none: full color in every pixel")
    text = Text(cfa["name"])
    for row in cfa["pattern"]:
        text.append("\n")
        for letter in row:
            text.append(f" {letter} ", style=f"bold white on {_COLORS[letter]}")
    return text


def _white_balance(facts: dict[str, Any]) -> str:
    text = " · ".join(f"{m:.3f}" for m in facts["wb"])
    return (
        text if facts["kelvin"] is None else f"{text}  (about {facts['kelvin']} K, tint {facts['tint']:+.0f})"
    )


def _noise(noise: dict[str, Any] | None) -> str:
    if noise is None:
        return "unknown"
    origin = {
        "file": "from the file",
        "calibrated": "calibrated for this camera",
        "estimated": "estimated from the picture",
    }.get(noise["source"], noise["source"])
    return f"shot {noise['shot'][1]:.3g}, read {noise['read'][1]:.3g} (green, of white; {origin})"
