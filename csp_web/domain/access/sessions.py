"""Signed-in sessions as rows, so that "sign out everywhere" means it (S-5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update

from csp_web.db import now, read, session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, actor_of, allowed_roles
from csp_web.errors import NotFound
from csp_web.identifiers import new_token, token_hash
from csp_web.models import Partner, User, UserRole, UserSession

SEEN_EVERY = timedelta(minutes=5)  # a page view writes "last seen" at most this often
FORGOTTEN_AFTER = timedelta(days=90)


def start(user: User, *, hours: int, address: str, agent: str, request_id: str = "") -> str:
    """Sign a person in and return the token for the cookie; the password was checked before."""
    token = new_token()
    session.add(
        UserSession(
            token_hash=token_hash(token),
            user_id=user.id,
            expires_at=now() + timedelta(hours=hours),
            address=address[:100],
            agent=agent[:300],
        )
    )
    audit.record("sign_in", by=actor_of(user, address=address, request_id=request_id), resource=("user", user.email))
    return token


_session, _user, _partner, _role = (table.__table__.c for table in (UserSession, User, Partner, UserRole))
# Built once: building it costs seven times what running it does.
_PERSON = (
    select(
        _user.id,
        _user.partner_id,
        _user.email,
        _user.name,
        _user.phone,
        _user.language,
        _user.time_zone,
        _partner.name.label("partner_name"),
        _partner.is_operator,
        _role.role,
        _session.last_seen_at,
        _session.confirmed_at,
    )
    .select_from(UserSession.__table__)
    .join(User.__table__, _user.id == _session.user_id)
    .join(Partner.__table__, _partner.id == _user.partner_id)
    .outerjoin(UserRole.__table__, _role.user_id == _user.id)
    .where(
        _session.token_hash == bindparam("token"),
        _session.revoked_at.is_(None),
        _session.expires_at > bindparam("at"),
        _session.last_seen_at > bindparam("idle_since"),
        _user.disabled_at.is_(None),
    )
)


def actor_for(token: str, *, idle: timedelta, address: str, request_id: str) -> tuple[Actor, bool] | None:
    """The person behind a cookie, and whether "last seen" is due; None when the session has ended.

    One statement: this runs on every page.
    """
    at = now()
    rows = read(_PERSON, {"token": token_hash(token), "at": at, "idle_since": at - idle}).all()
    if not rows:
        return None
    first = rows[0]
    actor = Actor(
        id=first.id,
        partner_id=first.partner_id,
        email=first.email,
        name=first.name,
        phone=first.phone,
        partner_name=first.partner_name,
        roles=allowed_roles((row.role for row in rows if row.role), of_operator=first.is_operator),
        language=first.language,
        time_zone=first.time_zone,
        of_operator=first.is_operator,
        address=address,
        request_id=request_id,
        confirmed_at=first.confirmed_at,
    )
    return actor, at - first.last_seen_at > SEEN_EVERY


def seen(token: str) -> None:
    """Note that a session is in use."""
    session.execute(update(UserSession).where(UserSession.token_hash == token_hash(token)).values(last_seen_at=now()))


def end(token: str, *, by: Actor) -> None:
    """Sign out here."""
    session.execute(
        update(UserSession)
        .where(UserSession.token_hash == token_hash(token), UserSession.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    audit.record("sign_out", by=by, resource=("user", by.email))


def end_all(user_id: int, *, by: Actor | None, resource: str, keep: str | None = None) -> int:
    """End every session of a person, but the one with the token ``keep``: sign-out everywhere, a new password, new roles.

    Returns how many were ended.
    """
    statement = update(UserSession).where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
    if keep is not None:
        statement = statement.where(UserSession.token_hash != token_hash(keep))
    ended = len(session.execute(statement.values(revoked_at=now()).returning(UserSession.token_hash)).all())
    audit.record("sign_out_everywhere", by=by, resource=("user", resource), sessions=ended)
    return ended


def open_sessions(user_id: int, *, idle: timedelta) -> list[UserSession]:
    """The sessions in which a person is signed in now, the one used last first."""
    at = now()
    return list(
        session.scalars(
            select(UserSession)
            .where(
                UserSession.user_id == user_id,
                UserSession.revoked_at.is_(None),
                UserSession.expires_at > at,
                UserSession.last_seen_at > at - idle,
            )
            .order_by(UserSession.last_seen_at.desc(), UserSession.token_hash)
        )
    )


def end_one(public_id: str, *, by: Actor) -> None:
    """End one of one's own sessions, named by its public id.

    Raises:
        NotFound: the person has no such open session.
    """
    mine = session.scalars(select(UserSession).filter_by(user_id=by.id, revoked_at=None))
    found = next((row for row in mine if row.public_id == public_id), None)
    if found is None:
        raise NotFound
    found.revoked_at = now()
    audit.record("end_session", by=by, resource=("user", by.email), address_of_session=found.address)


def forget_old_sessions(at: datetime) -> int:
    """Remove sessions that ended long ago. Returns how many."""
    old = delete(UserSession).where(UserSession.expires_at < at - FORGOTTEN_AFTER)
    return len(session.execute(old.returning(UserSession.token_hash)).all())


def last_user_of(token: str) -> int | None:
    """Whose session this was, ended or not: what was typed is kept for the same person only."""
    return session.scalar(select(UserSession.user_id).where(UserSession.token_hash == token_hash(token)))
