"""Sidecars are believed, privacy is kept, and a picture says how it was made."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import exiv2
import numpy as np
import pytest
import tifffile

from rawfix.frame import NoiseModel
from rawfix.io.dng_negative import write_negative
from rawfix.io.metadata import metadata_blocks
from rawfix.io.provenance import Origin, Provenance, sidecars_of
from rawfix.io.writers import SUFFIXES, WRITERS
from rawfix.settings import Settings
from tests.io.test_dng_negative import light, make_frame
from tests.io.test_metadata import SAMPLES, read

PICTURE = np.random.default_rng(11).integers(0, 256, (40, 50, 3), dtype=np.uint8)
EXIV2_FORMATS = ("tiff", "png", "jpeg")
PRIVATE = {
    "Exif.Photo.BodySerialNumber": "4711",
    "Exif.Photo.LensSerialNumber": "4712",
    "Exif.Photo.CameraOwnerName": "Ada",
    "Exif.Canon.OwnerName": "Ada",
    "Exif.GPSInfo.GPSLatitudeRef": "N",
    "Exif.GPSInfo.GPSLatitude": "48/1 8/1 30/1",
    "Xmp.aux.SerialNumber": "4711",
    "Xmp.exif.GPSLatitude": "48,8.5N",
    "Xmp.xmpMM.DocumentID": "xmp.did:4711",
    "Xmp.photoshop.City": "Kiel",
    "Iptc.Application2.City": "Kiel",
}
PUBLIC = {
    "Exif.Image.Make": "Canon",
    "Exif.Image.Artist": "Ada",
    "Exif.Image.Copyright": "(c) Ada",
    "Exif.Photo.LensModel": "50mm",
    "Xmp.xmp.Rating": "2",
    "Xmp.dc.subject": "sea",
    "Iptc.Application2.Headline": "Sea",
}
WORDS = {"Xmp.dc.subject", "Iptc.Application2.Headline"}
"""Of these, the user's own words: they name whom and what they like."""
TECHNICAL = {
    "Exif.Image.Make": "Canon",
    "Exif.Image.Model": "Canon One",
    "Exif.Image.Artist": "Ada",
    "Exif.Image.Copyright": "(c) Ada",
    "Exif.Photo.ExposureTime": "1/60",
    "Exif.Photo.DateTimeOriginal": "2024:05:06 07:08:09",
    "Exif.Photo.OffsetTimeOriginal": "+02:00",
    "Exif.Photo.LensModel": "50mm",
    "Xmp.dc.creator": "Ada",
    "Xmp.dc.rights": 'lang="x-default" (c) Ada',
    "Xmp.exif.FNumber": "28/10",
    "Xmp.aux.Lens": "50mm",
    "Iptc.Application2.Byline": "Ada",
}
TELLING = {
    "Exif.Image.DocumentName": "Secret",
    "Exif.Image.ImageDescription": "Secret",
    "Exif.Image.XPKeywords": "83 0 101 0 99 0 114 0 101 0 116 0",
    "Exif.Photo.UserComment": "Secret",
    "Exif.Photo.BodySerialNumber": "Secret",
    "Exif.Photo.ImageTitle": "Secret",
    "Xmp.exif.UserComment": 'lang="x-default" Secret',
    "Xmp.xmpRights.Owner": "Secret",
    "Xmp.iptc.CreatorContactInfo/Iptc4xmpCore:CiAdrCity": "Secret",
    "Xmp.mediapro.Location": "Secret",
    "Xmp.mediapro.People": "Secret",
    "Xmp.digiKam.TagsList": "People/Secret",
    "Xmp.lr.hierarchicalSubject": "People|Secret",
    "Xmp.xmpDM.shotLocation": "Secret",
    "Xmp.acdsee.notes": "Secret",
    "Xmp.dc.title": 'lang="x-default" Secret',
    "Xmp.photoshop.Headline": "Secret",
    "Iptc.Application2.Caption": "Secret",
    "Iptc.Application2.Contact": "Secret",
}
TELLTALE = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"
   xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:Instructions="Secret">
   <plus:LicensorNotes>Secret</plus:LicensorNotes>
  </rdf:Description></rdf:RDF></x:xmpmeta>"""
SIDECAR = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
   xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:darktable="http://darktable.sf.net/"
   xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
   xmp:Rating="{rating}" xmp:Label="Red" crs:Exposure2012="+1.00" darktable:xmp_version="5" {more}>
   <dc:subject><rdf:Bag><rdf:li>boat</rdf:li><rdf:li>harbour</rdf:li></rdf:Bag></dc:subject>
   <darktable:history><rdf:Seq><rdf:li darktable:operation="exposure"/></rdf:Seq></darktable:history>
  </rdf:Description></rdf:RDF></x:xmpmeta>"""


def make_source(path: Path, tags: dict[str, str]) -> Path:
    tifffile.imwrite(path, np.zeros((4, 4), np.uint16), metadata=None)
    image = exiv2.ImageFactory.open(str(path))
    image.readMetadata()
    parts = {"Exif": image.exifData(), "Xmp": image.xmpData(), "Iptc": image.iptcData()}
    for key, value in tags.items():
        parts[key.split(".")[0]][key] = value
    image.writeMetadata()
    return path


def written(folder: Path, origin: Origin, name: str = "tiff") -> dict[str, str]:
    path = folder / f"picture{SUFFIXES[name]}"
    WRITERS[name](path, PICTURE, icc=None, overwrite=True, metadata_from=origin)
    return read(path)


@pytest.mark.parametrize("beside", ["shot.xmp", "shot.tif.xmp", "SHOT.XMP"])
def test_a_sidecar_replaces_what_the_file_says(tmp_path: Path, beside: str) -> None:
    source = make_source(tmp_path / "shot.tif", PUBLIC)
    (tmp_path / beside).write_text(SIDECAR.format(rating=5, more=""))
    carried = written(tmp_path, Origin(source, sidecars_of(source)))
    assert (carried["Xmp.xmp.Rating"], carried["Xmp.xmp.Label"]) == ("5", "Red")
    assert carried["Xmp.dc.subject"] == "boat, harbour"
    assert carried["Exif.Image.Artist"] == "Ada"
    assert not [key for key in carried if ".crs." in key or ".darktable." in key]


def test_the_sidecar_of_the_very_file_outranks_that_of_the_stem(tmp_path: Path) -> None:
    source = make_source(tmp_path / "shot.tif", PUBLIC)
    (tmp_path / "shot.xmp").write_text(SIDECAR.format(rating=1, more=""))
    (tmp_path / "shot.tif.xmp").write_text(SIDECAR.format(rating=4, more=""))
    assert [path.name for path in sidecars_of(source)] == ["shot.xmp", "shot.tif.xmp"]
    assert written(tmp_path, Origin(source, sidecars_of(source)))["Xmp.xmp.Rating"] == "4"


def test_a_sidecar_for_another_suffix_is_not_believed(tmp_path: Path) -> None:
    source = make_source(tmp_path / "shot.tif", PUBLIC)
    for extension, rating in (("CR2", "2"), ("TIF", "5")):
        more = f'photoshop:SidecarForExtension="{extension}"'
        (tmp_path / "shot.xmp").write_text(SIDECAR.format(rating=5, more=more))
        assert written(tmp_path, Origin(source, sidecars_of(source)))["Xmp.xmp.Rating"] == rating


def test_a_place_given_in_a_sidecar_replaces_the_cameras(tmp_path: Path) -> None:
    source = make_source(tmp_path / "shot.tif", PUBLIC | PRIVATE)
    place = (
        'exif:GPSLatitude="54,19.25N" exif:GPSLongitude="10,7,30W" '
        'exif:GPSAltitude="50/10" exif:GPSAltitudeRef="0"'
    )
    (tmp_path / "shot.xmp").write_text(SIDECAR.format(rating=5, more=place))
    carried = written(tmp_path, Origin(source, sidecars_of(source)))
    assert carried["Exif.GPSInfo.GPSLatitude"] == "54/1 77/4 0/1"
    assert carried["Exif.GPSInfo.GPSLongitude"] == "10/1 7/1 30/1"
    assert carried["Exif.GPSInfo.GPSLongitudeRef"] == "W"
    assert (carried["Exif.GPSInfo.GPSAltitude"], carried["Exif.GPSInfo.GPSAltitudeRef"]) == ("50/10", "0")


def test_a_broken_sidecar_is_named_and_costs_nothing_else(tmp_path: Path) -> None:
    source = make_source(tmp_path / "shot.tif", PUBLIC)
    (tmp_path / "shot.xmp").write_bytes(b"\0\1\2 no XMP")
    notes = WRITERS["png"](
        tmp_path / "a.png",
        PICTURE,
        icc=None,
        overwrite=False,
        metadata_from=Origin(source, sidecars_of(source)),
    )
    assert notes == ("sidecar shot.xmp cannot be read and was left out",)
    assert read(tmp_path / "a.png")["Xmp.xmp.Rating"] == "2"


@pytest.mark.parametrize("name", EXIV2_FORMATS)
def test_stripping_takes_what_is_private_and_nothing_else(tmp_path: Path, name: str) -> None:
    source = make_source(tmp_path / "shot.tif", PUBLIC | PRIVATE)
    open_ = written(tmp_path, Origin(source), name)
    assert {key: open_.get(key) for key in PUBLIC | PRIVATE} == PUBLIC | PRIVATE
    closed = written(tmp_path, Origin(source, strip_private=True, provenance=Provenance({})), name)
    assert not set(PRIVATE) & set(closed)
    assert not [value for value in closed.values() if "4711" in value or "shot" in value]
    kept = {key: value for key, value in PUBLIC.items() if key not in WORDS}
    assert {key: closed.get(key) for key in kept} == kept and not WORDS & set(closed)


@pytest.mark.parametrize("name", ["tiff", "jpeg", "dng"])
def test_stripping_leaves_no_word_whose_meaning_is_not_technical(tmp_path: Path, name: str) -> None:
    source = make_source(tmp_path / "shot.tif", TECHNICAL | TELLING)
    (tmp_path / "shot.xmp").write_text(TELLTALE)
    source_of = partial(Origin, source, sidecars_of(source), provenance=Provenance({}))
    open_, closed = (story(tmp_path, source_of(strip_private=strip), name) for strip in (False, True))
    unnamed = {"Exif.Image.DocumentName"} if name == "dng" else set()  # DNGs never carry it
    assert {key for key, value in TELLING.items() if open_.get(key) != value} == unnamed
    assert not set(TELLING) & set(closed)
    assert not [key for key, value in closed.items() if "secret" in value.lower()]
    assert {key: closed.get(key) for key in TECHNICAL} == TECHNICAL
    assert "Secret" not in (tmp_path / f"picture{SUFFIXES[name]}").read_bytes().decode("latin-1")


def story(folder: Path, origin: Origin, name: str) -> dict[str, str]:
    """What a picture of a format tells of its origin."""
    if name != "dng":
        return written(folder, origin, name)
    path, frame = folder / "picture.dng", make_frame()
    settings = Settings(format="dng")
    write_negative(path, light(), PICTURE, frame, frame.wb, settings, origin, overwrite=True)
    return read(path)


@pytest.mark.parametrize(("name", "open_"), [("/home/ada/bad.txt", False), ("auto", True), ("off", True)])
def test_stripping_names_no_file_that_a_setting_names(tmp_path: Path, name: str, open_: bool) -> None:
    source = make_source(tmp_path / "shot.tif", PUBLIC)
    provenance = Provenance(Settings(bad_pixels=name).to_dict())
    for strip in (False, True):
        carried = written(tmp_path, Origin(source, strip_private=strip, provenance=provenance))
        told = json.loads(carried["Xmp.rawfix.Settings"])["bad_pixels"]
        assert told == (name if open_ or not strip else "file")


@pytest.mark.parametrize("name", EXIV2_FORMATS)
def test_a_picture_says_how_it_was_made(tmp_path: Path, name: str) -> None:
    source = make_source(tmp_path / "shot.tif", {**PUBLIC, "Xmp.xmp.Rating": "3"})
    (tmp_path / "shot.tif.xmp").write_text(SIDECAR.format(rating=5, more=""))
    settings = Settings(exposure=0.5, format="png", upscale=2, detail=0.5, seed=7)
    models = (("demosaic-bayer-standard", "ab" * 32), ("restore-rgb-best", "cd" * 32))
    noise = NoiseModel((1e-4,) * 3, (1e-7,) * 3, "file")
    provenance = Provenance(settings.to_dict(), models, noise, defects=12)
    carried = written(tmp_path, Origin(source, sidecars_of(source), provenance=provenance), name)
    own = {key.removeprefix("Xmp.rawfix."): value for key, value in carried.items() if ".rawfix." in key}
    assert Settings.from_dict(json.loads(own.pop("Settings"))) == settings
    assert json.loads(own.pop("NoiseProfile")) == {
        "shot": [1e-4] * 3,
        "read": [1e-7] * 3,
        "source": "file",
    }
    assert own.pop("Version").count(".") == 2
    assert own == {
        "Models": ", ".join(f"{id} sha256:{digest}" for id, digest in models),
        "Defects": "12",
        "Upscale": "2",
        "Detail": "0.5",
        "Seed": "7",
        "Source": "shot.tif",
        "Sidecars": "shot.tif.xmp",
    }


def test_sonys_lens_corrections_leave_the_raw_directory_for_the_pictures(tmp_path: Path) -> None:
    source = tmp_path / "sony.tif"
    tags = [(0x7036, "H", 1, 1, True), (0x7037, "h", 17, (16, *range(0, -160, -10)), True)]
    tifffile.imwrite(source, np.zeros((4, 4), np.uint16), metadata=None, extratags=tags)
    carried = written(tmp_path, Origin(source))
    assert carried["Exif.Image.DistortionCorrParams"].split()[:3] == ["16", "0", "-10"]
    assert carried[exiv2.ExifKey(0x7036, "Image").key()] == "1"


def test_blocks_for_other_containers_say_the_same(tmp_path: Path) -> None:
    source = make_source(tmp_path / "shot.tif", PUBLIC | PRIVATE)
    blocks = metadata_blocks(Origin(source), software="rawfix 1", width=80, height=60)
    assert blocks.exif[:4] == b"II*\0"
    assert (blocks.texts["Exif.Image.Orientation"], blocks.texts["Exif.Photo.PixelXDimension"]) == ("1", "80")
    assert blocks.texts["Exif.Canon.OwnerName"] == "Ada"
    assert b"<photoshop:Headline>Sea<" in blocks.xmp or b'photoshop:Headline="Sea"' in blocks.xmp


INSIDE = re.compile(
    "(Image(Width|Height|DataHash)|BitsPer|Compress|Photometric|Strip|Tile|SamplesPer|RowsPer|Planar|.?Resolution"
    "|SubfileType|OldSubfileType|Software|Orientation|CreatorTool|XMPToolkit|ExifImage|Format|ColorSpace|TIFF-EP"
    "|YCbCr|ReferenceBlackWhite|FocalPlane|Preview|Thumbnail|JpgFromRaw|OtherImage"
    "|(Sensor|BlackMask)(Width|Height|Left|Top|Right|Bottom)"
    "|DNG|UniqueCameraModel|ColorMatrix|CameraCalibration|AnalogBalance|AsShot|Baseline|LinearResponse|ShadowScale"
    "|CalibrationIll|CalibrationSig|Profile|ForwardMatrix|OriginalRaw|OriginalDefault|.*RawDataUniqueID|Opcode"
    "|NoiseProfile|.*RawImageDigest|CacheVersion|DefaultBlack|BlackLevel|WhiteLevel|CFA|ActiveArea|DefaultCrop"
    "|Linearization|Bayer|AntiAlias|BestQuality|DefaultScale|DefaultUser|MakerNoteSafety)"
)
"""Tags about the file or the mosaic rather than about the photograph."""
GROUPS = re.compile("IFD0|ExifIFD|GPS|Canon|IPTC|XMP-(?!crs).*")
MOVED = {"CameraSerialNumber": "SerialNumber", "LensInfo": "LensInfo", "DNGLensInfo": "LensInfo"}


def stories(*paths: Path) -> list[dict[tuple[str, str], Any]]:
    """What exiftool reads about each photograph: group and tag → value."""
    command = ["exiftool", "-j", "-G1", "-n", "-a", *map(str, paths)]
    listings = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return [
        {
            (group, MOVED.get(name, name)): value
            for key, value in listing.items()
            for group, _, name in [key.partition(":")]
            if GROUPS.fullmatch(group) and not INSIDE.match(name)
        }
        for listing in listings
    ]


@pytest.mark.samples
@pytest.mark.peers
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize(
    "sample",
    [
        "canon_6d_linear_lossy.dng",
        "canon_d30_5s.crw",
        "canon_g2_0304.crw",
        "kodak_dc120_P003909.kdc",
        "blackmagic.dng",
    ],
)
@pytest.mark.parametrize("name", ["tiff", "jpeg"])
def test_exiftool_misses_nothing(tmp_path: Path, name: str, sample: str) -> None:
    """The difference between two exiftool listings: what the RAW file says and the picture does not."""
    if not (SAMPLES / sample).exists():
        pytest.skip(f"no {sample} beside the checkout")
    path = tmp_path / f"a{SUFFIXES[name]}"
    WRITERS[name](path, PICTURE, icc=None, overwrite=False, metadata_from=Origin(SAMPLES / sample))
    before, after = stories(SAMPLES / sample, path)
    # IFD0 tags of DNG and TIFF/EP move to the Exif directory, where readers look for them.
    moved = {name: value for (group, name), value in after.items() if group == "ExifIFD"}
    found = {
        (group, name): after.get((group, name), moved.get(name) if group.startswith("IFD0") else None)
        for group, name in before
    }
    assert found == before
    assert len(before) >= 3
