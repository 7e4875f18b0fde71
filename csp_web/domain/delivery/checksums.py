"""SHA256SUMS: what ``sha256sum -c SHA256SUMS`` reads, for the files that a line or a link may download (R23)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from csp_web.db import session
from csp_web.errors import NotFound
from csp_web.models import DownloadOption, Entitlement, Scan, Subscription


def sums_of(files: Iterable[tuple[str, str]]) -> str:
    """A line per SHA-256 and file name, sorted by name. Names hold neither line ends nor backslashes (file_sheet)."""
    lines = sorted({(name, digest) for digest, name in files})
    return "".join(f"{digest}  {name}\n" for name, digest in lines)


def sums_of_line(subscription: Subscription) -> str:
    """The sums of all files that are offered for a line's products. Raises NotFound where it has none."""
    entitled = select(Entitlement.product_id).where(Entitlement.subscription_id == subscription.id)
    files = session.execute(
        select(DownloadOption.sha256, DownloadOption.file_name).where(
            DownloadOption.product_id.in_(entitled),
            DownloadOption.withdrawn_at.is_(None),
            DownloadOption.scan != Scan.BLOCKED,
        )
    ).all()
    if not files:
        raise NotFound
    return sums_of((row.sha256, row.file_name) for row in files)
