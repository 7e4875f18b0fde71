"""What a virus scanner said of a stored file: columns that product files and attachments share."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column


class Scan(enum.StrEnum):
    """Blocked files are never served."""

    UNSCANNED = "unscanned"
    CLEAN = "clean"
    BLOCKED = "blocked"


class Scanned:
    """``scan_note`` is the name of the finding, or why a file stays unscanned; ``scan_at`` None: not looked at yet."""

    scan: Mapped[Scan] = mapped_column(default=Scan.UNSCANNED, server_default="unscanned")
    scan_at: Mapped[datetime | None]
    scan_note: Mapped[str] = mapped_column(default="", server_default="")

    @property
    def is_blocked(self) -> bool:
        """Whether something harmful was found in it."""
        return self.scan is Scan.BLOCKED
