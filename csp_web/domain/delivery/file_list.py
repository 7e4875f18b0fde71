"""The operator's list of installer files."""

from __future__ import annotations

from sqlalchemy import func, select

from csp_web.db import now
from csp_web.domain.paging import Page, page_of
from csp_web.models import DownloadLink, DownloadOption, Product

_table = DownloadOption.__table__.c


def list_files(*, withdrawn: bool = False, cursor: str | None = None) -> Page:
    """A page of files, newest first, each with how many of its links are alive. One statement."""
    alive = (
        select(func.count())
        .select_from(DownloadLink)
        .where(
            DownloadLink.option_id == DownloadOption.id,
            DownloadLink.revoked_at.is_(None),
            DownloadLink.expires_at > now(),
        )
        .scalar_subquery()
    )
    statement = select(
        DownloadOption.id,
        Product.title,
        DownloadOption.version,
        DownloadOption.language,
        DownloadOption.file_type,
        DownloadOption.file_name,
        DownloadOption.size,
        DownloadOption.sha256,
        DownloadOption.added_at,
        DownloadOption.withdrawn_at,
        DownloadOption.withdrawn_reason,
        DownloadOption.scan,
        DownloadOption.scan_note,
        DownloadOption.scan_at,
        alive.label("links"),
    ).join(Product, Product.id == DownloadOption.product_id)
    if not withdrawn:
        statement = statement.where(DownloadOption.withdrawn_at.is_(None))
    return page_of(statement, (_table.id,), cursor=cursor, descending=True)
