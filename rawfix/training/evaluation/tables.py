"""The figures of `rawfix.training.evaluation.report` as Markdown, by section; what is missing is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Figures = Mapping[str, Any]

_QUALITY = {
    "cpsnr": "CPSNR dB",
    "ssim": "SSIM",
    "delta_e_2000": "ΔE2000",
    "zipper_percent": "zipper %",
    "false_color_percent": "false color %",
    "texture_kept": "texture kept",
    "cpsnr_defects": "CPSNR dB, 1/1000 defects",
    "near_defects": "5×5 around them, dB",
    "psnr_infrared": "infrared PSNR dB",
}
_NOISE = {
    "deviation": "grain, of the linear demosaic's",
    "correlation": "correlation with it",
    "texture_kept": "texture kept",
    "false_alarms_per_mp": "false alarms a megapixel",
}
_STARS = {
    "flux": "flux kept, median",
    "flux_red": "all stars, red",
    "flux_green": "green",
    "flux_blue": "blue",
    "lost_percent": "lost a fifth or more, %",
    "flagged_percent": "taken for a defect, %",
}
_ENLARGED = {
    "psnr_y": "Y-PSNR dB",
    "psnr": "PSNR dB",
    "distance": "SqueezeNet distance",
    "distance_vgg19": "VGG-19 distance",
    "niqe": "NIQE",
    "consistency": "consistency dB",
}
_KINDS = {
    "single": "single, strong",
    "cluster": "cluster, strong",
    "block": "block of 2×2 and more, strong",
    "line": "line, strong",
    "warm": "warm (dark current 2–10 % of white)",
    "hot": "hot (dark current 25 % of white and more)",
    "strong": "all strong",
}

_FLAGGED = {
    "warm": "warm: brighter than its surroundings",
    "hot": "hot: by a quarter of white and more",
    "dead": "dead: darker",
    "stuck": "stuck at white",
    "quiet": "no outlier",
    "cluster": "cluster",
    "line": "row or column",
}


def number(value: Any) -> str:
    """As a table shows it: four digits, a dash for what does not exist."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def table(head: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table; the first column is text, the others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *([str(r[0]), *map(number, r[1:])] for r in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _columns(first: str, titles: Mapping[str, str], rows: Figures) -> str:
    """One row a key of ``rows``; of ``titles``, the columns that any row has."""
    present = [key for key in titles if any(key in row for row in rows.values())]
    body = [[name, *(row.get(key) for key in present)] for name, row in rows.items()]
    return table([first, *(titles[key] for key in present)], body)


def _detection(found: Figures) -> list[str]:
    recall, planted = found.get("recall", {}), found.get("planted", {})
    kinds = [[title, recall[k], int(planted.get(k, 0))] for k, title in _KINDS.items() if k in recall]
    parts = [table(["kind", "recall", "planted"], kinds)] if kinds else []
    for unit, title in (
        ("white", "single defects, change of white"),
        ("sigma", "single defects, change in σ"),
    ):
        bins = [k for k in recall if k.startswith(f"{unit} ")]
        if bins:
            rows = [[k.removeprefix(f"{unit} "), recall[k], int(planted.get(k, 0))] for k in bins]
            parts.append(table([title, "recall", "planted"], rows))
    if "all" in (precision := found.get("precision", {})):
        flagged = found.get("flagged", {})
        said = f"Precision: {number(precision['all'])} of what was flagged had been planted."
        looks = [
            [title, precision[k], int(flagged.get(k, 0))] for k, title in _FLAGGED.items() if k in precision
        ]
        if looks:
            said += (
                " By what a flagged sample looks like, as rawfix counts defects by kind, without the truth; a hit was "
                "planted, as whatever kind:"
            )
        parts.append(said)
        parts += [table(["looks like", "precision", "flagged"], looks)] if looks else []
    if alarms := found.get("false_alarms_per_mp"):
        said = ", ".join(f"{number(value)} ({name})" for name, value in alarms.items())
        parts.append(f"False alarms a megapixel on mosaics without defects: {said}.")
    return parts


def _picture_set(title: str, figures: Figures) -> list[str]:
    parts = [f"### {title}"]
    if "pictures" in figures:
        trained = figures.get("trained_on", 0)
        seen = f"; **{trained} of them were trained on**" if trained else ", none of them trained on"
        seen = seen if trained is not None else ""
        parts.append(f"{figures['pictures']} pictures{seen}.")
    if quality := figures.get("quality"):
        parts.append(_columns("method", _QUALITY, quality))
    for protocol, title in (
        ("bicubic", "bicubic protocol"),
        ("camera", "made small as by a camera"),
        ("demosaiced", "made small as by a camera, and demosaiced"),
    ):
        if found := figures.get(protocol):
            parts.append(_columns(f"×{figures.get('scale', '')}, {title}", _ENLARGED, found))
    if absent := figures.get("absent"):
        parts.append("Not measured beside it: " + "; ".join(absent) + ".")
    if detection := figures.get("detection"):
        parts += _detection(detection)
    if noise := figures.get("noise"):
        parts.append(_columns("noise", _NOISE, noise))
    if by_picture := figures.get("by_picture"):
        worst = sorted(((v, n) for n, v in by_picture.items() if v is not None))[:3]
        parts.append("Hardest pictures: " + ", ".join(f"`{n}` {number(v)} dB" for v, n in worst) + ".")
    return parts + _loose(figures)


def _loose(figures: Figures) -> list[str]:
    """Plain numbers beside the sections, as a table of their own."""
    named = ("pictures", "trained_on", "scale")
    loose = [[k, v] for k, v in figures.items() if isinstance(v, int | float) and k not in named]
    return [table(["figure", "value"], loose)] if loose else []


def _charts(figures: Figures) -> list[str]:
    parts = ["### Charts"]
    if edges := figures.get("edges"):
        own = next(iter(next(iter(edges.values())).values())).get("truth_cycles_per_pixel")
        rows = [
            [f"{method}, {edge}", *(found.get(c) for c in ("red", "green", "blue"))]
            for method, each in edges.items()
            for edge, found in each.items()
        ]
        parts.append(f"Sharpness of slanted edges: MTF50 over the truth's own, {number(own)} cycles a pixel.")
        parts.append(table(["edge", "red", "green", "blue"], rows))
    if zone := figures.get("zone_plate"):
        titles = {key: key for row in zone.values() for key in row if key != "gray_error"}
        parts.append(
            "False color of a gray zone plate, percent of its own deviation; and the error of its gray."
        )
        parts.append(_columns("method", titles | {"gray_error": "gray error"}, zone))
    if stars := figures.get("stars"):
        parts.append("Stars, Gaussian, anywhere on the pixel grid, on a dark sky:")
        parts.append(_columns("width", _STARS, stars))
    if shift := figures.get("gray_shift"):
        said = ", ".join(f"{number(value)} at {iso}" for iso, value in shift.items())
        parts.append(f"Greatest shift of a gray field's mean, of white: {said}.")
    return parts


def to_markdown(metrics: Figures) -> str:
    """Every section of a model's figures.

    Parameters
    ----------
    metrics
        What ``evaluate`` wrote, one set after the other; or plain numbers by set, or by name.

    Returns
    -------
    Sections, one blank line between paragraphs.
    """
    sets = {title: each for title, each in metrics.items() if isinstance(each, Mapping) and title != "charts"}
    parts = _loose(metrics)
    for title, figures in sets.items():
        parts += _picture_set(title, figures)
    if charts := metrics.get("charts"):
        parts += _charts(charts)
    return "\n\n".join(parts) if parts else "Not measured."
