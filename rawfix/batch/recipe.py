"""Which settings a frame gets: the user's, a preset's, and the rules that fit its camera and ISO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from rawfix.settings import STRENGTHS, Settings


@dataclass(frozen=True, slots=True)
class Rule:
    """Settings for some frames.

    Attributes
    ----------
    values
        Settings by their flat names, as on the command line.
    iso
        Least and greatest ISO it is for, both included; a frame without ISO fits no range.
    camera
        Wildcard over ``make model``, whatever the case.
    """

    values: Mapping[str, Any]
    iso: tuple[float, float] | None = None
    camera: str | None = None

    def fits(self, camera: str, iso: float | None) -> bool:
        """Whether a frame is meant."""
        if self.iso is not None and (iso is None or not self.iso[0] <= iso <= self.iso[1]):
            return False
        return self.camera is None or fnmatchcase(camera.lower(), self.camera.lower())


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of a run.

    Attributes
    ----------
    settings
        For a frame that no rule fits.
    rules
        Applied in order where they fit; a later one wins.
    given
        What the user said on the command line: wins over every rule.
    """

    settings: Settings
    rules: tuple[Rule, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)

    def settings_for(self, camera: str, iso: float | None) -> Settings:
        """The settings of one frame; raises `SettingsError`."""
        if not self.rules:
            return self.settings
        values = to_flat(self.settings)
        for rule in self.rules:
            if rule.fits(camera, iso):
                values.update(rule.values)
        return from_flat({**values, **self.given})

    def variants(self) -> list[Settings]:
        """The settings without any rule, and with each rule by itself; raises `SettingsError`."""
        single = [to_flat(self.settings) | dict(rule.values) | dict(self.given) for rule in self.rules]
        return [self.settings, *map(from_flat, single)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, by which two runs are known to be the same."""
        rules = [{"values": dict(r.values), "iso": r.iso, "camera": r.camera} for r in self.rules]
        return {"settings": self.settings.to_dict(), "rules": rules, "given": dict(self.given)}


def to_flat(settings: Settings) -> dict[str, Any]:
    """Settings as the command line names them: strengths beside the others."""
    values = settings.to_dict()
    return {**values.pop("strengths"), **values}


def from_flat(values: Mapping[str, Any]) -> Settings:
    """Inverse of `to_flat`; raises `SettingsError`."""
    strengths = {name: values[name] for name in STRENGTHS if name in values}
    rest = {name: value for name, value in values.items() if name not in STRENGTHS}
    return Settings.from_dict({"strengths": strengths, **rest})
