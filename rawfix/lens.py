"""Which lens correction a picture gets, and carrying it out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rawfix.errors import UnsupportedRawError
from rawfix.frame import Image, RawFrame
from rawfix.io import lensfun
from rawfix.io.dng_lens import NAMES, Step, lens_steps
from rawfix.io.dng_opcodes import GAIN_MAP, VIGNETTE, WARP_FISHEYE, WARP_RECTILINEAR, WARP_RECTILINEAR_2
from rawfix.physics.lens import Area, GainMap, Places, RadialGain, Warp
from rawfix.settings import Settings
from rawfix.stages.correct_lens import Gains, Sources, move, multiply

_WARPS = frozenset((WARP_RECTILINEAR, WARP_FISHEYE, WARP_RECTILINEAR_2))


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """What is to be done to one frame, at any size.

    Attributes
    ----------
    text
        What it is, for the record.
    replaces
        Numbers of DNG opcodes that must not be applied to the result again.
    steps
        A DNG's, in their order.
    profile
        Or lensfun's.
    frame_size, area
        Of the mosaic; the part of it that steps speak of, None: all.
    lateral
        False: channels move together, as green does; their lateral color is taken away already.
    """

    text: str
    replaces: frozenset[int]
    steps: tuple[Step, ...] = ()
    profile: lensfun.Profile | None = None
    frame_size: tuple[int, int] = (1, 1)
    area: Area | None = None
    lateral: bool = True

    def without_lateral_color(self) -> Correction:
        """The correction of a picture whose channels were moved back onto green by what it shows itself."""
        return replace(self, lateral=False, text=f"{self.text}; lateral color by --defringe")

    def apply(self, camera: Image, threads: int = 1) -> Image:
        """Correct an image: multiply, then resample once.

        Parameters
        ----------
        camera
            ``(H, W, 3)`` float32, linear, with highlights rebuilt, of the whole frame at any scale and not turned;
            written over.
        threads
            For the resampling.

        Returns
        -------
        Image
            ``camera`` itself where nothing moves.
        """
        height, width = camera.shape[:2]
        if self.profile is not None:
            gains = self.profile.gains(height, width)
            if gains is not None:
                whole = Area(0, 0, height, width)
                multiply(camera, lambda start, end: gains.gains(_grid(start, end, width), whole))
            sources = self.profile.sources(height, width)
            return camera if sources is None else move(camera, self._chosen(sources), threads)
        scale = height / self.frame_size[0], width / self.frame_size[1]
        area = (self.area or Area(0, 0, *self.frame_size)).scaled(*scale)
        steps = [step for step in self.steps if not step.is_identity]
        steps = [step.scaled(*scale) if isinstance(step, GainMap) else step for step in steps]
        warped = False
        late: list[Gains] = []
        for at, step in enumerate(steps):
            if isinstance(step, Warp):
                warped = True
            elif warped:
                late.append(_gains(step, _warps(steps[at:]), area, width))
            else:
                multiply(camera, _gains(step, [], area, width))
        if warped:
            camera = move(camera, self._chosen(_sources(_warps(steps), area, width)), threads)
        for gains_after in late:
            multiply(camera, gains_after)
        return camera

    def _chosen(self, sources: Sources) -> Sources:
        return sources if self.lateral else lambda start, end: _green_of(sources(start, end))


def _green_of(places: list[Places]) -> list[Places]:
    return [places[len(places) // 2]]


def check_lens_correction(settings: Settings) -> None:
    """Refuse, before a file is read, a library that is not there; raises `SettingsError`."""
    if settings.lens_correction == "lensfun":
        lensfun.check_lensfun()


def find_correction(
    frame: RawFrame, settings: Settings, size: tuple[int, int]
) -> tuple[Correction | None, tuple[str, ...]]:
    """The correction that the settings ask for, and what had to be left.

    ``auto`` takes what the file itself says, else lensfun's, else leaves the picture, with a note.

    Parameters
    ----------
    frame
        Its filter array and what it says of the lens; samples do not matter.
    settings
        Which correction.
    size
        Height and width of the sensor's picture.

    Raises
    ------
    UnsupportedRawError
        What was asked for by name is not there for this file.
    SettingsError
        See `rawfix.io.lensfun.check_lensfun`.
    """
    choice = settings.lens_correction
    if choice == "off":
        return None, ()
    if choice == "lensfun":
        return _from_lensfun(frame), ()
    try:
        correction, notes = _from_file(frame, size)
    except ValueError as error:
        malformed = f"its lens corrections (OpcodeList) are malformed: {error}"
        if choice == "dng":
            raise UnsupportedRawError(malformed) from None
        correction, notes = None, (malformed,)
    if correction is not None:
        return correction, notes
    if choice == "dng":
        raise UnsupportedRawError(
            "holds no lens corrections (OpcodeList); choose --lens-correction auto or off"
        )
    if not lensfun.is_installed():
        hint = "the lens was not corrected: the file says nothing of it, and lensfun needs pip install 'rawfix[lens]'"
        return None, (*notes, hint)
    try:
        return _from_lensfun(frame), notes
    except UnsupportedRawError as error:
        return None, (*notes, f"the lens was not corrected: {error}")


def _from_file(frame: RawFrame, size: tuple[int, int]) -> tuple[Correction | None, tuple[str, ...]]:
    """What the file itself says, None for nothing; raises ValueError where that makes no sense."""
    facts = frame.lens_facts
    area = facts.area or (0, 0, *size)
    cfa = None if frame.cfa is None else frame.cfa.shift(area[0], area[1])
    found, lost = lens_steps(facts.opcodes_2, facts.opcodes_3, cfa)
    notes = tuple(f"its lens correction {name} is not understood and was left" for name in lost)
    if not found:
        return None, notes
    names = ", ".join(NAMES[number] for number in NAMES if any(number == each for each, _ in found))
    correction = Correction(
        f"dng: {names}",
        frozenset(number for number, _ in found),
        tuple(step for _, step in found),
        frame_size=size,
        area=Area(*map(float, area)),
    )
    return correction, notes


def _from_lensfun(frame: RawFrame) -> Correction:
    profile = lensfun.find_profile(frame.lens_facts)
    moves = {"distortion", "lateral color"} & set(profile.parts)
    replaces = (_WARPS if moves else frozenset()) | (
        {VIGNETTE, GAIN_MAP} if "vignetting" in profile.parts else set()
    )
    return Correction(
        f"lensfun: {', '.join(profile.parts)} of {profile.name}", frozenset(replaces), profile=profile
    )


def _warps(steps: list[Step]) -> list[Warp]:
    return [step for step in steps if isinstance(step, Warp)]


def _grid(start: int, end: int, width: int) -> Places:
    return np.arange(start, end, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]


def _sources(warps: list[Warp], area: Area, width: int) -> Sources:
    """Where light lies ahead of all warps, which undo what the lens did one after the other."""
    channels = max(len(warp.radial) for warp in warps)

    def sources(start: int, end: int) -> list[Places]:
        return [_followed(warps, _grid(start, end, width), area, channel) for channel in range(channels)]

    return sources


def _followed(warps: list[Warp], places: Places, area: Area, channel: int) -> Places:
    with np.errstate(over="ignore", invalid="ignore"):  # resampling copes with any place, and with none
        for warp in reversed(warps):
            places = warp.source(places, area, channel)
    return places


def _gains(step: RadialGain | GainMap, later: list[Warp], area: Area, width: int) -> Gains:
    """A step's multipliers where its place is one among warps: those after it move them."""
    return lambda start, end: step.gains(_followed(later, _grid(start, end, width), area, 1), area)
