"""What a command line asks of many files, checked before any is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from rawfix.batch.cluster import Files, check_address
from rawfix.batch.inputs import Source
from rawfix.batch.known_bad import check_choice
from rawfix.batch.memory import parse_size, shared
from rawfix.batch.options import Options
from rawfix.batch.plan import DEFAULT_NAME, Job, plan
from rawfix.batch.recipe import Recipe
from rawfix.batch.report import check_report, parts_folder
from rawfix.cli.elsewhere import check_elsewhere
from rawfix.cli.headerless import check_facts, facts_of
from rawfix.cli.places import check_folder
from rawfix.errors import SettingsError
from rawfix.io.atomic import make_folder
from rawfix.io.c2pa import Credentials, check_credentials
from rawfix.io.mhl import check_mhl
from rawfix.io.mosaic_facts import MosaicFacts
from rawfix.pipeline import check_settings


@dataclass(frozen=True, slots=True)
class Request:
    """Everything but the files. Attributes are named after their options."""

    recipe: Recipe
    mosaic: MosaicFacts
    output: Path | None = None
    name: str = DEFAULT_NAME
    overwrite: bool = False
    skip_existing: bool = False
    update: bool = False
    bad_map: Path | None = None
    save_stages: Path | None = None
    save_maps: bool = False
    strip: str | None = None
    mhl: bool = False
    c2pa_key: Path | None = None
    c2pa_cert: Path | None = None
    jobs: int = 1
    max_memory: str | None = None
    cluster: str | None = None
    cluster_files: str = "shared"
    report: Path | None = None
    json: bool = False
    server: str | None = None
    token: str = ""
    server_ca: Path | None = None

    @classmethod
    def of(cls, recipe: Recipe, parameters: Mapping[str, Any]) -> Request:
        """From a command's parameters; raises `SettingsError`."""
        given: dict[str, Any] = {
            name: parameters[name]
            for name in cls.__dataclass_fields__
            if name in parameters and name not in ("recipe", "mosaic")
        }
        request = cls(recipe=recipe, mosaic=facts_of(parameters), **given)
        allowed = {"--overwrite": request.overwrite, "--skip-existing": request.skip_existing}
        allowed["--update"] = request.update
        if sum(allowed.values()) > 1:
            raise SettingsError(f"{' and '.join(k for k, v in allowed.items() if v)} exclude each other")
        if not 1 <= request.jobs <= 256:
            raise SettingsError(f"--jobs {request.jobs}: give 1 to 256 processes")
        if request.report is not None and request.report.suffix.lower() not in (".html", ".htm"):
            raise SettingsError(f"--report {request.report}: name a .html file")
        if request.max_memory is not None:
            shared(parse_size(request.max_memory), request.jobs)
        bad_map = request.bad_map
        if bad_map is not None and bad_map.suffix.lower() not in ("", ".png"):
            raise SettingsError(f"--bad-map {bad_map}: is written as .png; or give a folder")
        if request.save_stages is not None:
            check_folder("--save-stages", request.save_stages)
        if bad_map is not None and not bad_map.suffix:
            check_folder("--bad-map", bad_map)
        if request.strip not in (None, "private"):
            raise SettingsError(f"--strip {request.strip}: there is private")
        if request.mhl:
            check_mhl()
        check_cluster(request)
        if (request.c2pa_key is None) != (request.c2pa_cert is None):
            raise SettingsError("--c2pa-key and --c2pa-cert go together; give both")
        for settings in recipe.variants():
            if request.server is None:
                check_settings(settings, every=request.save_maps)
            check_choice(settings.bad_pixels)
        if request.server is not None:
            check_elsewhere(request, recipe)
        elif request.server_ca is not None:
            raise SettingsError("--server-ca needs --server")
        return request

    def options(self) -> Options:
        """How files are treated; raises `SettingsError`."""
        credentials = None
        if self.c2pa_key is not None and self.c2pa_cert is not None:
            credentials = Credentials(self.c2pa_key, self.c2pa_cert)
        return Options(
            self.overwrite, self.skip_existing, self.update, self.save_stages, self.bad_map, self.save_maps,
            strip_private=self.strip is not None, mosaic=self.mosaic,
            previews=None if self.report is None else parts_folder(self.report),
            max_memory=0 if self.max_memory is None else parse_size(self.max_memory),
            c2pa=credentials, signed_by="" if credentials is None else check_credentials(credentials),
        )  # fmt: skip

    def plan(self, sources: list[Source]) -> list[Job]:
        """Which output belongs to which input; raises `SettingsError`."""
        check_facts(self.mosaic, [source.path for source in sources], wb_is_look=True)
        if self.bad_map is not None and len(sources) > 1 and self.bad_map.suffix:
            raise SettingsError(
                f"--bad-map {self.bad_map}: one file for {len(sources)} inputs; give a folder"
            )
        if self.report is not None:
            check_report(self.report, self.overwrite)
        settings = self.recipe.settings
        tiers = {variant.quality for variant in self.recipe.variants()}
        return plan(
            [source.path for source in sources], self.output, self.name, settings.format,
            space=settings.space, quality=settings.quality if len(tiers) == 1 else "auto",
            below={source.path: source.below for source in sources},
        )  # fmt: skip

    def root_of(self, target: Path) -> Path:
        """The folder a target was handed over in: the one asked for, or its own."""
        return self.output if self.output is not None and self.output.is_dir() else target.parent

    def make_folders(self, jobs: list[Job]) -> None:
        """Create the folders that outputs go to; raises `OutputError`."""
        folders = {job.target.parent for job in jobs} if self.output else set()
        if self.save_stages is not None:
            folders.add(self.save_stages)
        if self.bad_map is not None:
            folders.add(self.bad_map.parent if self.bad_map.suffix else self.bad_map)
        if self.report is not None:
            folders.add(parts_folder(self.report))
        for folder in sorted(folders):
            make_folder(folder)


def check_cluster(request: Request) -> None:
    """Refuse what has no meaning on other machines; raises `SettingsError`."""
    if request.cluster_files not in get_args(Files):
        raise SettingsError(
            f"--cluster-files {request.cluster_files}: there are {', '.join(get_args(Files))}"
        )
    if request.cluster is None:
        if request.cluster_files != "shared":
            raise SettingsError("--cluster-files is for --cluster; name a scheduler")
        return
    check_address(request.cluster)
    if request.jobs > 1 or request.max_memory is not None:
        raise SettingsError(
            "--jobs and --max-memory are for this machine; with --cluster, start workers with --nthreads and "
            "--memory-limit"
        )
    for settings in request.recipe.variants():
        own = settings.ocio and not settings.ocio.startswith("ocio://")
        if own and (request.cluster_files == "ship" or not Path(settings.ocio).is_absolute()):
            raise SettingsError(
                f"--ocio {settings.ocio}: workers do not find it; name a built-in ocio:// configuration, or with "
                "--cluster-files shared an absolute path"
            )
