"""The Content-Disposition of a download: any name of any script, and nothing but a name (RFC 6266)."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

LONGEST_NAME = 150
NAMELESS = "download"

# Separators of folders, what Windows forbids, and marks that turn the direction of text: "exe.fdp" must not show as "pdf.exe".
FORBIDDEN = re.compile(r'[/\\:*?"<>|\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]')


def content_disposition(name: str) -> str:
    """``attachment`` with the name twice: in ASCII for old clients, in UTF-8 for all others."""
    clean = clean_name(name)
    return f"attachment; filename=\"{_ascii(clean)}\"; filename*=UTF-8''{quote(clean, safe='')}"


def clean_name(name: str) -> str:
    """The name as it may be used on any system: one line, no folders, no leading dots, at most 150 characters."""
    text = FORBIDDEN.sub("_", name.encode("utf-8", "replace").decode())
    text = "".join(character for character in text if unicodedata.category(character) not in {"Cc", "Cs"})
    text = " ".join(text.split()).strip(". ")
    return _shorten(text) or NAMELESS


def _shorten(text: str) -> str:
    """Cut the stem, keep the extension: it tells the system what to open the file with."""
    extension = PurePosixPath(text).suffix if text else ""
    if len(text) <= LONGEST_NAME or len(extension) > 20:
        return text[:LONGEST_NAME].strip(". ")
    return text[: LONGEST_NAME - len(extension)].rstrip(". ") + extension


def _ascii(name: str) -> str:
    """The name without accents and without what old clients would misread; ``download`` for one in another script."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r'[%"\\\x00-\x1f\x7f]', "_", plain).strip()
    stem, extension = PurePosixPath(plain).stem if plain else "", PurePosixPath(plain).suffix if plain else ""
    if not re.search(r"[A-Za-z0-9]", stem) or stem.startswith("."):
        return f"{NAMELESS}{extension or _bare_extension(plain)}"
    return plain


def _bare_extension(plain: str) -> str:
    """Of ``файл.pdf`` only ``.pdf`` is left, which for a path is a name and not an extension."""
    return plain if re.fullmatch(r"\.[A-Za-z0-9]{1,10}", plain) else ""
