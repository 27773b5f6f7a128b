"""How a run treats its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rawfix.io.c2pa import MIME, Credentials
from rawfix.io.mosaic_facts import MosaicFacts
from rawfix.kept import SUFFIX


@dataclass(frozen=True, slots=True)
class Options:
    """What is written, and what may be replaced.

    Attributes
    ----------
    overwrite, skip_existing, update
        Replace any output that exists; leave any; replace those that the journal knows and that are stale.
    save_stages, bad_map
        Folder for the stages; folder or file for the map of bad pixels.
    save_maps
        Keep the camera image and its maps beside each output.
    strip_private
        Leave places, names, serial numbers out of the metadata.
    mosaic
        What inputs without a RAW container do not say themselves.
    run
        The run's id: what it wrote itself, before it was interrupted, is not written again.
    previews
        Folder for what the report shows of each file.
    max_memory
        Bytes that all processes together may take; 0: any.
    lists
        Where lists of bad pixels lie that are not where they are named: on another machine.
    calibration
        File of the body's calibration, in place of the one this machine keeps.
    c2pa
        Key and certificates to sign outputs with.
    signed_by
        SHA-256 of the certificates, wherever the outputs are signed; "" where they are not.
    """

    overwrite: bool = False
    skip_existing: bool = False
    update: bool = False
    save_stages: Path | None = None
    bad_map: Path | None = None
    save_maps: bool = False
    strip_private: bool = False
    mosaic: MosaicFacts | None = None
    run: str = ""
    previews: Path | None = None
    max_memory: int = 0
    lists: Mapping[str, Path] = field(default_factory=dict)
    calibration: Path | None = None

    c2pa: Credentials | None = None
    signed_by: str = ""

    def bad_pixels(self, choice: str) -> str:
        """Where to read what ``--bad-pixels`` names."""
        return str(self.lists.get(choice, choice))

    def sides(self, target: Path) -> tuple[Path, ...]:
        """Files written along with a target."""
        bad_map = self.bad_map_path(target)
        maps = (self.maps_path(target),) if self.save_maps else ()
        stages = () if self.save_stages is None else tuple(self.stage_path(target, stage) for stage in STAGES)
        manifest = self.manifest_path(target)
        return tuple(filter(None, (bad_map, *maps, *stages, manifest)))

    def manifest_path(self, target: Path) -> Path | None:
        """Where the signed manifest goes of a target that cannot hold it."""
        embedded = self.c2pa is None or target.suffix.lower() in MIME
        return None if embedded else target.with_suffix(".c2pa")

    def bad_map_path(self, target: Path) -> Path | None:
        """The file asked for, or one named after the target in the folder asked for."""
        path = self.bad_map
        return path if path is None or path.suffix.lower() == ".png" else path / f"{target.stem}-bad.png"

    def maps_path(self, target: Path) -> Path:
        """Where the camera image and its maps are kept."""
        return target.with_name(f"{target.stem}{SUFFIX}")

    def stage_path(self, target: Path, stage: str) -> Path:
        """Where a stage is saved."""
        assert self.save_stages is not None
        return self.save_stages / f"{target.stem}-{stage}.tif"


STAGES = ("camera", "working")
"""What ``--save-stages`` saves."""
