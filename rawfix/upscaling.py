"""More pixels than the sensor has: a network finds detail, and the guard sees that none contradicts the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rawfix.errors import ModelError
from rawfix.frame import Image
from rawfix.nn.manifest import Model, models_root, nearest_model, tiers
from rawfix.nn.session import open_session
from rawfix.nn.threads import thread_share
from rawfix.nn.tiles import run_tiled
from rawfix.settings import Settings
from rawfix.stages.back_project import back_project
from rawfix.stages.upscale import Window, upscale

Progress = Callable[[int, int], None]
SPACE = "camera"


@dataclass(frozen=True, slots=True)
class Enlarging:
    """What a network is told, and how it runs.

    Attributes
    ----------
    scale
        2 or 4.
    detail, seed
        See `rawfix.stages.upscale.upscale`.
    quality
        Tier.
    tile, threads
        0: the model's own, and all that this process may use.
    provider
        ONNX Runtime execution provider.
    """

    scale: int
    detail: float = 0.0
    seed: int = 0
    quality: str = "standard"
    tile: int = 0
    threads: int = 0
    provider: str = "cpu"

    @classmethod
    def of(cls, settings: Settings) -> Enlarging:
        """As the settings ask."""
        return cls(
            settings.upscale, settings.detail, settings.seed, settings.quality, settings.tile, settings.threads,
            settings.provider,
        )  # fmt: skip


def upscale_model(scale: int, quality: str) -> Model:
    """The network; raises `ModelError` that says what to leave out where none is installed."""
    if not tiers(f"upscale-x{scale}", SPACE):
        raise ModelError(
            f"no network that enlarges ×{scale} is installed in {models_root()}; rawfix models shows those there are"
        )
    return nearest_model(f"upscale-x{scale}", SPACE, quality)


def enlarge(
    image: Image,
    how: Enlarging,
    progress: Progress | None = None,
    origin: tuple[int, int] = (0, 0),
) -> tuple[Image, str]:
    """Enlarge an image in linear light, without the guard.

    Parameters
    ----------
    image
        ``(H, W, C)`` float32, linear; C is 3, or 1 for gray.
    how
        Scale, detail, seed; tier, tile, threads, provider.
    progress
        Called with tiles done and their number.
    origin
        Where the image begins in its picture.

    Returns
    -------
    fine, model
        ``(s·H, s·W, C)`` float32, and the network's id.

    Raises
    ------
    ModelError
        The tier is not installed, or cannot run.
    """
    model = upscale_model(how.scale, how.quality)
    session = open_session(model, how.provider, how.threads or None)
    manifest = model.manifest

    def network(light: Image, noise: Window) -> Image:
        found = run_tiled(
            session.run,
            {"image": light, "noise": noise},
            session.outputs,
            tile=how.tile or manifest.tile,
            halo=manifest.halo,
            multiple=manifest.multiple,
            scale=manifest.scale,
            period=(1, 1),
            progress=progress,
        )
        return np.asarray(found["upscaled"], np.float32)

    return upscale(image, network, how.detail, how.seed, origin), manifest.id


def upscale_camera(
    camera: Image,
    wb: tuple[float, float, float],
    settings: Settings,
    progress: Progress | None = None,
    origin: tuple[int, int] = (0, 0),
) -> tuple[Image, tuple[str, ...]]:
    """Camera light at the resolution that the settings ask for, and the networks that ran.

    Photosites average the light that falls on them: what is added averages out over each of the sensor's pixels, so
    neither exposure nor color can shift, whatever the detail.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32, linear, balanced, signed, unclipped. Returned itself where nothing is asked for.
    wb
        What it is balanced with: where each channel is saturated.
    settings, progress, origin
        See `enlarge`.
    """
    if settings.upscale == 1:
        return camera, ()
    fine, model = enlarge(camera, Enlarging.of(settings), progress, origin)
    if settings.guard:
        back_project(fine, camera, "area", white=wb, threads=thread_share(settings.threads or None))
    return fine, (model,)
