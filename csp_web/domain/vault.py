"""What only the holder of this installation's secrets can do: read product keys, know them again, make tokens (D11).

The secrets are in the settings, never in the database: whoever has the database alone has no key and no link. Each
purpose has a key of its own, derived from the setting by HKDF. The ciphertext is bound to its SKU: moved to another
SKU's row it cannot be read. ``key_id`` says under which secret a key was encrypted, so that a wrong secret is refused
with a sentence and never shows blanks or rubbish.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from csp_web.config import Settings
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
class _Vault:
    cipher: AESGCM = field(repr=False)
    key_id: str
    fingerprints: bytes = field(repr=False)
    tokens: bytes = field(repr=False)


_vault: _Vault | None = None


def configure(settings: Settings) -> None:
    """Take the secrets of an installation. Call once per process, at start."""
    global _vault
    _vault = _Vault(
        cipher=AESGCM(_derive(settings.keys_key, "product keys: encryption")),
        key_id=_derive(settings.keys_key, "product keys: name of the secret").hex()[:16],
        fingerprints=_derive(settings.keys_key, "product keys: fingerprints"),
        tokens=_derive(settings.secret_key, "download links: tokens"),
    )


def key_id() -> str:
    """The name of the secret in use; it tells nothing about the secret."""
    return _open().key_id


def seal(key: str, *, sku: int) -> Sealed:
    """Encrypt a key for the row of its SKU."""
    vault = _open()
    nonce = secrets.token_bytes(NONCE_BYTES)
    return Sealed(nonce + vault.cipher.encrypt(nonce, key.encode(), _bound_to(sku)), vault.key_id)


def unseal(sealed: Sealed, *, sku: int) -> ClearKey:
    """Decrypt a stored key.

    Raises:
        VaultClosed: the secret is another one than the key was encrypted under, or the row was changed.
    """
    vault = _open()
    if sealed.key_id != vault.key_id:
        raise VaultClosed(
            _("This key was encrypted with a secret other than the one that the server has now."),
            advice=_("Ask your administrator to bring back the secret of product keys (CSP_WEB_KEYS_KEY)."),
        )
    try:
        nonce, ciphertext = sealed.ciphertext[:NONCE_BYTES], sealed.ciphertext[NONCE_BYTES:]
        return ClearKey(vault.cipher.decrypt(nonce, ciphertext, _bound_to(sku)).decode())
    except (InvalidTag, ValueError) as error:
        raise VaultClosed(
            _("This key was damaged in the database and cannot be read."),
            advice=_("Tell your administrator; a backup may still hold it."),
        ) from error


def fingerprint(key: str, *, sku: int) -> bytes:
    """32 bytes by which the same key of the same SKU is known again without decrypting anything."""
    return hmac.digest(_open().fingerprints, _bound_to(sku) + b"\0" + key.encode(), "sha256")


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
