"""What metadata say about lens and sensor."""

from __future__ import annotations

import shutil
from pathlib import Path

import exiv2
import pytest

from rawfix.io import metadata_lens
from rawfix.io.metadata_lens import read_lens_facts

CHART = Path(__file__).parents[2] / "examples" / "chart.dng"


@pytest.mark.parametrize(
    ("focal_length", "on_film", "expected"),
    [
        ("50/1", "75", 1.5),
        ("42/10", "26", 26 / 4.2),
        ("50/1", "0", None),
        ("50/1", "5000", None),
        ("50/0", "75", None),
    ],
)
def test_the_size_of_the_sensor_is_told_by_the_view_on_film(
    focal_length: str, on_film: str, expected: float | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.dng"
    shutil.copy(CHART, path)
    image = exiv2.ImageFactory.open(str(path))
    image.readMetadata()
    exif = image.exifData()
    exif["Exif.Photo.FocalLength"] = focal_length
    exif["Exif.Photo.FocalLengthIn35mmFilm"] = on_film
    image.writeMetadata()
    found = read_lens_facts(path, "", None, (0, 0)).crop_factor
    assert found == (None if expected is None else pytest.approx(expected))


def test_without_a_word_the_size_is_unknown() -> None:
    assert read_lens_facts(CHART, "", None, (0, 0)).crop_factor is None


def test_every_place_that_names_a_lens_is_one_that_exiv2_knows() -> None:
    """An unknown one is an error, which would cost all that the file says of its lens."""
    for key in metadata_lens._NAMES:
        assert exiv2.ExifKey(key).key() == key
