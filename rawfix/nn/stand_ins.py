"""What is told of networks that ran in place of others."""

from __future__ import annotations


def stand_ins(models: tuple[str, ...], quality: str) -> tuple[str, ...]:
    """One sentence for each network, by its id, of another tier than the one asked for."""
    others = [model for model in models if not model.endswith(f"-{quality}")]
    return tuple(f"{model} was used: {quality} is not installed for its task" for model in others)
