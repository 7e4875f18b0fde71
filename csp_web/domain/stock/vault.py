"""What only the holder of this installation's secrets can do: read product keys, know them again, make tokens (D11).

The secrets are in the settings, never in the database: whoever has the database alone has no key and no link. Each
purpose has a key of its own, derived from the setting by HKDF. The ciphertext is bound to its SKU: moved to another
SKU's row it cannot be read. ``key_id`` says under which secret a key was encrypted, so that a wrong secret is refused
with a sentence and never shows blanks or rubbish.

The secret of product keys may be several: the first encrypts, all read (``domain/stock/key_rotation.py`` moves keys from one
to the next while the portal serves). Where they lie in the data directory, a process takes notice of a new one.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from csp_web.config import KEYS_FILE, Settings
from csp_web.errors import DomainError
from csp_web.i18n import gettext as _

NONCE_BYTES: Final = 12
TOKEN_NONCE_BYTES: Final = 16
MASK: Final = "•••••-•••••-•••••-•••••-"


class VaultClosed(DomainError):
    """The stored key cannot be read with the secret that the installation has now. Nothing was shown or changed."""

    status = 503


class ClearKey:
    """A product key in clear. It shows itself only when asked by name: not in a repr, a log or a template."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The key itself."""
        return self._text

    def __repr__(self) -> str:
        return f"ClearKey({masked(self._text[-5:])})"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted key as it is stored, and under which secret."""

    ciphertext: bytes
    key_id: str


@dataclass(frozen=True, slots=True)
class _Secret:
    cipher: AESGCM = field(repr=False)
    key_id: str
    fingerprints: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Vault:
    ring: tuple[_Secret, ...]  # the first one is in use
    tokens: bytes = field(repr=False)
    file: Path | None  # where the ring was read, if it may change under a running process
    seen: tuple[int, int] | None  # what the file was then: its number and its time


_vault: _Vault | None = None


def configure(settings: Settings) -> None:
    """Take the secrets of an installation. Call once per process, at start."""
    global _vault
    file = settings.data_dir / KEYS_FILE
    kept = file.is_file() and file.read_text().strip() == settings.keys_key
    _vault = _Vault(
        ring=_ring(settings.keys_key),
        tokens=_derive(settings.secret_key, "download links: tokens"),
        file=file if kept else None,
        seen=_looks(file) if kept else None,
    )


def split(text: str) -> list[str]:
    """The secrets of a setting or a file: one, or several with white space or commas between them, newest first."""
    return text.replace(",", " ").split()


def _ring(text: str) -> tuple[_Secret, ...]:
    return tuple(
        _Secret(
            cipher=AESGCM(_derive(secret, "product keys: encryption")),
            key_id=_derive(secret, "product keys: name of the secret").hex()[:16],
            fingerprints=_derive(secret, "product keys: fingerprints"),
        )
        for secret in split(text) or [""]
    )


def _looks(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_ino, status.st_mtime_ns


def refresh() -> bool:
    """Take notice of secrets that were changed in the data directory meanwhile; whether they were."""
    global _vault
    vault = _open()
    if vault.file is None or _looks(vault.file) == vault.seen:
        return False
    seen = _looks(vault.file)
    _vault = replace(vault, ring=_ring(vault.file.read_text()), seen=seen)
    return True


def secrets_file() -> Path | None:
    """The file in the data directory that holds the secrets of keys; None when they are given by a setting."""
    return _open().file


def key_id() -> str:
    """The name of the secret in use; it tells nothing about the secret."""
    return _open().ring[0].key_id


def key_ids() -> list[str]:
    """The names of all secrets that keys can be read with, the one in use first."""
    return [secret.key_id for secret in _open().ring]


def seal(key: str, *, sku: int) -> Sealed:
    """Encrypt a key for the row of its SKU, under the secret in use."""
    secret = _open().ring[0]
    nonce = secrets.token_bytes(NONCE_BYTES)
    return Sealed(nonce + secret.cipher.encrypt(nonce, key.encode(), _bound_to(sku)), secret.key_id)


def unseal(sealed: Sealed, *, sku: int) -> ClearKey:
    """Decrypt a stored key.

    Raises:
        VaultClosed: the secret is another one than the key was encrypted under, or the row was changed.
    """
    secret = _secret(sealed.key_id) or (_secret(sealed.key_id) if refresh() else None)
    if secret is None:
        raise VaultClosed(
            _("This key was encrypted with a secret other than the one that the server has now."),
            advice=_("Ask your administrator to bring back the secret of product keys (CSP_WEB_KEYS_KEY)."),
        )
    try:
        nonce, ciphertext = sealed.ciphertext[:NONCE_BYTES], sealed.ciphertext[NONCE_BYTES:]
        return ClearKey(secret.cipher.decrypt(nonce, ciphertext, _bound_to(sku)).decode())
    except (InvalidTag, ValueError) as error:
        raise VaultClosed(
            _("This key was damaged in the database and cannot be read."),
            advice=_("Tell your administrator; a backup may still hold it."),
        ) from error


def _secret(key_id: str) -> _Secret | None:
    return next((secret for secret in _open().ring if secret.key_id == key_id), None)


def fingerprint(key: str, *, sku: int) -> bytes:
    """32 bytes by which the same key of the same SKU is known again without decrypting anything."""
    return fingerprints(key, sku=sku)[0]


def fingerprints(key: str, *, sku: int) -> list[bytes]:
    """The fingerprints of a key under each secret: any of them may be stored while keys move to a new one."""
    what = _bound_to(sku) + b"\0" + key.encode()
    return [hmac.digest(secret.fingerprints, what, "sha256") for secret in _open().ring]


def new_nonce() -> bytes:
    """The random part of a token: 128 bits, stored beside the token's hash."""
    return secrets.token_bytes(TOKEN_NONCE_BYTES)


def token(purpose: str, nonce: bytes) -> str:
    """The token of an address: only who has the installation's secret can work it out from what is stored."""
    digest = hmac.digest(_open().tokens, purpose.encode() + b"\0" + nonce, "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def secret_hash(text: str) -> bytes:
    """A keyed hash of something that is not secret enough for a plain one: an address and a browser's name."""
    return hmac.digest(_open().tokens, b"visitor\0" + text.encode("utf-8", "surrogatepass"), "sha256")


def masked(last_five: str) -> str:
    """A key as lists, logs and mails may show it: its last group alone."""
    return f"{MASK}{last_five}"


def _open() -> _Vault:
    if _vault is None:
        raise RuntimeError("vault.configure() was not called at start")
    return _vault


def _bound_to(sku: int) -> bytes:
    return f"sku {sku}".encode()


def _derive(secret: str, purpose: str) -> bytes:
    salt = sha256(b"csp-web").digest()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose.encode()).derive(secret.encode())
