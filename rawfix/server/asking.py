"""What an upload's options may say, as pydantic checks them and OpenAPI describes them."""

from __future__ import annotations

from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from rawfix.batch.presets import Preset, recipe
from rawfix.errors import RawfixError, SettingsError
from rawfix.io.mosaic_facts import MosaicFacts
from rawfix.io.provenance import xmp_beside
from rawfix.server.limits import Limits
from rawfix.server.order import Order, harmless
from rawfix.server.refused import Refused
from rawfix.server.upload import Upload
from rawfix.server.wire import File, kind_of
from rawfix.settings import Settings, Strengths

TEXTS = ("wb", "ir_crosstalk", "bad_pixels", "ocio", "ocio_display", "ocio_view", "provider")
"""Settings of free text that a client may give; each was looked at for what it could make a server open."""
_BUILT_IN = "ocio://"


def _fields() -> dict[str, Any]:
    """Each setting by its flat name and type, none of them required."""
    hints = {**get_type_hints(Strengths), **get_type_hints(Settings)}
    hints.pop("strengths")
    return {name: (hint | None, None) for name, hint in hints.items() if hint is not str or name in TEXTS}


Look = create_model("Look", __config__=ConfigDict(extra="forbid"), **_fields())
Look.__doc__ = (
    "Settings by the names of rawfix's options, with underscores; what is not given has its default."
)


class Asked(BaseModel):
    """The part ``options``: everything that a request may ask for."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        "", max_length=1000, description="What the RAW file is called; default: the part's own."
    )
    folder: str = Field("", max_length=1000, description="Name of its folder: the reel of numbered frames.")
    settings: Look = Field(default_factory=Look)  # type: ignore[valid-type]
    mosaic: dict[str, Any] = Field(
        default_factory=dict,
        description="Facts of a mosaic without a RAW container: "
        "cfa, size, bits, black, white, byte_order, packing, wb, matrix, camera, serial.",
    )
    files: list[File] = Field(default_factory=list, description="What to make beside the picture.")
    private: bool = Field(False, description="Leave places, serial numbers, names and maker notes out.")
    previews: bool = Field(False, description="Return small pictures before and after with the result.")


def to_order(upload: Upload, limits: Limits, file: str = "picture") -> Order:
    """An upload as an order, for one file more; raises `Refused`."""
    try:
        asked = Asked.model_validate_json(upload.options or b"{}")
    except ValidationError as error:
        raise _invalid("options", error) from None
    settings = _settings(asked.settings, limits)
    try:
        mosaic = MosaicFacts.from_values(asked.mosaic, "mosaic")
    except SettingsError as error:
        raise Refused("settings", str(error)) from None
    if settings.bad_pixels not in ("auto", "off") and "bad_pixels" not in upload.parts:
        raise Refused(
            "settings", "bad_pixels: send the list along as the part bad_pixels, or say auto or off"
        )
    parts = dict(upload.parts)
    for part, path in zip(("xmp", "xmp_darktable"), xmp_beside(parts["raw"]), strict=True):
        if part in parts:
            parts[part] = parts[part].rename(path)
    files = tuple(dict.fromkeys(("picture", *asked.files, file)))
    named = harmless(asked.name) if asked.name else upload.names["raw"]
    folder = harmless(asked.folder) if asked.folder else "reel"
    return Order(named, folder, settings, mosaic, files, asked.private, asked.previews, parts)


def check_look(text: str, limits: Limits) -> Settings:
    """Settings in JSON that can be served here, networks and libraries included; raises `Refused`."""
    from rawfix.pipeline import check_settings

    try:
        look = Look.model_validate_json(text)
    except ValidationError as error:
        raise _invalid("settings", error) from None
    settings = _settings(look, limits)
    try:
        check_settings(settings)
    except RawfixError as error:
        raise Refused(kind_of(error), str(error)) from None
    return settings


def _invalid(what: str, error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return Refused("settings", f"{'.'.join((what, *map(str, first['loc'])))}: {first['msg']}")


def _settings(look: Any, limits: Limits) -> Settings:
    """Settings as `rawfix develop` makes them of its options; raises `Refused`."""
    given = look.model_dump(exclude_unset=True, exclude_none=True)
    if given.setdefault("provider", limits.provider) != limits.provider:
        raise Refused("settings", f"--provider {given['provider']}: this server runs on {limits.provider}")
    try:
        settings = recipe(Preset({}), given).settings
    except SettingsError as error:
        raise Refused("settings", str(error)) from None
    if settings.ocio and not settings.ocio.startswith(_BUILT_IN):
        raise Refused(
            "settings", f"ocio: a server opens no file; name a configuration that is built in, {_BUILT_IN}…"
        )
    return settings
