"""Detached signatures that lie beside installer files: small, kept in the database, served under the file's own name (R29)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from csp_web.errors import Invalid, NotFound
from csp_web.i18n import gettext as _
from csp_web.models import DownloadOption
from csp_web.services.files import Readable

KINDS: Final = (".asc", ".sig")
LARGEST: Final = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Signature:
    """A detached signature; ``kind`` is the end of its name."""

    kind: str
    content: bytes


def read_signature(name: str, stream: Readable) -> Signature:
    """Take in a signature, reading no more of it than fits.

    Raises:
        Invalid: its name ends otherwise than .asc or .sig, or it is empty or too large.
    """
    kind, content = PurePath(name).suffix.lower(), stream.read(LARGEST + 1)
    if kind not in KINDS:
        raise Invalid({"signature": _("A signature’s name ends in .asc or .sig.")})
    if not 0 < len(content) <= LARGEST:
        raise Invalid({"signature": _("A signature has from 1 byte to 64 KB.")})
    return Signature(kind, content)


def sign(option: DownloadOption, signature: Signature | None) -> None:
    """Put a signature beside a file, in place of the one before; None changes nothing."""
    if signature is not None:
        option.signature, option.signature_kind = signature.content, signature.kind


def signature_of(option: DownloadOption) -> tuple[str, bytes]:
    """Name and content. Raises NotFound where the file has none."""
    if not option.signature_kind or option.signature is None:
        raise NotFound
    return option.file_name + option.signature_kind, option.signature
