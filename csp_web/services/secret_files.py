"""Files that hold secrets: readable by their owner alone, replaced at once or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_secret(file: Path, text: str) -> None:
    """Put a text in the place of a file's content: a crash leaves the old one or the new one, never half of it."""
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
