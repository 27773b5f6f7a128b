"""A worker that develops nothing by itself: the steps of `rawfix.batch.run`, the middle one done by a server.

Plan, journal, names, events, signatures and atomic writes are those of any run. The file is decoded here too, for what
its name and its settings depend on, so that what cannot be read is refused before it is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rawfix.batch import run, worker
from rawfix.batch.calibrated import calibration_file
from rawfix.batch.decide import Action
from rawfix.batch.known_bad import map_file
from rawfix.batch.options import STAGES, Options
from rawfix.batch.plan import Job
from rawfix.batch.recipe import Recipe, from_flat, to_flat
from rawfix.batch.remember import manifest_may_go, may_replace, note_side, note_target, set_aside
from rawfix.batch.result import Result
from rawfix.batch.signing import signing
from rawfix.batch.tiers import Choice
from rawfix.batch.work import Work
from rawfix.errors import CorruptRawError, ServerError
from rawfix.frame import RawFrame
from rawfix.io.atomic import announcing, replacing
from rawfix.io.mosaic_facts import MosaicFacts, facts_beside
from rawfix.io.provenance import Origin, Provenance, sidecars_of, xmp_beside
from rawfix.io.read import MOSAIC_SUFFIXES
from rawfix.server.client import Client, Server
from rawfix.settings import Settings, with_defaults

_IMPLY = ("format", "exr", "ocio")
"""Settings that others follow."""


def main(connection: Connection, server: Server) -> None:
    """A worker process of `rawfix.batch.pool`, whose files a server develops."""
    made: list[Remote] = []

    def load(stopping: Callable[[], bool]) -> worker.Steps:
        made.append(Remote(server, stopping))
        return made[0]

    try:
        worker.main(connection, load)
    finally:
        for remote in made:
            remote.close()


def said(settings: Settings) -> dict[str, Any]:
    """Settings by their flat names, as far as they are not what a server takes by itself."""
    flat = {name: value for name, value in to_flat(settings).items() if value is not None}
    implying = {name: flat[name] for name in _IMPLY if flat[name]}
    implied = to_flat(from_flat(with_defaults(implying)))
    return implying | {name: value for name, value in flat.items() if value != implied[name]}


class Remote:
    """The steps; ``stopping`` tells whether the run is being stopped."""

    def __init__(self, server: Server, stopping: Callable[[], bool]) -> None:
        self._stopping = stopping
        self._client = Client(server, self._check)
        self._jobs: dict[Work, str] = {}
        self._results: dict[Work, dict[str, Any]] = {}

    def close(self) -> None:
        """Cancel what was sent and is not needed any more."""
        for job in self._jobs.values():
            self._client.forget(job)
        self._client.close()

    def read(
        self, job: Job, action: Action | None, recipe: Recipe, options: Options, claim: Callable[[Path], bool]
    ) -> Work | Result:
        """`rawfix.batch.run.read`, then send the file; raises `RawfixError`."""
        outcome = run.read(job, action, recipe, options, claim, _left_open, self._installed)
        if isinstance(outcome, Work):
            assert outcome.frame is not None
            started = time.monotonic()
            parts = _parts(outcome, outcome.frame)
            asked = _asked(outcome)
            outcome.notes = outcome.frame.notes
            outcome.frame = None
            self._jobs[outcome] = self._client.send(asked, parts)
            outcome.seconds += time.monotonic() - started
        return outcome

    def compute(self, work: Work, progress: Callable[[int, int], None] | None) -> None:
        """Wait for the server; raises what it refuses the file for."""
        try:
            result = self._client.follow(self._jobs[work], progress)
            if result["sha256"] != work.state.sha256:
                raise CorruptRawError(f"{work.job.source.name}: changed while it was sent; try again")
        except Exception:
            self._forget(work)
            raise
        self._results[work] = result
        work.notes = (*(note for note in work.notes if note not in result["notes"]), *result["notes"])
        work.bad_known, work.bad_kinds = result["bad_known"], result["bad_kinds"]
        work.pictures = result["pictures"]
        work.seconds += result["seconds"]

    def write(self, work: Work) -> Result:
        """Fetch what was made, each file whole or not at all; raises `RawfixError`."""
        made = self._results.pop(work)
        started = time.monotonic()
        try:
            for file, path in _sides(work).items():
                if file in made["files"]:
                    with announcing(partial(note_side, work)):
                        self._fetch(work, file, made, path, overwrite=may_replace(work, path))
                else:
                    work.sides.append(path.absolute())
            with (
                announcing(partial(note_target, work, made["models"])),
                signing(
                    work.options,
                    work.target,
                    _origin(work, made),
                    partial(note_side, work),
                    overwrite=manifest_may_go(work),
                ),
            ):
                self._fetch(work, "picture", made, work.target, overwrite=work.overwrite)
        finally:
            self._forget(work)
        work.seconds += time.monotonic() - started
        result = _result(work, made)
        set_aside(work, result)
        return result

    def _fetch(self, work: Work, file: str, made: Mapping[str, Any], path: Path, *, overwrite: bool) -> None:
        with replacing(path, overwrite) as temporary:
            self._client.fetch(self._jobs[work], file, made["files"][file], temporary)

    def _forget(self, work: Work) -> None:
        if (job := self._jobs.pop(work, None)) is not None:
            self._client.forget(job)

    def _installed(self) -> dict[str, str]:
        return dict(self._client.offer()["models"])

    def _check(self) -> None:
        if self._stopping():
            raise worker.Stopped


def _left_open(frame: RawFrame, settings: Settings, every: bool) -> Choice:
    """The server knows how fast it is."""
    return Choice(settings.quality)


def _parts(work: Work, frame: RawFrame) -> dict[str, Path]:
    """The file and what belongs to it; a body's map and calibration of this machine go before the server's."""
    source, choice = work.job.source, work.settings.bad_pixels
    listed = None if choice == "off" else map_file(frame, source) if choice == "auto" else Path(choice)
    sidecars = {path.name.casefold(): path for path in sidecars_of(source)}
    adobe, darktable = (sidecars.get(path.name.casefold()) for path in xmp_beside(source))
    found = {
        "raw": source,
        "bad_pixels": listed,
        "calibration": calibration_file(frame, source),
        "xmp": adobe,
        "xmp_darktable": darktable,
    }
    return {part: path for part, path in found.items() if path is not None}


def _asked(work: Work) -> dict[str, Any]:
    source, options = work.job.source, work.options
    described = source.suffix.lower() in MOSAIC_SUFFIXES
    facts = (options.mosaic or MosaicFacts()).over(facts_beside(source)) if described else MosaicFacts()
    return {
        "name": source.name,
        "folder": source.absolute().parent.name,
        "settings": said(work.settings),
        "mosaic": facts.to_values(),
        "files": list(_sides(work)),
        "private": options.strip_private,
        "previews": options.previews is not None,
    }


def _sides(work: Work) -> dict[str, Path]:
    """Files to fetch beside the picture, and where they go."""
    options, target = work.options, work.target
    found: dict[str, Path] = {}
    if (bad_map := options.bad_map_path(target)) is not None:
        found["bad-map"] = bad_map
    if options.save_maps:
        found["maps"] = options.maps_path(target)
    if options.save_stages is not None:
        found |= {stage: options.stage_path(target, stage) for stage in STAGES}
    return found


def _origin(work: Work, made: Mapping[str, Any]) -> Origin:
    """What a signed manifest tells; the key never leaves this machine."""
    provenance = Provenance(made["settings"], tuple(made["models"].items()), work.noise, made["bad_pixels"])
    return Origin(work.job.source, (), work.options.strip_private, provenance)


def _result(work: Work, made: Mapping[str, Any]) -> Result:
    try:
        return Result(
            source=work.job.source,
            target=work.target,
            status="done",
            seconds=work.seconds,
            bad_pixels=made["bad_pixels"],
            bad_known=work.bad_known,
            bad_kinds=work.bad_kinds,
            models=tuple(made["models"]),
            wb=None if made["wb"] is None else tuple(made["wb"]),
            noise_source=made["noise_model"],
            lens_correction=made["lens_correction"],
            camera=work.camera,
            iso=work.iso,
            notes=work.notes,
            settings=made["settings"],
            quality=made["quality"],
            expected_seconds=made["expected_seconds"],
        )
    except KeyError as error:
        raise ServerError(f"the server does not tell {error}; it must be of this version of rawfix") from None


def check(server: Server, recipe: Recipe) -> dict[str, str]:
    """Ask a server before a run whether it can serve its settings.

    Returns
    -------
    dict
        Id → sha256 of its networks.

    Raises
    ------
    SettingsError, ModelError, ServerError
        It cannot, does not know the token, or cannot be reached.
    """
    client = Client(server, is_patient=False)
    try:
        models: dict[str, str] = client.offer()["models"]
        for settings in recipe.variants():
            client.check({**said(settings), "bad_pixels": "auto"})
        return models
    finally:
        client.close()
