"""Signing in: the same answer and the same work for people who exist and people who do not (S-5)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select

from csp_web.db import for_update, session, transaction
from csp_web.domain import audit
from csp_web.domain.access import passwords, sessions, throttle
from csp_web.domain.access.actors import actor_of
from csp_web.errors import Invalid
from csp_web.i18n import gettext as _
from csp_web.models import AuditStatus, User, UserSession


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the token for the cookie, whose it is, and whether the password has to be changed first."""

    token: str
    user_id: int
    language: str
    password_temporary: bool


def sign_in(email: str, password: str, *, hours: int, address: str, agent: str, request_id: str = "") -> SignedIn:
    """Check a password and start a session. Makes two transactions of its own: hashing must not hold up writers.

    Raises:
        Invalid: address, password or account do not fit; it is not said which. TooManyAttempts: wait first.
        Busy: too many people sign in at the moment.
    """
    typed = email.strip().lower()[:254]
    user_id, stored, at_home = _look_up(typed, address)
    subjects = throttle.subjects_of(typed, address, at_home=at_home)
    throttle.count(subjects)
    right = passwords.fits(stored, password)
    fresh = passwords.hash_password(password) if right and stored and passwords.is_outdated(stored) else None
    with transaction():
        user = for_update(User, user_id) if user_id else None  # a password that is changed now ends this session too
        if user is not None and right and user.disabled_at is None and user.password_hash == stored:
            throttle.forgive(subjects)
            user.password_hash = fresh or user.password_hash
            token = sessions.start(user, hours=hours, address=address, agent=agent, request_id=request_id)
            return SignedIn(token, user.id, user.language, user.password_temporary)
        _refused(user, address, request_id)
    raise Invalid({}, _("The e-mail address or the password is wrong, or the account is disabled."))


def _look_up(email: str, address: str) -> tuple[int | None, str | None, bool]:
    """One statement, whether the person exists or not."""
    signed_in_here = exists().where(UserSession.user_id == User.id, UserSession.address == address)
    row = session.execute(select(User.id, User.password_hash, signed_in_here).where(User.email == email)).first()
    return (row[0], row[1], bool(row[2])) if row else (None, None, False)


def _refused(user: User | None, address: str, request_id: str) -> None:
    """Write the failure into the log; the address that was typed is not kept, it may be a password."""
    audit.record(
        "sign_in",
        by=actor_of(user, address=address, request_id=request_id) if user else None,
        resource=("user", user.email if user else ""),
        status=AuditStatus.DECLINED,
        reason="disabled" if user is not None and user.disabled_at is not None else "password",
        from_address=address,
    )
