"""``rawfix preset``: show and save."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rawfix.batch import presets
from rawfix.batch.presets import Preset
from rawfix.batch.recipe import Rule, to_flat
from rawfix.cli import exit_codes
from rawfix.cli.console import out, print_json, refuse
from rawfix.errors import OutputError, SettingsError


def show(name: str | None, *, camera: str | None, iso: float | None, as_json: bool) -> int:
    """Print a preset, or what it comes to for a camera and an ISO; without a name, list them."""
    try:
        if name is None:
            for each in presets.names():
                path = str(presets.path_of(each))
                print_json({"name": each, "path": path}) if as_json else out.print(f"{each}  {path}")
            return exit_codes.DONE
        preset = presets.load(name)
        if camera is not None or iso is not None:
            found: dict[str, Any] = to_flat(presets.recipe(preset, {}).settings_for(camera or "", iso))
            text = presets.dumps(found)
        else:
            text = presets.to_toml(preset)
            rules = [{"iso": r.iso, "camera": r.camera, **r.values} for r in preset.rules]
            found = {**preset.values, "rule": rules}
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    print_json(found) if as_json else out.print(text, end="", soft_wrap=True)
    return exit_codes.DONE


def save(name: str, given: dict[str, Any], *, camera: str | None, iso: str | None, overwrite: bool) -> int:
    """Save what was given under a name, or as one rule of the preset of that name."""
    try:
        path = presets.path_of(name)
        if camera is None and iso is None:
            saved = presets.save(name, Preset(given), overwrite)
        else:
            before = presets.load(name) if path.exists() else Preset({})
            rule = Rule(given, None if iso is None else _range(iso), camera)
            known = any((old.iso, old.camera) == (rule.iso, rule.camera) for old in before.rules)
            if known and not overwrite:
                raise OutputError(f"{path}: has a rule for these frames; use --overwrite to replace it")
            saved = presets.save(name, presets.with_rule(before, rule), overwrite=True)
    except SettingsError as error:
        refuse(error)
        return exit_codes.USAGE
    except OutputError as error:
        refuse(error)
        return exit_codes.ALL_FAILED
    out.print(_saved(saved), soft_wrap=True)
    return exit_codes.DONE


def _saved(path: Path) -> str:
    return f"saved {path}"


def _range(text: str) -> tuple[float, float]:
    """``800`` or ``800-3200``."""
    low, dash, high = text.partition("-")
    try:
        found = float(low), float(high if dash else low)
    except ValueError:
        raise SettingsError(f"--iso {text}: give a number, or a range such as 800-3200") from None
    return found
