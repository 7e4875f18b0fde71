"""What templates can say: texts, times, money, sizes, ids of parts."""

from __future__ import annotations

import secrets
from datetime import datetime
from itertools import count
from typing import Any

from flask import Flask

from csp_web import i18n
from csp_web.db import now
from csp_web.said import again


def dom_id(row: Any, part: str) -> str:
    """The id of the part of a page that belongs to a row: ``subscription-12-key``."""
    kind = type(row).__name__.lower()
    return f"{kind}-{getattr(row, 'id', row)}-{part}"


def time_left(moment: datetime | None) -> str:
    """Days and hours until a moment (B5)."""
    return "" if moment is None else i18n.format_left(moment - now())


_reasons = count(secrets.randbelow(2**24))


def reason_id() -> str:
    """An id for the sentence that says why an act is refused: no other one on the page, or put into it later, has it."""
    return f"why-{next(_reasons)}"


def init_filters(app: Flask) -> None:
    """Teach the templates."""
    env = app.jinja_env
    env.globals.update(
        _=i18n.translate,
        gettext=i18n.translate,
        ngettext=i18n.ngettext,
        dom_id=dom_id,
        now=now,
        language=i18n.language,
        zone_name=i18n.zone_name,
        reason_id=reason_id,
    )
    env.filters.update(
        datetime=i18n.plain_datetime,
        date=i18n.plain_date,
        utc=i18n.format_utc,
        second=i18n.format_second,
        number=i18n.format_number,
        size=i18n.format_size,
        time_left=time_left,
        left=i18n.format_left,
        money=lambda pair: i18n.plain_money(*pair),
        said=again,
    )
