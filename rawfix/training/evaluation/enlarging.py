"""How good a super-resolution network is, from least error to most detail, beside bicubic and Lanczos.

Two protocols. ``bicubic``, the literature's: encoded 8-bit values made small by MATLAB's bicubic, luma compared with a
border of ``scale`` pixels cut. ``camera``: light softened by a Gaussian of 0.3 small pixels, averaged over photosites,
with a little noise; 8-bit sRGB compared. ``demosaiced``: the same light by way of a mosaic, as a demosaicing network of
ours makes it. In all the guard is on, as in the product. Figures of detail above 0 are of
one noise plane, seed 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Picture

from rawfix import metrics
from rawfix.color.tabulated import SRGB
from rawfix.color.transfer import encode
from rawfix.errors import OutputError
from rawfix.frame import Image
from rawfix.physics import psf, scene
from rawfix.physics.shrinking import Method, shrinking
from rawfix.settling import settle
from rawfix.stages.back_project import back_project
from rawfix.stages.upscale import UpscaleNetwork, Window, upscale
from rawfix.training.config import TrainConfig
from rawfix.training.data import load
from rawfix.training.demosaicers import Seen, seen_through
from rawfix.training.evaluation import pictures, strips
from rawfix.training.evaluation.knob_plot import draw_knob
from rawfix.training.evaluation.naturalness import Naturalness
from rawfix.training.evaluation.protocol import Photo, generator
from rawfix.training.evaluation.report import Say, plain
from rawfix.training.evaluation.sets import Which, find
from rawfix.training.features import open_features
from rawfix.training.networks import Network
from rawfix.training.networks.perceptual import Classifier, distance
from rawfix.training.networks.upscale import UpscaleNetwork as Generator

DETAILS = (0.0, 0.25, 0.5, 0.75, 1.0)
RIVALS = {"bicubic": Picture.Resampling.BICUBIC, "Lanczos": Picture.Resampling.LANCZOS}
SOFTNESS, GRAIN = 0.3, 0.003
"""Of the camera's protocol: Gaussian deviation in small pixels; noise is ``GRAIN · √(light + 0.001)``."""
_LUMA = np.array((65.481, 128.553, 24.966)) / 255
Rows = dict[str, list[dict[str, float]]]


def network_of(model: Generator, device: str) -> UpscaleNetwork:
    """A trained generator as the stage's callable: whole pictures, sides made even by repeating the border."""
    model = model.to(device).eval()

    @torch.inference_mode()
    def run(image: Image, noise: Window) -> Image:
        height, width = image.shape[:2]
        more = ((0, height % 2), (0, width % 2))
        planes = (np.pad(image, (*more, (0, 0)), mode="edge"), np.pad(noise(0, height, 0, width), more))
        light = torch.from_numpy(planes[0].transpose(2, 0, 1).copy())[None].to(device)
        grain = torch.from_numpy(planes[1])[None, None].to(device)
        found = model(light, grain)[0][0].permute(1, 2, 0).cpu().numpy()
        return np.ascontiguousarray(found[: height * model.scale, : width * model.scale])

    return run


def evaluate(
    model: Network,
    config: TrainConfig,
    stored: dict[str, Any],
    data: Path,
    which: Which = "validation",
    *,
    features: Path | None = None,
    photographs: Path | None = None,
    demosaic: Path | None = None,
    device: str = "cpu",
    strips_in: Path | None = None,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Measure a super-resolution network.

    Parameters
    ----------
    model, config, stored
        Of a checkpoint, see `rawfix.training.weights.load_weights`.
    data, which
        The pictures, see `rawfix.training.evaluation.sets.find`.
    features
        The classifier for the perceptual distance, see `rawfix.training.features.open_features`; without, it is not
        measured.
    photographs
        Folder or bundle whose statistics NIQE takes for natural; without, it is not measured.
    demosaic
        Model or checkpoint whose images the protocol ``demosaiced`` enlarges; without, it is left out.
    device
        Where the network runs.
    strips_in
        Existing folder for the strips and the plot, or None.
    say
        Gets one line a picture.

    Returns
    -------
    dict
        ``{set title ×scale: {"bicubic": {method: …}, "camera": {method: …}}}``, and ``demosaiced`` where asked for:
        means over the pictures.

    Raises
    ------
    FileNotFoundError
        There is nothing to be measured.
    OutputError
        A strip cannot be written, or the weights cannot be read.
    """
    assert isinstance(model, Generator)
    chosen = find(data, which, stored)
    network, scale = network_of(model, device), model.scale
    measures: dict[str, Measure] = {}
    if features is not None:
        classifier = _open(features).to(device)
        measures[classifier.figure] = _distance(classifier, device)
    if photographs is not None:
        measures["niqe"] = _niqe(photographs)
    seen = None if demosaic is None else seen_through(demosaic, device)
    encoded: Rows = {}
    camera: Rows = {}
    demosaiced: Rows = {}
    for name, whole in chosen:
        truth = np.ascontiguousarray(whole[: len(whole) // scale * scale, : whole.shape[1] // scale * scale])
        shown = by_bicubic(network, truth, scale, measures, encoded)
        by_camera(network, name, truth, scale, camera)
        if seen is not None:
            by_camera(network, name, truth, scale, demosaiced, seen)
        if strips_in is not None:
            corners = strips.hardest(truth)
            strips.write(strips.strip({"truth": truth} | shown, corners), strips_in / strips.file_name(name))
        least = encoded["detail 0"][-1]["psnr_y"]
        say(f"{name}: {least:.2f} dB, Lanczos {encoded['Lanczos'][-1]['psnr_y']:.2f} dB")
    by_method = {method: pictures.mean(rows) for method, rows in encoded.items()}
    report = {
        "pictures": len(chosen.names),
        "trained_on": chosen.trained_on,
        "scale": scale,
        "bicubic": by_method,
        "camera": {method: pictures.mean(rows) for method, rows in camera.items()},
    }
    if demosaiced:
        report["demosaiced"] = {method: pictures.mean(rows) for method, rows in demosaiced.items()}
    if strips_in is not None and "distance" in measures:
        strips.write(draw_knob(by_method), strips_in / f"knob-x{scale}.png")
    return plain({f"{chosen.title} ×{scale}": report})


Measure = Callable[[Photo, Photo], float]
"""Of a picture and the truth."""


def by_bicubic(
    network: UpscaleNetwork, truth: Photo, scale: int, measures: Mapping[str, Measure], rows: Rows
) -> dict[str, Photo]:
    """Add the figures of one picture by the literature's protocol; the enlarged pictures."""
    small = np.rint(np.clip(_shrunk(truth.astype(np.float32), scale, "bicubic"), 0, 255)).astype(np.uint8)
    light = SRGB.decode(np.arange(256) / 255)[small]
    shown: dict[str, Photo] = {
        name: np.asarray(Picture.fromarray(small).resize(truth.shape[1::-1], kind))
        for name, kind in RIVALS.items()
    }
    for detail in DETAILS:
        fine = upscale(light, network, detail, 0)
        shown[f"detail {detail:g}"] = settle(fine, small, light, SRGB, "bicubic")
    for method, picture in shown.items():
        figures = {"psnr_y": psnr_y(picture, truth, scale)}
        figures |= {name: measure(picture, truth) for name, measure in measures.items()}
        again = _shrunk(picture.astype(np.float32), scale, "bicubic")
        figures["consistency"] = metrics.psnr(again, small, peak=255.0)
        rows.setdefault(method, []).append(figures)
    return shown


def by_camera(
    network: UpscaleNetwork, name: str, truth: Photo, scale: int, rows: Rows, demosaic: Seen | None = None
) -> None:
    """Add the figures of one picture made small as a camera does, and demosaiced where there is something to do it."""
    light = scene.linearize(truth)
    soft = psf.blur(light, (psf.gaussian(SOFTNESS * scale),) * 3)
    seen = _shrunk(soft, scale, "area")
    noise = generator(name, "camera", scale).standard_normal(seen.shape, np.float32)
    seen += np.float32(GRAIN) * np.sqrt(np.maximum(seen, 0) + np.float32(1e-3)) * noise
    seen = seen if demosaic is None else demosaic(seen, GRAIN)
    for method, kind in RIVALS.items():
        planes = [
            np.asarray(Picture.fromarray(np.ascontiguousarray(p)).resize(truth.shape[1::-1], kind))
            for p in encode("srgb", seen).transpose(2, 0, 1)
        ]
        photo = np.rint(np.clip(np.stack(planes, -1), 0, 1) * 255).astype(np.uint8)
        rows.setdefault(method, []).append({"psnr": metrics.cpsnr(photo, truth, linear=False, border=scale)})
    for detail in DETAILS:
        fine = back_project(upscale(seen, network, detail, 0), seen, "area", white=(1.0,) * 3)
        figures = {"psnr": metrics.cpsnr(metrics.srgb8(fine), truth, linear=False, border=scale)}
        figures["consistency"] = metrics.psnr(_shrunk(fine, scale, "area"), seen)
        rows.setdefault(f"detail {detail:g}", []).append(figures)


def psnr_y(photo: Photo, truth: Photo, border: int) -> float:
    """PSNR of BT.601 luma of 8-bit pictures, a border cut: the literature's figure."""
    planes = [picture[border:-border, border:-border] @ _LUMA for picture in (photo, truth)]
    return metrics.psnr(*planes, peak=255.0)


def _shrunk(image: Image, scale: int, method: Method) -> NDArray[np.float32]:
    way = shrinking(method, scale)
    planes = [way.shrink(np.ascontiguousarray(image[..., channel])) for channel in range(image.shape[2])]
    return np.stack(planes, -1)


def _niqe(photographs: Path) -> Measure:
    try:
        natural = Naturalness.of(photo for _, photo in load(photographs).train)
    except ValueError as error:
        raise OutputError(f"--natural {photographs}: {error}") from error
    return lambda picture, _: natural.distance(picture)


def _open(weights: Path) -> Classifier:
    try:
        return open_features(str(weights))
    except (OSError, ValueError) as error:
        raise OutputError(str(error)) from error


def _distance(classifier: Classifier, device: str) -> Measure:
    @torch.inference_mode()
    def between(photo: Photo, truth: Photo) -> float:
        found, wanted = (
            classifier(torch.from_numpy(p.transpose(2, 0, 1).copy())[None].to(device) / 255)
            for p in (photo, truth)
        )
        return float(distance(found, wanted)[0])

    return between
