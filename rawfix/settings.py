"""What the user asked for: frozen, validated, serialisable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from rawfix.choices import DEFAULT_BITS as DEFAULT_BITS
from rawfix.choices import DEFAULT_TIME_BUDGET as DEFAULT_TIME_BUDGET
from rawfix.choices import FORMAT_BITS as FORMAT_BITS
from rawfix.choices import LOSSY as LOSSY
from rawfix.choices import NEGATIVES as NEGATIVES
from rawfix.choices import SEEDS
from rawfix.choices import Bits as Bits
from rawfix.choices import DeblurMethod as DeblurMethod
from rawfix.choices import DenoiseMethod as DenoiseMethod
from rawfix.choices import DngCompression as DngCompression
from rawfix.choices import Exr as Exr
from rawfix.choices import ExrCompression as ExrCompression
from rawfix.choices import Format as Format
from rawfix.choices import Highlights as Highlights
from rawfix.choices import LensChoice as LensChoice
from rawfix.choices import Quality as Quality
from rawfix.choices import Scale as Scale
from rawfix.choices import Space as Space
from rawfix.choices import Tier as Tier
from rawfix.choices import Tone as Tone
from rawfix.errors import SettingsError
from rawfix.strengths import STRENGTHS as STRENGTHS
from rawfix.strengths import Auto as Auto
from rawfix.strengths import Strengths as Strengths


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides how a frame becomes a picture.

    Attributes
    ----------
    strengths
        Weights of the residual maps.
    denoise_method, deblur_method
        Networks, or non-local means on the mosaic and Richardson-Lucy deconvolution, which need none.
    quality
        Tier of the networks; ``auto``: the best that fits the time budget, chosen for each file.
    time_budget
        Seconds a picture that ``auto`` may spend in its networks; None: `DEFAULT_TIME_BUDGET`.
    space, linear, tone
        Output color space, linear light instead of its transfer curve, tone curve.
    exposure
        Stops.
    wb
        ``as-shot``, ``daylight``, ``auto``, ``R,G,B``, ``KELVIN`` or ``KELVIN,TINT``.
    highlights
        Clipped channels are rebuilt from the others, or cut to white.
    ir_crosstalk
        What to take out of the visible channels of a sensor with infrared (`rawfix.stages.infrared`); "" for
        nothing.
    lens_correction
        Distortion, lateral color and vignetting: ``dng`` as the file itself says (opcode lists), ``lensfun`` by its
        database, ``auto`` the first of these that there is; ``off`` leaves them.
    bad_pixels
        What is known before: ``auto`` (the body's map, and the file's own list), ``off``, or a file: a list, map
        or mask. The network looks for others in each case.
    format, bits
        Output file.
    exr
        An EXR of one of the two ACES kinds: ``aces2065-1``, the container of SMPTE ST 2065-4, or ``acescg``.
    exr_compression
        How EXR is compressed; "" takes zip, or none for ``aces2065-1``, which allows no other.
    picture_quality
        1 to 100, of `LOSSY` formats; 0 takes theirs.
    ocio, ocio_display, ocio_view
        OpenColorIO configuration whose display and view take the place of space, tone and transfer curve; ""
        for none, and for the configuration's defaults.
    dng_compression
        ``none`` and ``ljpeg`` open everywhere; ``jxl`` needs a reader of DNG 1.7.1.
    upscale, detail
        Output pixels per sensor pixel along each axis; amplitude of the noise that becomes detail: 0 is the least
        error, 1 the most natural picture.
    seed
        Which noise.
    guard
        The enlarged picture is corrected until it averages to what the sensor saw.
    tile
        Side of a tile in pixels; 0 takes the model's own.
    threads
        CPU threads; 0 takes those this process may use.
    provider
        ONNX Runtime execution provider.
    """

    strengths: Strengths = field(default_factory=Strengths)
    denoise_method: DenoiseMethod = "network"
    deblur_method: DeblurMethod = "network"
    quality: Quality = "standard"
    time_budget: float | None = None
    space: Space = "srgb"
    linear: bool = False
    tone: Tone = "standard"
    exposure: float = 0.0
    wb: str = "as-shot"
    highlights: Highlights = "rebuild"
    ir_crosstalk: str = ""
    lens_correction: LensChoice = "off"
    bad_pixels: str = "auto"
    format: Format = "tiff"
    bits: Bits = 16
    exr: Exr = ""
    exr_compression: ExrCompression = ""
    picture_quality: int = 0
    ocio: str = ""
    ocio_display: str = ""
    ocio_view: str = ""
    dng_compression: DngCompression = "none"
    upscale: Scale = 1
    detail: float = 0.0
    seed: int = 0
    guard: bool = True
    tile: int = 0
    threads: int = 0
    provider: str = "cpu"

    def __post_init__(self) -> None:
        for name, choices in (
            ("denoise_method", get_args(DenoiseMethod)),
            ("deblur_method", get_args(DeblurMethod)),
            ("exr", get_args(Exr)),
            ("quality", get_args(Quality)),
            ("space", get_args(Space)),
            ("tone", get_args(Tone)),
            ("highlights", get_args(Highlights)),
            ("lens_correction", get_args(LensChoice)),
            ("format", get_args(Format)),
            ("exr_compression", get_args(ExrCompression)),
            ("dng_compression", get_args(DngCompression)),
        ):
            if getattr(self, name) not in choices:
                option, known = name.replace("_", "-"), ", ".join(filter(None, choices))
                raise SettingsError(f"--{option} {getattr(self, name)}: choose one of {known}")
        self._check_methods()
        self._check_upscale()
        if self.time_budget is not None:
            if self.quality != "auto":
                raise SettingsError(f"--time-budget {self.time_budget:g} needs --quality auto")
            if not (math.isfinite(self.time_budget) and self.time_budget > 0):
                raise SettingsError(f"--time-budget {self.time_budget:g}: give seconds a picture, above 0")
        if not self.bad_pixels:
            raise SettingsError("--bad-pixels: give auto, off or the name of a file")
        if self.bits not in FORMAT_BITS[self.format]:
            depths = ", ".join(map(str, FORMAT_BITS[self.format]))
            raise SettingsError(f"--bits {self.bits}: {self.format} holds {depths} bits")
        self._check_output()
        if not (math.isfinite(self.exposure) and abs(self.exposure) <= 16):
            raise SettingsError(f"--exposure {self.exposure}: give stops between -16 and 16")
        if self.tile and not 64 <= self.tile <= 8192:
            raise SettingsError(f"--tile {self.tile}: give 64 to 8192 pixels, or 0 for the model's own")
        if not 0 <= self.threads <= 1024:
            raise SettingsError(
                f"--threads {self.threads}: give 1 to 1024, or 0 for all this process may use"
            )
        if self.space == "camera" and self.wb != "as-shot":
            raise SettingsError("--space camera is the sensor's own color: it takes --wb as-shot only")

    def _check_methods(self) -> None:
        strengths = self.strengths
        if self.denoise_method == "classical":
            if strengths.denoise_luma is not None or strengths.denoise_chroma is not None:
                raise SettingsError(
                    "--denoise-method classical: a mosaic has no brightness and color apart; give --denoise alone"
                )
            if strengths.denoise == "auto":
                raise SettingsError("--denoise auto: weighs a network's map; give classical a number")
        if self.deblur_method == "richardson-lucy" and strengths.deblur == "auto":
            raise SettingsError("--deblur auto: weighs a network's map; give richardson-lucy a number")

    def _check_upscale(self) -> None:
        if self.upscale not in get_args(Scale):
            raise SettingsError(f"--upscale {self.upscale}: give 2 or 4")
        check_detail(self.detail, self.seed)
        if self.upscale == 1 and self.detail:
            raise SettingsError(f"--detail {self.detail:g}: is for --upscale 2 or 4")
        if self.upscale == 1 and not self.guard:
            raise SettingsError("--no-guard: is for --upscale 2 or 4")
        if self.upscale != 1 and self.format == "dng-cfa":
            raise SettingsError("--upscale: dng-cfa holds the sensor's own pixels; use --format dng")

    def _check_output(self) -> None:
        if self.format in NEGATIVES:
            for name, default in (("space", "srgb"), ("tone", "standard"), ("linear", False)):
                if getattr(self, name) != default:
                    raise SettingsError(
                        f"--{name}: --format {self.format} holds the camera's linear light, not rendered; leave it out"
                    )
            if self.format == "dng-cfa" and self.lens_correction != "off":
                raise SettingsError(
                    "--lens-correction: --format dng-cfa keeps the mosaic where it lies, and carries the file's "
                    "corrections along; leave it out, or use --format dng"
                )
        elif self.dng_compression != "none":
            raise SettingsError(f"--dng-compression {self.dng_compression}: is for --format dng and dng-cfa")
        if self.format == "exr" and (self.tone != "none" or not self.linear):
            raise SettingsError(f"--tone {self.tone}: EXR holds the scene's linear light; leave --tone out")
        if self.ocio and (self.format in ("exr", *NEGATIVES) or self.linear or self.tone != "none"):
            raise SettingsError(
                "--ocio makes a picture for a display: leave out --tone and --linear, and choose a format for pictures"
            )
        if self.ocio and self.space != "srgb":
            raise SettingsError(
                f"--ocio: the display decides the color space; leave out --space {self.space}"
            )
        if (self.ocio_display or self.ocio_view) and not self.ocio:
            raise SettingsError("--ocio-display and --ocio-view need --ocio")
        if self.exr and (self.format != "exr" or self.space != self.exr):
            raise SettingsError(f"--exr {self.exr}: needs --format exr and --space {self.exr}")
        if self.exr_compression and self.format != "exr":
            raise SettingsError(f"--exr-compression {self.exr_compression}: is for --format exr")
        if self.exr == "aces2065-1" and (self.bits != 16 or self.exr_compression not in ("", "none")):
            raise SettingsError("--exr aces2065-1: SMPTE ST 2065-4 holds 16 bits and allows no compression")
        if self.picture_quality and self.format not in LOSSY:
            raise SettingsError(f"--picture-quality {self.picture_quality}: is for {', '.join(LOSSY)}")
        if not 0 <= self.picture_quality <= 100:
            raise SettingsError(f"--picture-quality {self.picture_quality}: give 1 to 100")

    @property
    def render_bits(self) -> Literal[8, 16, 32]:
        """The depth of the array a writer takes: EXR's half is made of float32, 10 and 12 bits of 16."""
        if self.format == "exr" or self.bits == 32:
            return 32
        return 8 if self.bits == 8 else 16

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """Inverse of `to_dict`; raises `SettingsError` for an unknown key."""
        strengths = values.get("strengths", {})
        unknown = set(values) - set(cls.__dataclass_fields__) | set(strengths) - set(
            Strengths.__dataclass_fields__
        )
        if unknown:
            raise SettingsError(f"unknown settings: {', '.join(sorted(unknown))}")
        return cls(**{**values, "strengths": Strengths(**strengths)})


def check_detail(detail: float, seed: int) -> None:
    """Raise `SettingsError` where detail or seed has no meaning."""
    if not (math.isfinite(detail) and 0 <= detail <= 1):
        raise SettingsError(f"--detail {detail}: runs from 0 (least error) to 1 (most natural detail)")
    if not 0 <= seed < SEEDS:
        raise SettingsError(f"--seed {seed}: give a whole number from 0 to {SEEDS - 1}")


def with_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what was not given (None, or absent) as the format implies it.

    EXR holds the working space's linear light without a tone curve; ``exr`` names format, space and depth.

    Raises
    ------
    SettingsError
        ``exr`` contradicts what was given, or ``linear`` a tone curve that was asked for.
    """
    given = {name: value for name, value in values.items() if value is not None}
    if given.get("linear") and given.get("tone") == "standard":
        raise SettingsError(
            "--linear and --tone standard exclude each other; leave one out, or give --tone none"
        )
    if kind := given.get("exr"):
        for name, value in (("format", "exr"), ("space", kind)):
            if given.setdefault(name, value) != value:
                raise SettingsError(
                    f"--exr {kind}: is --{name} {value}, not {given[name]}; leave --{name} out"
                )
    format = given.setdefault("format", "tiff")
    if format == "exr":
        given = {"tone": "none", "linear": True, "space": "rec2020", **given}
    if given.get("ocio"):
        given = {"tone": "none", **given}
    return {"bits": DEFAULT_BITS.get(format, 16), **given}
