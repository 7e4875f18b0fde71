"""Passwords: argon2id, a few at a time, the same work for people who do not exist (S-5)."""

from __future__ import annotations

import hmac
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from csp_web.errors import Busy
from csp_web.i18n import gettext as _
from csp_web.identifiers import fold

MEMORY_KIB = 64 * 1024
AT_ONCE = 2  # per process: each takes MEMORY_KIB
WAIT_SECONDS = 15
SHORTEST, LONGEST = 12, 200  # characters
DIFFERENT_CHARACTERS = 5
# No letters or digits that look like others on paper.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"

_hasher = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)
_slots = threading.BoundedSemaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """What is stored of a password.

    Raises:
        Busy: too many people sign in at the moment.
    """
    with _slot():
        return _hasher.hash(_normal(password))


def fits(stored: str | None, password: str) -> bool:
    """Whether a password is the one that was stored; without a usable hash it is refused after the same work.

    Raises:
        Busy: too many people sign in at the moment.
    """
    usable = stored if stored and stored.startswith("$argon2id$") else ""
    nobodys = _nobodys_hash()
    with _slot():
        try:
            _hasher.verify(usable or nobodys, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return bool(usable)


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other settings than today's and should be made again."""
    return _hasher.check_needs_rehash(stored)


def password_problem(password: str, *, about: tuple[str, ...] = ()) -> str:
    """Why a password is not taken; empty when it is. ``about`` is what everybody knows of the person."""
    if len(password) < SHORTEST:
        return _(
            "Use at least %(count)s characters. A few words with spaces between them are fine.",
            count=SHORTEST,
        )
    if len(password) > LONGEST:
        return _("Use at most %(count)s characters.", count=LONGEST)
    if len(set(fold(password))) < DIFFERENT_CHARACTERS:
        return _("This password repeats the same few characters. Choose another one.")
    known = {fold(text) for text in about if text}
    if fold(password) in known or fold(password).strip("0123456789!.-_ ") in known:
        return _("This password is easily guessed from your name or e-mail address. Choose another one.")
    return ""


def temporary_password(token: str, secret: str) -> str:
    """The password that a form with this token gives: 80 bits, the same if the form is sent twice, known to nobody else."""
    digest = hmac.digest(secret.encode(), b"temporary password " + token.encode(), sha256)
    number, letters = int.from_bytes(digest), []
    for _place in range(16):
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))


def new_password() -> str:
    """A random password that can be read aloud."""
    return temporary_password(secrets.token_urlsafe(), secrets.token_hex())


def _normal(password: str) -> bytes:
    """The same password, however a keyboard composes its letters."""
    return unicodedata.normalize("NFC", password[: LONGEST * 4]).encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_bytes(32))


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=WAIT_SECONDS):
        raise Busy(_("Many people sign in at the moment. Please try again."))
    try:
        yield
    finally:
        _slots.release()
