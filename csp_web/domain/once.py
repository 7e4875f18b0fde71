"""Forms that create something act once, however often they are sent (architecture: idempotency).

Every such form carries a token made when the page was rendered. The same token with the same content answers with
the first result; with other content it is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from csp_web.db import now, on_sqlite, session
from csp_web.domain.access.actors import Actor
from csp_web.errors import Conflict
from csp_web.i18n import gettext as _
from csp_web.models import FormToken


def content_hash(content: Mapping[str, Any]) -> bytes:
    """What was sent, as 32 bytes; the order of fields does not matter."""
    text = json.dumps({key: str(value) for key, value in content.items()}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def first_time(token: str, *, purpose: str, content: Mapping[str, Any], by: Actor) -> str | None:
    """Claim a form's token inside the act's transaction.

    Returns None when this is the first time (carry on, then call ``done``), else the result of the first time.
    A second sender waits here until the first one's transaction has ended.

    Raises:
        Conflict: the token was used with other content.
    """
    fingerprint = content_hash(content)
    insert = sqlite.insert if on_sqlite() else postgresql.insert
    claimed = session.execute(
        insert(FormToken)
        .values(user_id=by.id, token=token, purpose=purpose, content_hash=fingerprint, result=None, at=now())
        .on_conflict_do_nothing()
        .returning(FormToken.token)
    ).first()
    if claimed:
        return None
    row = session.scalars(select(FormToken).filter_by(user_id=by.id, token=token)).one()
    if row.content_hash != fingerprint or row.purpose != purpose:
        raise Conflict(
            _("This form was already sent with other content. What was done then still stands."),
            advice=_("Open the page again and enter what you want now."),
        )
    return row.result or ""


def done(token: str, *, by: Actor, result: object) -> None:
    """Remember what the form made, for whoever sends it again."""
    session.get_one(FormToken, (by.id, token)).result = str(result)
