"""Names of files as people gave them: kept as data only, and safe to show (T13)."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
LONGEST_ENDING = 20
NAMELESS = "file"
# Controls, bidirectional overrides and other invisible signs, halves of surrogate pairs, line and paragraph ends.
_NOT_SHOWN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_DEVICE = re.compile(r"(?i)(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])(?:\.|$)")


def clean_file_name(name: str) -> str:
    """The last part of a path without what is invisible or turns the reading direction; never empty, 200 characters.

    Names of Windows' devices get an underscore, so that the file can be saved there.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(sign for sign in last if unicodedata.category(sign) not in _NOT_SHOWN)
    tidy = " ".join(shown.split()).strip(" .") or NAMELESS
    if _DEVICE.match(tidy):
        tidy = f"_{tidy}"
    return _shortened(tidy)


def _shortened(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > LONGEST_ENDING:
        return name[:LONGEST]
    return f"{stem[: LONGEST - len(ending) - 1]}.{ending}"
