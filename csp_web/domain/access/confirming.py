"""It is still the same person: the password once more, a few minutes before a secret is shown (B4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from csp_web.db import for_update, now, session, transaction
from csp_web.domain import audit
from csp_web.domain.access import passwords, throttle
from csp_web.domain.access.actors import Actor
from csp_web.domain.upkeep.configured import settings
from csp_web.errors import DomainError, Invalid
from csp_web.i18n import gettext as _
from csp_web.identifiers import token_hash
from csp_web.models import AuditStatus, User, UserSession


class NotConfirmed(DomainError):
    """The password was not typed lately: ask for it and try again. Nothing was shown."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("Type your password: a key is shown only to the person who is signed in."))


def is_confirmed(by: Actor, at: datetime) -> bool:
    """Whether this session's password was typed within the last minutes, when signing in or since."""
    return by.confirmed_at is not None and at - by.confirmed_at < timedelta(minutes=settings().confirm_minutes)


def require_confirmed(by: Actor) -> None:
    """Refuse an actor whose password was not typed lately. Raises NotConfirmed."""
    if not is_confirmed(by, now()):
        raise NotConfirmed


def confirm(token: str, password: str, *, by: Actor) -> Actor:
    """Check the password of a session's person; the actor as it is from now on.

    Makes transactions of its own, as signing in does, and is slowed down with it: the session's thief cannot guess here.

    Raises:
        Invalid: the password is wrong. TooManyAttempts: wait first. Busy: too many people sign in at the moment.
    """
    stored = session.scalar(select(User.password_hash).filter_by(id=by.id))
    subjects = throttle.subjects_of(by.email, by.address, at_home=True)
    throttle.count(subjects)
    if not passwords.fits(stored, password):
        with transaction():
            audit.record("confirm_password", by=by, resource=("user", by.email), status=AuditStatus.DECLINED)
        raise Invalid({"password": _("The password is wrong.")})
    with transaction():
        visit = for_update(UserSession, token_hash(token))
        throttle.forgive(subjects)
        visit.confirmed_at = now()
    return replace(by, confirmed_at=visit.confirmed_at)
