"""Who the simulator is: its RSA key with certificate, and the one organisation it knows.

Everything is made at the first start and kept in the home folder, readable by its owner only:
`provider.json` is what an organisation gets from the portal (credentials and certificate), and is
what the demo reads; `private-key.pem` never leaves the simulator.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

SHORT_CODE = "600997"
INITIATOR_NAME = "bursar_api"


@dataclass(frozen=True)
class Identity:
    short_code: str
    initiator_name: str
    initiator_password: str
    consumer_key: str
    consumer_secret: str
    certificate: str


class Vault:
    """The identity, and the private key that opens a SecurityCredential."""

    def __init__(self, home: Path) -> None:
        key_path, identity_path = home / "private-key.pem", home / "provider.json"
        if not identity_path.exists():
            create_identity(key_path, identity_path)
        self.identity = Identity(**json.loads(identity_path.read_text()))
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{key_path} does not hold an RSA key")
        self._key = key

    def basic_authorization(self) -> str:
        pair = f"{self.identity.consumer_key}:{self.identity.consumer_secret}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def opens(self, security_credential: str) -> bool:
        """Whether this is the initiator's password, encrypted for our certificate (PKCS#1 v1.5)."""
        try:
            sealed = base64.b64decode(security_credential, validate=True)
            password = self._key.decrypt(sealed, padding.PKCS1v15())
        except (binascii.Error, ValueError):
            return False
        return secrets.compare_digest(password, self.identity.initiator_password.encode())


def create_identity(key_path: Path, identity_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    identity = Identity(
        short_code=SHORT_CODE,
        initiator_name=INITIATOR_NAME,
        initiator_password=secrets.token_urlsafe(12),
        consumer_key=secrets.token_urlsafe(24),
        consumer_secret=secrets.token_urlsafe(36),
        certificate=self_signed(key),
    )
    write_private(key_path, pem.decode())
    write_private(identity_path, json.dumps(asdict(identity), indent=2) + "\n")


def self_signed(key: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Daraja simulator")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def write_private(path: Path, text: str) -> None:
    """Write whole or not at all, so that a crash leaves no half identity behind."""
    partial = path.with_suffix(".partial")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    partial.replace(path)
