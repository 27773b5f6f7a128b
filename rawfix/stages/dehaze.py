"""Haze as a map: the airlight that scattering adds, less the scene's light that it takes."""

from __future__ import annotations

import numpy as np

from rawfix.frame import Image, Place
from rawfix.physics.haze import Haze, transmission


def haze_map(camera: Image, place: Place, haze: Haze) -> Image:
    """What haze makes of a camera image, observed − clear.

    ``clear = (camera − airlight) / t + airlight``. The map is bounded by 0 below, as haze hides and does not shine:
    what is brighter than airlight (lamps, the sun) stays; and by the light itself above.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32, linear, white-balanced, signed, unclipped: a picture, or a window of it. Not mutated.
    place
        Where in the picture the window lies.
    haze
        Of `rawfix.physics.haze.estimate_haze`.

    Returns
    -------
    Image
        As ``camera``; each pixel of its own light alone.
    """
    share = transmission(camera, place, haze)[..., None]
    found = (np.asarray(haze.airlight, np.float32) - camera) * (1 / share - 1)
    return np.minimum(np.maximum(found, 0, out=found), np.maximum(camera, 0), out=found)
