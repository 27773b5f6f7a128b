"""Pictures are found, split the same way however they are stored, and cropped within."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
from PIL import Image

from rawfix.training.data import VALIDATION_EVERY, draw_crop, load, pack

pytestmark = pytest.mark.torch


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Forty pictures; their order as paths is not their order as text."""
    folder = tmp_path / "many"
    for number in range(40):
        path = folder / ("a" if number % 2 else "a-b") / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((130, 128 + number, 3), number, np.uint8)).save(path)
    return folder


def names(items: tuple[tuple[str, np.ndarray], ...]) -> list[str]:
    return [name for name, _ in items]


def test_folder_and_bundle_are_split_alike(many: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "new" / "bundle.npz"
    assert pack(many, bundle, megabytes=5) == 40
    from_folder, from_bundle = load(many), load(bundle)
    assert names(from_folder.train) == names(from_bundle.train)
    assert names(from_folder.validation) == names(from_bundle.validation)
    assert len(from_folder.validation) == pytest.approx(40 / VALIDATION_EVERY, abs=1)
    assert not set(names(from_folder.train)) & set(names(from_folder.validation))


def test_a_bundle_holds_parts_of_the_pictures(many: Path, tmp_path: Path) -> None:
    pack(many, tmp_path / "bundle.npz", megabytes=1)
    for name, crop in load(tmp_path / "bundle.npz").train:
        assert (crop == int(name[-6:-4])).all()
        assert crop.dtype == np.uint8


def test_pictures_too_small_are_left_out(many: Path) -> None:
    Image.fromarray(np.zeros((127, 500, 3), np.uint8)).save(many / "small.png")
    everything = load(many)
    assert "small.png" not in names(everything.train + everything.validation)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no photographs"):
        load(tmp_path)


def test_a_bundle_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "b.npz").write_text("text")
    np.save(tmp_path / "c.npy", np.zeros(3))
    for name in ("a.npz", "b.npz", "c.npy", "missing"):
        with pytest.raises(FileNotFoundError, match=f"{name}.*bundle made by pack"):
            load(tmp_path / name)


def test_crops_have_their_size_and_come_from_a_picture() -> None:
    rng = np.random.default_rng(0)
    photos = tuple((str(n), rng.integers(0, 256, (60, 70, 3), np.uint8)) for n in range(3))
    colors = {tuple(pixel) for _, photo in photos for pixel in photo.reshape(-1, 3)}
    for _ in range(20):
        crop = draw_crop(photos, 48, rng)
        assert crop.shape == (48, 48, 3)
        assert {tuple(pixel) for pixel in crop.reshape(-1, 3)} <= colors


def test_crops_prefer_color_detail() -> None:
    rng = np.random.default_rng(0)
    flat = np.full((64, 64, 3), 99, np.uint8)
    busy = rng.integers(0, 256, (64, 64, 3), np.uint8)
    drawn = [draw_crop((("flat", flat), ("busy", busy)), 32, rng).std() > 0 for _ in range(200)]
    assert np.mean(drawn) == pytest.approx(0.75, abs=0.1)
