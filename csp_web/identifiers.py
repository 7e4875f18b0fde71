"""Identifiers: how they are made, recognised and compared (D10), and how text from outside is made safe to keep."""

import re
import secrets
import unicodedata
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from random import Random
from urllib.parse import urlsplit

import idna

from csp_web.i18n import gettext as _

_source: ContextVar[Random] = ContextVar("source", default=secrets.SystemRandom())  # noqa: B039 -- it has no state
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GUID_TEXT = re.compile(rf"{_GUID}|\{{{_GUID}\}}")
_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{32}1")
_ALTERNATE_ID = re.compile(r"[0-9a-fA-F]{12}")
_TICKET_NUMBER = re.compile(r"6[0-9]{14}")
_KEY = re.compile(r"[A-Za-z0-9]{5}(?:-[A-Za-z0-9]{5}){4}")
_PASTED_INVISIBLES = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u2060\ufeff"))
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]|\r(?!\n)")
_CONTROL_OR_RETURN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Kind(StrEnum):
    """What a piece of text typed into a search looks like (D10)."""

    GUID = "guid"
    ORDER_ID = "order id"
    ALTERNATE_ID = "alternate id"
    TICKET_NUMBER = "ticket number"
    KEY = "key"
    DOMAIN = "domain"
    TEXT = "text"


_KINDS = (
    (Kind.GUID, _GUID_TEXT),
    (Kind.KEY, _KEY),
    (Kind.TICKET_NUMBER, _TICKET_NUMBER),
    (Kind.ALTERNATE_ID, _ALTERNATE_ID),
    (Kind.ORDER_ID, _ORDER_ID),
)


@contextmanager
def repeatable(source: Random) -> Iterator[None]:
    """Let public identifiers made inside be the same every time. Only for the demo world; tokens stay unguessable."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


def new_uuid() -> uuid.UUID:
    """A random identifier for a customer, a cart, a subscription."""
    return uuid.UUID(bytes=_source.get().randbytes(16), version=4)


def new_order_id() -> str:
    """An order's identifier: 33 letters, digits, '_' or '-', the last a 1; the first no sign, for spreadsheets."""
    first = _source.get().choice("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f"{first}{urlsafe_b64encode(_source.get().randbytes(24)).decode()[:31]}1"


def new_alternate_id() -> str:
    """An order's short identifier for people: 12 hexadecimal digits."""
    return _source.get().randbytes(6).hex()


def new_ticket_number(at: datetime) -> str:
    """A ticket's number: 6, the day it was opened in UTC (yymmdd), 8 random digits. `at` is aware."""
    return f"6{at.astimezone(UTC):%y%m%d}{_source.get().randrange(10**8):08}"


def new_token() -> str:
    """An unguessable token for a link, a session or a form: 256 random bits in letters that an address can carry."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token: its SHA-256, 32 bytes. The token itself is stored nowhere."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def parse_guid(text: str) -> uuid.UUID | None:
    """The GUID in hyphenated form, in any case, perhaps in braces or among blanks; None for anything else."""
    tidy = _pasted(text)
    return uuid.UUID(tidy) if _GUID_TEXT.fullmatch(tidy) else None


def _pasted(text: str) -> str:
    return text.translate(_PASTED_INVISIBLES).strip()


def looks_like(text: str) -> Kind:
    """Which identifier the text could be; only its shape is looked at, not whether such a thing exists."""
    tidy = _pasted(text)
    for kind, pattern in _KINDS:
        if pattern.fullmatch(tidy):
            return kind
    return Kind.DOMAIN if "." in tidy and _is_domain(tidy) else Kind.TEXT


def _is_domain(text: str) -> bool:
    try:
        normalize_domain(text)
    except ValueError:
        return False
    return True


def normalize_domain(text: str) -> str:
    """The domain as it is stored and compared: lower case, IDNA ("bücher.example" -> "xn--bcher-kva.example").

    Scheme, path, port and trailing dot of a pasted web address are dropped. ValueError with a sentence otherwise.
    """
    tidy = _pasted(text)
    if not tidy:
        raise ValueError(_("Enter a domain, for example contoso.com."))
    if "@" in tidy:
        raise ValueError(_("This is an e-mail address. Enter only the domain after the @."))
    host = _host(tidy)
    if host is None or "." not in host or len(host) > 253 or host.rpartition(".")[2].isdecimal():
        raise ValueError(_not_a_domain(tidy))
    return host


def _host(text: str) -> str | None:
    try:
        host = urlsplit(text if "//" in text else f"//{text}").netloc.partition(":")[0]
        return idna.encode(host.removesuffix("."), uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, ValueError):
        return None


def _not_a_domain(text: str) -> str:
    return _("“%(text)s” is not a domain. Write it like contoso.com.", text=clean_text(text)[:60])


def display_domain(domain: str) -> str:
    """A stored domain as people read it: IDNA is written out, anything else stays as it is."""
    try:
        return idna.decode(domain)
    except (idna.IDNAError, ValueError):
        return domain


def fold(text: str) -> str:
    """Text as it is searched: one form of every letter, no case, ё as е, single blanks, none at the ends."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.replace("ё", "е").split())


def has_control_characters(text: str) -> bool:
    """Whether the text holds what no person types: NUL and its like, halves of surrogate pairs.

    Line breaks (LF, CR LF) and tabs are text.
    """
    return _CONTROLS.search(text) is not None


def clean_text(text: str) -> str:
    """The text without control characters and without blanks at its ends; line breaks become LF."""
    return _CONTROL_OR_RETURN.sub("", text.replace("\r\n", "\n")).strip()
