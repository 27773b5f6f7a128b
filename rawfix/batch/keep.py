"""``--save-maps``: what the networks found for a file, kept beside its output."""

from __future__ import annotations

import numpy as np

from rawfix.batch.decide import installed_models
from rawfix.batch.work import Work
from rawfix.frame import RawFrame
from rawfix.io.provenance import Origin, sidecars_of
from rawfix.kept import BAKED, Kept, save_kept
from rawfix.pipeline import Found
from rawfix.settings import Settings


def keep_maps(work: Work, found: Found, frame: RawFrame, settings: Settings, *, overwrite: bool) -> None:
    """Write the camera image and its maps; raises `OutputError`."""
    assert found.maps is not None
    assert found.noise is not None
    installed = installed_models()
    source = work.job.source
    chosen = settings.to_dict()
    kept = Kept(
        frame=frame,
        camera=found.camera,
        maps=found.maps,
        noise=found.noise,
        defects=None if found.bad is None else int(np.count_nonzero(found.bad)),
        models=tuple((name, installed.get(name, "")) for name in found.models),
        source=str(work.job.known_as or source.absolute()),
        sha256=work.state.sha256,
        settings={name: chosen[name] for name in BAKED},
    )
    origin = Origin(source, sidecars_of(source), work.options.strip_private, named=work.job.known_as)
    path = work.options.maps_path(work.target)
    save_kept(path, kept, origin, overwrite=overwrite, threads=settings.threads)
