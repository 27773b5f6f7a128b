"""The one training loop: build, resume, step, validate, checkpoint, one line to ``metrics.jsonl``."""

from __future__ import annotations

import json
import math
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rawfix.training.config import TrainConfig
from rawfix.training.data import Photos, load
from rawfix.training.networks import build
from rawfix.training.optimizer import Optimizer
from rawfix.training.progress import Reporter
from rawfix.training.tasks import TASKS
from rawfix.training.weights import Initial, commits_of_run

CHECKPOINT = "checkpoint.pt"


def learning_rate(config: TrainConfig, progress: float) -> float:
    """Linear warm-up, then a cosine down to a hundredth; ``progress`` in 0…1."""
    if progress < config.warmup:
        return config.learning_rate * progress / config.warmup
    phase = min((progress - config.warmup) / (1 - config.warmup), 1.0)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * phase)))


def current_commit() -> str:
    """The commit of the code that trains; "unknown" outside a checkout."""
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True, cwd=here
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _save(path: Path, state: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)


def _average(ema: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for slow, fast in zip(ema.parameters(), model.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)


def train(
    run: Path,
    data: Path,
    config: TrainConfig,
    *,
    device: str = "cpu",
    init: Initial | None = None,
    sources: list[dict[str, str]] | None = None,
    reporter: Reporter,
) -> Path:
    """Train until the budget is spent; resumes where a checkpoint lies in ``run``.

    Parameters
    ----------
    run
        Directory of the run: checkpoint, ``metrics.jsonl``, ``validation.png``.
    data
        Folder of photographs or a bundle.
    config
        The run. On resuming the stored one goes on; only its length may differ.
    init
        Weights to start from, of a checkpoint or an exported model; of another network, those that fit.
    sources
        What the pictures are, each with ``name`` and ``license``: goes into the manifest.

    Returns
    -------
    Path of the checkpoint: it holds network and training config, step, EMA weights, optimiser, RNG state; ``commits``
    are those whose code made steps of this run, ``earlier`` what went into the weights it started from.
    """
    run.mkdir(parents=True, exist_ok=True)
    checkpoint = run / CHECKPOINT
    stored = torch.load(checkpoint, map_location=device, weights_only=False) if checkpoint.exists() else None
    if stored is not None:
        if init is not None:
            raise FileExistsError(f"{checkpoint}: this run has begun; leave out --init, or start another run")
        config = replace(TrainConfig.from_dict(stored["config"]), minutes=config.minutes, steps=config.steps)
    torch.manual_seed(config.seed)
    photos: Photos = load(data)
    task = TASKS[config.task](config, photos, device)
    # Channels last: convolutions train a tenth faster on a CPU.
    model = build(config.network).to(device, memory_format=torch.channels_last)
    if stored is not None:
        model.load_state_dict(stored["model"])
    elif init is not None and init.network == config.network:
        model.load_state_dict(init.weights)
    else:
        task.initialize(model)
        if init is not None and not init.graft(model):
            raise ValueError("nothing of the weights to start from fits this network")
    ema = build(config.network).to(device, memory_format=torch.channels_last)
    ema.load_state_dict(stored["ema"] if stored is not None else model.state_dict())
    optimizer = Optimizer(model, config.learning_rate, config.optimizer)
    step, spent = 0, 0.0
    if stored is not None:
        optimizer.load_state_dict(stored["optimizer"])
        step, spent = stored["step"], stored["seconds"]
        torch.set_rng_state(stored["rng"].cpu())

    def state() -> dict[str, Any]:
        return {
            "config": config.to_dict(),
            "step": step,
            "seconds": spent,
            "model": model.state_dict(),
            "ema": ema.state_dict(),
            "optimizer": optimizer.state_dict(),
            "rng": torch.get_rng_state(),
            "commit": commit if step > begun else last,
            "commits": list(dict.fromkeys((*commits, commit))) if step > begun else commits,
            "validation": scores,
            "task": task.state(),
            "data": sources,
            "earlier": earlier,
            "pictures": [name for name, _ in photos.train],
            "held_back": [name for name, _ in photos.validation],
            "hardware": torch.cuda.get_device_name()
            if device == "cuda"
            else f"CPU, {torch.get_num_threads()} threads",
        }

    scores: dict[str, float] = {} if stored is None else stored.get("validation", {})
    begun, commit = step, current_commit()
    last = (stored or {}).get("commit", commit)
    commits = [] if stored is None else commits_of_run(stored)
    earlier = (stored or {}).get("earlier", {"steps": 0, "seconds": 0.0})
    if init is not None:
        earlier = {"steps": init.steps, "seconds": init.seconds, "commits": list(init.commits)}
    if sources is None:
        sources = (stored or {}).get("data") or [{"name": data.name, "license": "unstated"}]
    if stored is not None and stored.get("task"):
        task.resume(stored["task"])
    batches = task.stream(step)
    last_saved = last_checked = spent
    running: dict[str, float] = {}
    try:
        while True:
            progress = step / config.steps if config.steps else spent / (60 * config.minutes)
            if progress >= 1:
                break
            started = time.perf_counter()
            batch = next(batches)  # restoration demosaics here: that is training too
            loss, parts = task.loss(model, batch)
            model.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step(learning_rate(config, progress))
            _average(ema, model, min(config.ema, (1 + step) / (10 + step)))
            step += 1
            spent += time.perf_counter() - started
            running = {
                k: 0.99 * running.get(k, v) + 0.01 * v
                for k, v in {**parts, "loss": float(loss.detach())}.items()
            }
            reporter.step(step, progress, running)
            if spent - last_checked > 60 * config.validate_minutes:
                last_checked = spent
                scores = task.validate(ema, run / "validation.png")
                _log(run, step, spent, running, scores)
                reporter.validation(step, scores)
            if spent - last_saved > 60 * config.checkpoint_minutes:
                last_saved = spent
                _save(checkpoint, state())
    except KeyboardInterrupt:
        _save(checkpoint, state())
        raise
    scores = task.validate(ema, run / "validation.png")
    _log(run, step, spent, running, scores)
    reporter.validation(step, scores)
    _save(checkpoint, state())
    return checkpoint


def _log(run: Path, step: int, spent: float, losses: dict[str, float], scores: dict[str, float]) -> None:
    line = {"step": step, "minutes": round(spent / 60, 2), "loss": losses, "validation": scores}
    with (run / "metrics.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
