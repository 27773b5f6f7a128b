"""What a model card says of a task's networks, by task: what they are, how their data was made, where they fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rawfix.cfa import CANONICAL


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs of Markdown.

    Attributes
    ----------
    title
        One line; ``{kind}`` is the filter array or color space.
    about
        Inputs, outputs, architecture; fields of the network's config in braces.
    exposed
        How pictures became training pairs.
    limits
        Where such a network fails.
    """

    title: str
    about: str
    exposed: str
    limits: str


_DEMOSAIC = Text(
    title="Demosaicing of {kind} mosaics with defective pixels",
    about="""Inputs: the mosaic in linear, white-balanced light, canonical filter phase; sigma, the noise model's
deviation at each sample; samples known to be bad. Outputs: camera light in full color, noise kept; the probability
that a sample is defective.

1. A **first verdict** holds every sample against what its neighbours of all colors predict, and takes out what is
   plainly bad, so that no demosaicer smears it. Samples known to be bad, and what lies beyond the frame, are never
   looked at.
2. The **bank** of {bank} on the repaired mosaic in a square-root encoding, as one
   {bank_kernel}×{bank_kernel} convolution. Each kernel's weights sum to 1 on its own color and to 0 on the others,
   so that gray stays gray.
3. A three-level **U-Net** on the mosaic packed 2×2 gives for every pixel {trust}, the final
   verdict on the sample, and the value that replaces it if it is bad.

It is after the scheme of US 2025/0265683 A1 (mixture of demosaicing sub-networks, attention U-Net, refinement),
arranged for cost on a CPU: the sub-networks are fused into one convolution; the U-Net has three levels instead of
four, sees {seen}, and gives the refinement itself; defective samples are replaced
before they are demosaiced instead of being outvoted after. None of this has been measured against the original
arrangement at equal cost.

Measured samples that are not defective pass through unchanged. The network was trained against clean light plus
the *linearly demosaiced* noise, so it keeps the sensor's grain.""",
    exposed="""Exposed by the package's own forward model: drawn exposure, white balance and color matrix,
Poisson–Gaussian and structured noise, planted defects (points, clusters, lines).""",
    limits="""Moiré finer than the mosaic's own grid stays moiré. A true point of light that covers a single pixel of
one color cannot be told from a hot pixel. Weak defects in busy texture stay; recall by
strength, where it was measured, says how many.""",
)

_RESTORE = Text(
    title="Denoising and deblurring of {kind} images",
    about="""Inputs: camera light, linear and white-balanced, in full color; sigma, the noise model's deviation per
channel. Outputs: two residual maps, observed − ideal: what of the light is noise, and what is blur; what
demosaicing leaves is in neither. Images of a mosaic are shown to it in the canonical phase of their filter array.

A U-shape of dense-residual submodules on the image packed 2×2, after US 12,394,023 B2. Noise is found in deviations of
the noise model, so that where there is none, none is found; blur in steps of a perceptual encoding. The network sees
in these units too: the image in the encoding, and how each pixel departs from its surroundings in deviations. Strengths
weigh the maps after the network: strength 0 is the image as it was, bit for bit.""",
    exposed="""Exposed by the package's own forward model, blurred, made noisy and demosaiced by the models that
the config in the manifest names, each as often as it is named.""",
    limits="""Detail that lies below the noise goes with it. Blur beyond what training drew is not undone, and blur that
differs from place to place within a few pixels is taken for texture.""",
)

_UPSCALE = Text(
    title="Super-resolution of {kind} images",
    about="""Inputs: an image in linear light; a plane of noise, whose amplitude the user sets. Output: the image at a
higher resolution along each axis: the least error where the noise is 0, the most natural detail where it is that of
a normal distribution, and everything between.

Multi-grid back-projection after JP 7446997 B2 and arXiv:1809.10711: every step doubles the resolution with the same
weights. Rounds of correction, {rounds[0]} in the first doubling and {rounds[1]} in a second, bring the features of the
high resolution down to every lower one, hold them against that one's own, and bring the difference up. What is found
is added to bicubic interpolation.""",
    exposed="""Half of the pictures were made small by the literature's bicubic protocol, half as a camera makes
them: softened, averaged over photosites in linear light, a little noise left; where the config in the manifest names
demosaicing networks, six tenths of these were mosaics and came through one of them.""",
    limits="""With noise, fine detail is plausible, not seen: faces and letters of a few pixels are guessed. Without, it
stays soft. Much of it can show as a faint weave in flat areas.""",
)

TEXTS: dict[str, Text] = {
    "demosaic": _DEMOSAIC,
    "restore": _RESTORE,
    "upscale-x2": _UPSCALE,
    "upscale-x4": _UPSCALE,
}
"""Every task that has cards."""


def fields(network: Mapping[str, Any]) -> dict[str, Any]:
    """What fills the braces of `Text.about`: the network's config, and words that depend on it."""
    words: dict[str, Any] = dict(network)
    if "demosaicers" in network:
        several = network["demosaicers"] > 1
        words["bank"] = (
            f"{network['demosaicers']} linear demosaicers runs" if several else "one linear demosaicer runs"
        )
        words["trust"] = (
            "the trust in each demosaicer, a correction to their mixture" if several else "a correction to it"
        )
        small = max(CANONICAL[network["cfa"]].period) == 2
        words["seen"] = (
            "the mosaic instead of the reconstructions"
            if small
            else "the mean of the reconstructions and the filters' colors instead of each of them"
        )
    return words
