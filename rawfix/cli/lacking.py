"""What a run will miss, as far as that is known before a frame is read."""

from __future__ import annotations

from rawfix.cli.request import Request
from rawfix.nn.manifest import find_models
from rawfix.nn.session import available_providers


def lacking(request: Request) -> list[str]:
    """Sentences about what is asked for and not installed here; raises `ManifestError`."""
    if request.server is not None or request.cluster is not None:
        return []
    models = [model.manifest.id for model in find_models()]
    tiers = {id.rpartition("-")[2] for id in models if id.startswith("demosaic-")}
    wanted = {settings.quality for settings in request.recipe.variants()} - {"auto"}
    notes = [
        f"no demosaicing network of the tier {tier} is installed: the nearest tier will stand in"
        for tier in sorted(wanted - tiers)
    ]
    provider = request.recipe.settings.provider
    if provider not in available_providers():
        notes.append(f"provider {provider} is not installed: files that need a network will be refused")
    return notes
