"""Measured speeds are remembered, one small file each, in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from rawfix.batch.machine import cpu_name
from rawfix.errors import OutputError
from rawfix.io.atomic import make_folder, replacing
from rawfix.io.folders import cache_folder
from rawfix.nn.manifest import Model
from rawfix.nn.measure import Speed
from rawfix.nn.session import runtime_version
from rawfix.nn.threads import thread_share


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a speed depends on; another value of any of these is another measurement.

    Attributes
    ----------
    model
        Its id, for the reader of the file.
    sha256
        Of the model's graph.
    provider, threads, cpu, runtime
        Where it ran.
    """

    model: str
    sha256: str
    provider: str
    threads: int
    cpu: str
    runtime: str

    def path(self) -> Path:
        """The file that remembers the speed under these circumstances."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return cache_folder() / "speeds" / f"{self.model}-{digest[:16]}.json"


def circumstances(model: Model, provider: str, threads: int) -> Circumstances:
    """Those of a run here and now; ``threads`` 0 stands for all this process may use."""
    manifest = model.manifest
    return Circumstances(
        manifest.id, manifest.sha256, provider, thread_share(threads or None), cpu_name(), runtime_version()
    )


def recall(here: Circumstances) -> tuple[Speed | None, tuple[str, ...]]:
    """The speed remembered, or None; and a note where its file is damaged."""
    path = here.path()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None, ()
    except (OSError, UnicodeDecodeError) as error:
        return None, (f"{path}: cannot be read and is ignored: {error}",)
    try:
        found = json.loads(text)
        speed = Speed(**found["speed"])
        sound = found["circumstances"] == asdict(here) and all(
            not isinstance(value, bool) and math.isfinite(value) and value > 0
            for value in asdict(speed).values()
        )
    except (ValueError, TypeError, KeyError):
        sound = False
    return (speed, ()) if sound else (None, (f"{path}: damaged, ignored; measured anew",))


def remember(here: Circumstances, speed: Speed) -> tuple[str, ...]:
    """Write the speed down, whole or not at all; a note where that is not possible."""
    path = here.path()
    content = {"circumstances": asdict(here), "speed": asdict(speed)}
    try:
        make_folder(path.parent)
        with replacing(path, overwrite=True) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OutputError as error:
        return (f"the measured speed is not remembered: {error}",)
    return ()
