"""Canary keys: a thousand keys that are known again wherever they turn up, whole or in parts, in clear or encoded (D11, S-4).

Each group but the last begins with the same four letters, which nothing else in an installation has. The last group, all
that people may see, has none of them.
"""

from __future__ import annotations

import base64
import gzip
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator

from tests.support.postgres import find_program

STEM, ENDS = "QZXJ", "BCDFGH"
LAST = "BCDFGHKMPRTVWY23469"
COUNT = 1000


def canary(number: int) -> str:
    """One of the thousand keys."""
    groups, rest = [], number
    for _group in range(4):
        rest, end = divmod(rest, len(ENDS))
        groups.append(STEM + ENDS[end])
    return "-".join([*groups, last_five(number)])


def last_five(number: int) -> str:
    """What people may see of it."""
    letters, rest = "", number
    for _place in range(5):
        rest, letter = divmod(rest, len(LAST))
        letters = LAST[letter] + letters
    return letters


def _base64(group: str) -> set[str]:
    """How a group looks in base64, wherever in a text it begins: the letters that depend on it alone."""
    content = group.encode()
    first, last = (0, 2, 3), (6, 8, 9)
    return {base64.b64encode(b"\0" * at + content).decode()[first[at] : last[at]] for at in range(3)}


FORMS: dict[str, tuple[bytes, ...]] = {
    "in clear": (STEM.lower().encode(),),
    "in UTF-16": (STEM.lower().encode("utf-16-le"),),  # either order of bytes: the zeros only move
    "in hexadecimal": (STEM.encode().hex().encode(), STEM.lower().encode().hex().encode()),
    "percent-encoded": ("".join(f"%{ord(each):02x}" for each in STEM).encode(),),
    "as references of HTML": ("".join(f"&#{ord(each)};" for each in STEM).encode(),),
    "as escapes of JSON": ("".join(f"\\u{ord(each):04x}" for each in STEM).encode(),),
}
IN_BASE64 = tuple(sorted(each.encode() for end in ENDS for each in _base64(STEM + end)))


def found_in(content: bytes) -> list[str]:
    """In which forms parts of canary keys are in some bytes; empty when there are none."""
    small = content.lower()
    found = [form for form, needles in FORMS.items() if any(needle in small for needle in needles)]
    return found + ["in base64"] * any(needle in content for needle in IN_BASE64)


def unpacked(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """What a file holds, and what is packed in it; archives in archives too."""
    yield name, content
    if content.startswith(b"\x1f\x8b"):
        yield from unpacked(f"{name}, unpacked", gzip.decompress(content))
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for inside in archive.namelist():
                yield from unpacked(f"{name}: {inside}", archive.read(inside))
    elif content.startswith(b"PGDMP"):
        restored = subprocess.run(
            [find_program("pg_restore"), "-f", "-"], input=content, capture_output=True, check=True
        )
        yield f"{name}, restored", restored.stdout
    elif content[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            for member in tar.getmembers():
                file = tar.extractfile(member)
                yield from unpacked(f"{name}: {member.name}", file.read() if file else b"")


def leaks(place: str, content: bytes) -> list[str]:
    """Where in a place parts of canary keys are, each in a sentence."""
    return [f"{name}: {form}" for name, each in unpacked(place, content) for form in found_in(each)]
