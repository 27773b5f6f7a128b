"""Content Credentials: who developed a picture, of what and how, signed. The only module that knows c2pa.

By the C2PA Technical Specification 2.2: the manifest has the RAW file as its parent ingredient, the actions
``c2pa.opened`` and ``c2pa.edited``, and an assertion of rawfix's own with version, settings, networks and hashes.
What the camera signed stays in the chain, where its file has a manifest that can be read (DNG, NEF, ARW).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from hashlib import file_digest, sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rawfix import __version__
from rawfix.errors import OutputError, SettingsError
from rawfix.io.atomic import check_space
from rawfix.io.provenance import Origin
from rawfix.io.stale import temporary_name

ASSERTION = "com.github.rawfix.development"
"""Label of rawfix's own assertion."""
MIME = {
    ".tif": "image/tiff", ".tiff": "image/tiff", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
    ".dng": "image/dng", ".avif": "image/avif", ".jxl": "image/jxl",
}  # fmt: skip
"""Formats that take a manifest into the file, by suffix; the others get a sidecar."""
_INGREDIENTS = {".dng": "image/dng", ".nef": "image/x-nikon-nef", ".arw": "image/x-sony-arw"}
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The files of a private key and of its certificate chain, leaf first; both PEM."""

    key: Path
    cert: Path


def check_credentials(credentials: Credentials) -> str:
    """Sign something small; returns the SHA-256 of the certificate chain. Raises `SettingsError`."""
    for name in ("c2pa", "cryptography"):
        if find_spec(name) is None:
            raise SettingsError("--c2pa-key needs c2pa-python: pip install 'rawfix[c2pa]'")
    import c2pa
    from PIL import Image as Picture

    picture = io.BytesIO()
    Picture.new("RGB", (8, 8)).save(picture, "JPEG")
    picture.seek(0)
    try:
        chain = credentials.cert.read_bytes()
        with _builder({"claim_generator_info": _generator()}) as builder, _signer(credentials) as signer:
            builder.set_intent(c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.DIGITAL_CAPTURE)
            builder.sign(signer, "image/jpeg", picture, io.BytesIO())
    except OSError as error:
        raise SettingsError(f"--c2pa-key, --c2pa-cert: {error.filename}: {error.strerror}") from None
    except c2pa.C2paError as error:
        raise SettingsError(
            f"--c2pa-cert {credentials.cert}: {_spoken(error)}; give the chain of the key {credentials.key}, "
            "leaf first"
        ) from None
    return sha256(chain).hexdigest()


def sign(temporary: Path, final: Path, credentials: Credentials, origin: Origin) -> bytes | None:
    """Put a signed manifest into a complete file.

    Parameters
    ----------
    temporary
        The file, rewritten in place.
    final
        What it will be called.
    credentials
        Checked by `check_credentials`.
    origin
        The RAW file, and how it was developed.

    Returns
    -------
    bytes or None
        The manifest for a sidecar, where the format takes none into the file; the file is then as it was.

    Raises
    ------
    OutputError
        The file cannot be signed.
    OSError
        There is no room for its second copy.
    """
    import c2pa

    mime = MIME.get(final.suffix.lower())
    check_space(temporary)
    signed = temporary_name(final)
    try:
        with _builder(_manifest(final, origin)) as builder, _signer(credentials) as signer:
            _add_source(builder, origin)
            if mime is None:
                builder.set_no_embed()
                with temporary.open("rb") as file:
                    return bytes(builder.sign(signer, "application/octet-stream", file, io.BytesIO()))
            with temporary.open("rb") as file, signed.open("w+b") as into:
                builder.sign(signer, mime, file, into)
        signed.replace(temporary)
    except c2pa.C2paError as error:
        raise OutputError(
            f"{final.name}: cannot be signed: {_spoken(error)}; leave out --c2pa-key"
        ) from error
    finally:
        signed.unlink(missing_ok=True)
    return None


def _add_source(builder: Any, origin: Origin) -> None:
    facts = {"title": _title(origin), "relationship": "parentOf", "label": "source"}
    if origin.strip_private:  # what a camera signs names its serial number
        builder.add_ingredient_from_stream(facts, "application/octet-stream", io.BytesIO(b"\0"))
        return
    mime = _INGREDIENTS.get(origin.source.suffix.lower(), "application/octet-stream")
    with origin.source.open("rb") as file:
        builder.add_ingredient_from_stream(facts, mime, file)


def _manifest(final: Path, origin: Origin) -> dict[str, Any]:
    """The manifest's definition."""
    provenance = origin.told_provenance
    models = () if provenance is None else provenance.models
    with origin.source.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    development: dict[str, Any] = {
        "rawfix": __version__,
        "source": {"name": _title(origin), "sha256": digest},
        "models": [{"id": id, "sha256": model} for id, model in models],
    }
    if provenance is not None:
        development |= {"settings": dict(provenance.settings), "defects": provenance.defects}
    actions = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": ["source"]}},
        {
            "action": "c2pa.edited",
            "softwareAgent": {"name": "rawfix", "version": __version__},
            "digitalSourceType": _SOURCE_TYPE + ("algorithmicallyEnhanced" if models else "digitalCapture"),
            "description": "Developed from a RAW file",
        },
    ]
    return {
        "claim_generator_info": _generator(),
        "title": final.name,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions, "allActionsIncluded": True}},
            {"label": ASSERTION, "data": development},
        ],
    }


def _title(origin: Origin) -> str:
    return "RAW file" if origin.strip_private else origin.told.name


def _generator() -> list[dict[str, str]]:
    return [{"name": "rawfix", "version": __version__}]


def _builder(manifest: dict[str, Any]) -> Any:
    import c2pa

    settings = c2pa.Settings.from_dict({"builder": {"thumbnail": {"enabled": False}}})
    return c2pa.Builder(manifest, context=c2pa.Context(settings=settings))


def _signer(credentials: Credentials) -> Any:
    import c2pa

    key = credentials.key.read_bytes()
    info = c2pa.C2paSignerInfo(_algorithm(credentials.key, key), credentials.cert.read_bytes(), key, None)
    return c2pa.Signer.from_info(info)


def _algorithm(path: Path, pem: bytes) -> bytes:
    """Name of the signature algorithm that a key is for; raises `SettingsError`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except TypeError:
        raise SettingsError(f"--c2pa-key {path}: is encrypted; give it without a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsError(f"--c2pa-key {path}: is no private key in PEM") from None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name].encode()
    if isinstance(key, rsa.RSAPrivateKey):
        return b"ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return b"ed25519"
    raise SettingsError(f"--c2pa-key {path}: C2PA takes P-256, P-384, P-521, RSA and Ed25519 keys")


def _spoken(error: Exception) -> str:
    return " ".join(str(error).split())
