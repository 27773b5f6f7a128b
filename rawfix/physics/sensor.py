"""The forward model of a sensor: light in, counts out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import Image, NoiseModel, RawFrame, with_infrared
from rawfix.physics import noise
from rawfix.physics.defects import Bool, Defects, plant

SRGB_TO_XYZ: NDArray[np.float64] = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""Linear sRGB → XYZ, D65 (IEC 61966-2-1; digits of B. Lindbloom)."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """A camera body, as far as the forward model knows it.

    Attributes
    ----------
    cfa
        Filter array from the first pixel.
    black, white
        Counts.
    wb
        As-shot multipliers, green = 1; light is divided by them before it is counted.
    noise_model
        Shot and read variance per channel, before white balance; None for a noiseless sensor.
    structure
        Row, column, fixed-pattern and telegraph noise.
    defects
        Defects to plant, or None.
    cam_to_xyz
        White-balanced camera → XYZ; the default is a camera whose primaries are sRGB's.
    iso, orientation, name
        Written into the frame.
    """

    cfa: Cfa = CANONICAL["bayer"]
    black: int = 512
    white: int = 16383
    wb: tuple[float, float, float] = (2.0, 1.0, 1.5)
    noise_model: NoiseModel | None = None
    structure: noise.Structure = field(default_factory=noise.Structure)
    defects: Defects | None = None
    cam_to_xyz: NDArray[np.float64] | None = None
    iso: float = 100.0
    orientation: int = 1
    name: str = "rawfix Synthetic"


def expose(camera: Image, sensor: Sensor, rng: np.random.Generator) -> tuple[RawFrame, Bool]:
    """Expose white-balanced linear light on a sensor.

    Parameters
    ----------
    camera
        ``(H, W, 3)``, or ``(H, W, 4)`` with infrared: float32, linear, white-balanced; 1 saturates green.
        Values above are clipped by the converter, each channel at its own ``wb``.
    sensor
        The body.

    Returns
    -------
    frame, bad
        The frame, with the noise model it was made with; and the ``(H, W)`` truth of planted defects.
    """
    multipliers = with_infrared(sensor.wb)[: camera.shape[2]]
    signal = sensor.cfa.mosaic(camera / multipliers)
    index = sensor.cfa.channels((camera.shape[0], camera.shape[1]))
    if sensor.noise_model is not None:
        shot = with_infrared(sensor.noise_model.shot)[index]
        read = with_infrared(sensor.noise_model.read)[index]
        signal = signal + noise.draw_white(signal, shot, read, rng)
    signal = signal + noise.draw_structure((camera.shape[0], camera.shape[1]), sensor.structure, rng)
    bad = np.zeros(signal.shape, bool)
    if sensor.defects is not None:
        signal, bad = plant(signal, sensor.defects, rng)
    counts = noise.quantize(signal, sensor.white - sensor.black, black=sensor.black)
    mosaic = np.rint(counts * (sensor.white - sensor.black) + sensor.black).astype(np.uint16)
    mosaic.setflags(write=False)
    frame = RawFrame(
        mosaic=mosaic,
        cfa=sensor.cfa,
        black=np.full((1, 1), sensor.black, np.float32),
        white=(float(sensor.white),) * 3,
        wb=sensor.wb,
        cam_to_xyz=SRGB_TO_XYZ if sensor.cam_to_xyz is None else sensor.cam_to_xyz,
        noise=sensor.noise_model,
        iso=sensor.iso,
        orientation=sensor.orientation,
        camera=sensor.name,
        lens="",
    )
    return frame, bad
