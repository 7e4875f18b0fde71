"""Uploads that are not finished, for the operator's list of installer files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from csp_web.db import read
from csp_web.models import Product, Upload, User

MOST = 20


def unfinished_uploads() -> Sequence[Any]:
    """The newest of them: what, how much of how much, who began it and when something came last. One statement."""
    statement = (
        select(
            Upload.id,
            Upload.file_name,
            Product.title,
            Upload.version,
            Upload.language,
            Upload.file_type,
            Upload.received,
            Upload.size,
            User.name.label("begun_by"),
            Upload.begun_at,
            Upload.touched_at,
        )
        .join(Product, Product.id == Upload.product_id)
        .join(User, User.id == Upload.begun_by_id)
        .where(Upload.option_id.is_(None))
        .order_by(Upload.id.desc())
        .limit(MOST)
    )
    return read(statement).all()
