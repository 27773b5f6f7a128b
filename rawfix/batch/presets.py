"""Presets: settings in a TOML file, some of them for an ISO range or a camera only.

    denoise = 0.3                  # for every frame
    format = "jpeg"

    [[rule]]                       # rules are applied in order, a later one wins
    iso = [1600, 12800]
    camera = "Canon*"
    denoise = 0.8

What is said on the command line wins over all of it. How a run goes (tile, threads, provider) is no matter of a
preset, and of the look alone (strengths, wb, exposure, tone, highlights, lens) there may be rules.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from rawfix.batch.recipe import Recipe, Rule, from_flat, to_flat
from rawfix.errors import OutputError, SettingsError
from rawfix.io.atomic import make_folder, replacing
from rawfix.io.folders import data_folder
from rawfix.settings import STRENGTHS, Settings, with_defaults

SUFFIX = ".toml"
_RUN = frozenset(("tile", "threads", "provider"))
_LOOK = frozenset((*STRENGTHS, "wb", "exposure", "tone", "highlights", "ir_crosstalk", "lens_correction"))


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings by their flat names, and rules."""

    values: Mapping[str, Any]
    rules: tuple[Rule, ...] = ()


def folder() -> Path:
    """Where presets are kept by name."""
    return data_folder() / "presets"


def names() -> list[str]:
    """The presets there are."""
    return sorted(path.stem for path in folder().glob(f"*{SUFFIX}"))


def path_of(name: str) -> Path:
    """A preset's file: what ends in ``.toml`` or holds a separator is a path, anything else a name."""
    path = Path(name)
    if path.suffix.lower() == SUFFIX or path.name != name:
        return path
    if not name or name.startswith("."):
        raise SettingsError(
            f"preset {name!r}: is no name; give letters and digits, or a file that ends in {SUFFIX}"
        )
    return folder() / f"{name}{SUFFIX}"


def load(name: str) -> Preset:
    """Read a preset by name or path; raises `SettingsError`, which names file and cause."""
    path = path_of(name)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        there = f"there is {', '.join(names())}" if names() else f"there is none yet in {folder()}"
        raise SettingsError(f"--preset {name}: no such preset; {there}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    try:
        return parse(found)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def parse(found: Mapping[str, Any]) -> Preset:
    """A preset from TOML's values; raises `SettingsError`."""
    tables = found.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingsError("rules are written [[rule]]")
    rules = tuple(_rule(number, table) for number, table in enumerate(tables, start=1))
    preset = Preset(
        _values({k: v for k, v in found.items() if k != "rule"}, frozenset(to_flat(Settings())) - _RUN, ""),
        rules,
    )
    recipe(preset, {}).variants()
    return preset


def recipe(preset: Preset, given: Mapping[str, Any]) -> Recipe:
    """The preset under what the command line says; raises `SettingsError`.

    Parameters
    ----------
    preset
        From `load`.
    given
        Settings by their flat names, as far as the user gave them.
    """
    settings = from_flat(with_defaults({**preset.values, **given}))
    for rule in preset.rules:
        with_defaults({**preset.values, **rule.values, **given})
    return Recipe(settings, preset.rules, dict(given))


def to_toml(preset: Preset) -> str:
    """The preset's file content."""
    content: dict[str, Any] = dict(preset.values)
    if preset.rules:
        content["rule"] = [
            {
                **(
                    {}
                    if rule.iso is None
                    else {"iso": [int(bound) if bound.is_integer() else bound for bound in rule.iso]}
                ),
                **({} if rule.camera is None else {"camera": rule.camera}),
                **rule.values,
            }
            for rule in preset.rules
        ]
    return dumps(content)


def dumps(values: Mapping[str, Any]) -> str:
    """Plain values as TOML, which has no word for None."""
    return tomli_w.dumps({name: value for name, value in values.items() if value is not None})


def save(name: str, preset: Preset, overwrite: bool) -> Path:
    """Write a preset, whole or not at all; raises `OutputError` or `SettingsError`."""
    path = path_of(name)
    if path.suffix.lower() != SUFFIX or "\\" in path.name:
        raise SettingsError(f"preset {name}: give a plain name, or a file that ends in {SUFFIX}")
    if not all((preset.values or preset.rules, *(rule.values for rule in preset.rules))):
        raise SettingsError(f"preset {name}: holds no setting; give one or more, such as --denoise 0.5")
    parse(tomllib.loads(to_toml(preset)))
    if path.parent == folder():
        make_folder(path.parent)
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists already; use --overwrite to replace it")
    with replacing(path, overwrite) as temporary:
        temporary.write_text(to_toml(preset), encoding="utf-8", newline="\n")
    return path


def with_rule(preset: Preset, rule: Rule) -> Preset:
    """The preset with a rule put in the place of that for the same frames, or at the end."""
    kept = [rule if (old.iso, old.camera) == (rule.iso, rule.camera) else old for old in preset.rules]
    return Preset(preset.values, tuple(kept) if rule in kept else (*kept, rule))


def _rule(number: int, table: Mapping[str, Any]) -> Rule:
    where = f"rule {number}: "
    iso, camera = table.get("iso"), table.get("camera")
    if iso is not None and not (
        isinstance(iso, list)
        and len(iso) == 2
        and all(_is_number(bound) for bound in iso)
        and iso[0] <= iso[1]
    ):
        raise SettingsError(f"{where}iso = {iso!r}: give [least, greatest]")
    if camera is not None and not isinstance(camera, str):
        raise SettingsError(f"{where}camera = {camera!r}: give a name, with * for what differs")
    values = _values({k: v for k, v in table.items() if k not in ("iso", "camera")}, _LOOK, where)
    return Rule(values, None if iso is None else (float(iso[0]), float(iso[1])), camera)


def _values(table: Mapping[str, Any], allowed: frozenset[str], where: str) -> dict[str, Any]:
    """Settings of a table, of the types they have; raises `SettingsError`."""
    defaults = to_flat(Settings())
    values = {}
    for name, value in table.items():
        if name not in allowed:
            raise SettingsError(f"{where}{name} is no setting here; there are {', '.join(sorted(allowed))}")
        wanted = float if defaults[name] is None else type(defaults[name])
        if name == "wb" and _is_number(value):
            value = f"{value:g}"
        if value == "auto" and name in ("denoise", "deblur"):
            values[name] = value
            continue
        fits = _is_number(value) if wanted is float else type(value) is wanted
        if not fits:
            raise SettingsError(f"{where}{name} = {value!r}: expected {wanted.__name__}")
        values[name] = wanted(value)
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
