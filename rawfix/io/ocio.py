"""OpenColorIO display transforms. The only module that knows OpenColorIO."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from rawfix.errors import SettingsError
from rawfix.frame import Image

INTERCHANGE = "aces_interchange"
"""The role by which every configuration names ACES2065-1."""


def open_view(config: str, display: str = "", view: str = "") -> tuple[Callable[[Image], Image], str]:
    """A configuration's way from the scene to a display.

    Parameters
    ----------
    config
        A file (``config.ocio``, ``.ocioz``), or the name of a built-in configuration (``ocio://…``).
    display, view
        Names within it; "" takes the configuration's default.

    Returns
    -------
    callable
        ACES2065-1 light ``(H, W, 3)`` float32, linear and unbounded, to the display's code values, 1 being
        full; a new array.
    str
        ``"DISPLAY, VIEW"`` as used.

    Raises
    ------
    SettingsError
        OpenColorIO is missing; the configuration cannot be read, or has no such display, view or role.
    """
    if find_spec("PyOpenColorIO") is None:
        raise SettingsError("--ocio needs OpenColorIO: pip install 'rawfix[ocio]'")
    import PyOpenColorIO as ocio

    try:
        opened = ocio.Config.CreateFromFile(config)
        if not opened.hasRole(INTERCHANGE):
            raise SettingsError(f"--ocio {config}: has no role {INTERCHANGE}, so ACES2065-1 is unknown to it")
        display = display or opened.getDefaultDisplay()
        _check("display", display, list(opened.getDisplays()))
        view = view or opened.getDefaultView(display)
        _check("view", view, list(opened.getViews(display)))
        transform = ocio.DisplayViewTransform(src=INTERCHANGE, display=display, view=view)
        processor = opened.getProcessor(transform).getDefaultCPUProcessor()
    except (ocio.Exception, ocio.ExceptionMissingFile) as error:
        raise SettingsError(f"--ocio {config}: {' '.join(str(error).split())}") from error

    def show(light: Image) -> Image:
        shown = np.array(light, np.float32, order="C")
        processor.applyRGB(shown)
        return shown

    return show, f"{display}, {view}"


def _check(kind: str, name: str, known: list[str]) -> None:
    if name not in known:
        raise SettingsError(f"--ocio-{kind} {name}: choose one of {', '.join(known)}")
