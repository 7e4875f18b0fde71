"""How large what was sent is."""

from __future__ import annotations

import os
from typing import IO


def size_of(stream: IO[bytes]) -> int:
    """Bytes of an upload; it is read from its start afterwards."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    return size
