"""Every model under a folder runs in ONNX Runtime as its manifest says: ``python check.py [MODELS]``.

Checked: hash, contract, golden patch, tiled = whole, 1 thread = 2 threads, cost.
"""

import sys
from pathlib import Path

import numpy as np

from rawfix.nn.manifest import Model, find_models
from rawfix.nn.session import open_session, self_test
from rawfix.nn.tiles import run_tiled


def check(model: Model) -> dict[str, float]:
    """Greatest differences found; raises `rawfix.errors.ModelError` where a promise is broken."""
    manifest = model.manifest
    rng = np.random.default_rng(0)
    shape = (517, 771)
    planes = {
        p.name: rng.random((*shape, *p.channels[:1]), np.float32)[..., 0] for p in model.contract.inputs
    }
    planes |= {"sigma": planes["sigma"] * 0.02, "known_bad": (planes["known_bad"] > 0.999).astype(np.float32)}

    def run(tile: int, threads: int) -> dict[str, np.ndarray]:
        session = open_session(model, threads=threads)
        return run_tiled(session.run, dict(planes), session.outputs, tile, manifest.halo, manifest.multiple)

    whole = run(1024, 1)
    apart = {
        f"tile {tile} threads {threads}": max(
            float(np.abs(whole[k] - v).max()) for k, v in run(tile, threads).items()
        )
        for tile, threads in ((1024, 2), (256, 1), (256, 2))
    }
    return {"golden": self_test(model), **apart, "gflop_per_mp": manifest.gflop_per_mp}


if __name__ == "__main__":
    for found in find_models(Path(sys.argv[1]) if len(sys.argv) > 1 else None):
        print(found.manifest.id, {name: float(f"{value:.3g}") for name, value in check(found).items()})
