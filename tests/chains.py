"""Keys and chains of certificates to sign with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

KEYS: dict[str, Callable[[], Any]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


class Identity(NamedTuple):
    """Files of a key and its chain, and the root that vouches for them."""

    key: Path
    cert: Path
    root: str

    @property
    def options(self) -> tuple[object, ...]:
        return ("--c2pa-key", self.key, "--c2pa-cert", self.cert)


def name(text: str) -> Any:
    attribute = x509.NameAttribute
    return x509.Name(
        [attribute(x509.NameOID.ORGANIZATION_NAME, "A studio"), attribute(x509.NameOID.COMMON_NAME, text)]
    )


def certificate(subject: str, key: Any, signer: Any, *, leaf: bool) -> Any:
    """A certificate of the profile that C2PA asks for, signed by the root."""
    kinds = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    usage = dict.fromkeys((*kinds, "encipher_only", "decipher_only"), False)
    builder = (
        x509.CertificateBuilder(name("root"), name(subject), key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now() - timedelta(days=2))
        .not_valid_after(datetime.now() + timedelta(days=365))
        .add_extension(x509.BasicConstraints(not leaf, None), True)
        .add_extension(
            x509.KeyUsage(digital_signature=leaf, key_cert_sign=not leaf, crl_sign=not leaf, **usage), True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    )
    if leaf:
        purposes = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, False)
    return builder.sign(signer, hashes.SHA256())


def make_identity(folder: Path, kind: str = "p256") -> Identity:
    """A new key of a kind and its chain, in files."""
    root, key = KEYS["p256"](), KEYS[kind]()
    chain = [certificate("leaf", key, root, leaf=True), certificate("root", root, root, leaf=False)]
    pem = [each.public_bytes(serialization.Encoding.PEM).decode() for each in chain]
    encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    made = Identity(folder / f"{kind}.key", folder / f"{kind}.pem", pem[1])
    made.key.write_bytes(key.private_bytes(*encoding))
    made.cert.write_text("".join(pem))
    return made
