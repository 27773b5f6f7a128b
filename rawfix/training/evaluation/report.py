"""All figures of one checkpoint on one set of pictures, and the strips that go with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rawfix.frame import Image
from rawfix.training.config import TrainConfig
from rawfix.training.data import load
from rawfix.training.demosaic import demosaic_config
from rawfix.training.evaluation import charts, detection, grain, peers, pictures, strips
from rawfix.training.evaluation.protocol import EXPOSURE, Develop, Photo, expose, shown, to_light
from rawfix.training.evaluation.sets import Which, find
from rawfix.training.evaluation.targets import zone_plate
from rawfix.training.evaluation.whole import Demosaicer
from rawfix.training.networks import Network
from rawfix.training.networks.demosaic import DemosaicNetwork
from rawfix.training.tasks import TASKS

Say = Callable[[str], None]
OURS = "rawfix"
NOISE_PICTURES = 6
"""Pictures whose crops the noise figures are taken from."""


class Rivals:
    """The peers that still answer: one that fails is left out from there on, and named."""

    def __init__(self, network: Demosaicer, wanted: bool, say: Say) -> None:
        self.cfa, self.say = network.cfa, say
        self.present, self.absent = peers.find(network.cfa) if wanted else ([], [])
        self.figures: dict[str, list[dict[str, float]]] = {peer.name: [] for peer in self.present}

    def drop(self, peer: peers.Peer, error: peers.PeerFailed) -> None:
        """It failed: no figures of it are given."""
        self.say(f"left out: {error}")
        self.present = [other for other in self.present if other is not peer]
        self.absent.append(str(error))
        del self.figures[peer.name]

    def add(self, name: str, truth: Photo) -> dict[str, pictures.Shots]:
        """Measure each on one picture as the network is; their pictures."""
        plane = expose(to_light(truth), self.cfa)
        defective, bad = pictures.planted(plane, name)
        shots = {}
        for peer in list(self.present):
            try:
                found = pictures.Shots(*(shown(peer.develop(p, self.cfa)) for p in (plane, defective)))
            except peers.PeerFailed as error:
                self.drop(peer, error)
                continue
            clean = pictures.compare(found.clean, truth)
            self.figures[peer.name].append(clean | pictures.with_defects(found.repaired, truth, bad))
            shots[peer.name] = found
        return shots


def evaluate(
    model: Network,
    config: TrainConfig,
    stored: dict[str, Any],
    data: Path,
    which: Which = "validation",
    *,
    device: str = "cpu",
    strips_in: Path | None = None,
    with_peers: bool = False,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Measure a demosaicing network.

    Parameters
    ----------
    model, config, stored
        Of a checkpoint, see `rawfix.training.weights.load_weights`.
    data, which
        The pictures, see `rawfix.training.evaluation.sets.find`.
    device
        Where the network runs.
    strips_in
        Existing folder for the PNG strips, or None.
    with_peers
        Whether LibRaw and RawTherapee, where installed, are measured beside it.
    say
        Gets one line a picture.

    Returns
    -------
    dict
        ``{set title: {...}, "charts": {...}}``, plain numbers, rounded to four digits, None where a figure does
        not exist.

    Raises
    ------
    FileNotFoundError
        There is nothing to be measured.
    OutputError
        A strip cannot be written.
    """
    assert isinstance(model, DemosaicNetwork)
    chosen = find(data, which, stored)
    network = Demosaicer(model, demosaic_config(config).cfa, device)
    rivals = Rivals(network, with_peers, say)
    rows, by_picture = [], {}
    found, total = detection.Tally(), detection.Tally()
    for name, whole in chosen:
        truth = pictures.native(network.cfa, whole)
        figures, ours, alarms = pictures.measure(network, name, truth)
        total.alarm("no noise", alarms, truth.shape[0] * truth.shape[1])
        detection.tally(network, name, truth, found)
        shots = {OURS: ours} | rivals.add(name, truth)
        rows.append(figures)
        by_picture[name] = figures["cpsnr"]
        if strips_in is not None:
            _draw(truth, shots, strips_in / strips.file_name(name))
        say(f"{name}: {figures['cpsnr']:.2f} dB, with defects {figures['cpsnr_defects']:.2f} dB")
    few = chosen.some(NOISE_PICTURES)
    linear = grain.LinearGrain(config, few)
    detected = found.figures()
    detected["false_alarms_per_mp"] = total.figures()["false_alarms_per_mp"] | detected["false_alarms_per_mp"]
    report: dict[str, Any] = {
        "pictures": len(rows),
        "trained_on": chosen.trained_on,
        "quality": {OURS: pictures.mean(rows)}
        | {n: pictures.mean(f) for n, f in rivals.figures.items() if f},
        "by_picture": by_picture,
        "detection": detected,
        "noise": grain.transparency(network, linear, few),
    }
    charted = measure_charts(network, rivals, strips_in)
    if rivals.absent:
        report["absent"] = rivals.absent
    return plain({chosen.title: report, "charts": charted})


def _draw(truth: Photo, shots: dict[str, pictures.Shots], path: Path) -> None:
    """The strip of a picture, and beside it that of its defective mosaic."""
    corners = strips.hardest(truth)
    clean = {"truth": truth} | {name: each.clean for name, each in shots.items()}
    repaired = {"truth": truth} | {f"{name}, 1/1000 defects": each.repaired for name, each in shots.items()}
    strips.write(strips.strip(clean, corners), path)
    strips.write(strips.strip(repaired, corners), path.with_name(f"{path.stem}-defects.png"))


def validate(
    model: Network,
    config: TrainConfig,
    stored: dict[str, Any],
    data: Path,
    *,
    device: str = "cpu",
    strips_in: Path | None = None,
) -> dict[str, Any]:
    """The validation that training itself runs, of any task: ``{"held_back": {...}}``, plain numbers.

    Parameters and errors as those of `evaluate`; the folder must be the one that was trained from, as its split is
    made anew.
    """
    photos = load(data)
    if [name for name, _ in photos.validation] != stored["held_back"]:
        raise FileNotFoundError(f"{data}: not the pictures that the run was trained from; give those")
    strip = None if strips_in is None else strips_in / "validation.png"
    return plain({"held_back": TASKS[config.task](config, photos, device).validate(model.to(device), strip)})


def measure_charts(network: Demosaicer, rivals: Rivals, strips_in: Path | None) -> dict[str, Any]:
    """Edges, zone plate, stars, gray fields; the peers on the first two."""
    methods: dict[str, Develop] = {OURS: lambda plane: network(plane)[0]}
    figures: dict[str, Any] = {"edges": {}, "zone_plate": {}}
    plates: dict[str, Image] = {"truth": zone_plate(charts.sides(network.cfa, charts.ZONE_SIDE))}
    for peer in list(rivals.present):
        methods[peer.name] = partial(peer.develop, cfa=network.cfa)
    for name, develop in methods.items():
        try:
            edges, (moire, plate) = charts.edges(develop, network.cfa), charts.zone(develop, network.cfa)
        except peers.PeerFailed as error:
            rivals.drop(next(peer for peer in rivals.present if peer.name == name), error)
            continue
        figures["edges"][name], figures["zone_plate"][name], plates[name] = edges, moire, plate
    figures["stars"], sky, true_sky = charts.stars(network)
    figures["gray_shift"] = grain.gray_shift(network)
    if strips_in is not None:
        side = len(plates["truth"])
        panel = {name: shown(plate * np.float32(EXPOSURE)) for name, plate in plates.items()}
        strips.write(strips.strip(panel, [(0, 0)], side), strips_in / "chart-zone-plate.png")
        panel = {
            name: shown(image * np.float32(EXPOSURE)) for name, image in (("truth", true_sky), (OURS, sky))
        }
        strips.write(strips.strip(panel, [(0, 0)], 240), strips_in / "chart-stars.png")
    return figures


def plain(value: Any) -> Any:
    """Numbers as JSON can hold them: four digits, None for what is not finite."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, int | str):
        return value
    number = float(value)
    return float(f"{number:.4g}") if math.isfinite(number) else None
