"""Guessing passwords becomes slower and slower, in all processes together (S-5).

An attempt is counted as failed before the password is looked at and forgiven afterwards, so that many at once, in
several processes, are counted too. A delay grows to ten minutes and never becomes a lock. People who signed in from an
address before have a counter of their own there: nobody can keep them out by guessing from elsewhere.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from csp_web.db import now, on_sqlite, session, transaction
from csp_web.errors import DomainError
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.models import SignInThrottle

FORGOTTEN_AFTER = timedelta(hours=1)
LONGEST_DELAY = timedelta(minutes=10)
FREE_PER_ACCOUNT, FREE_PER_ADDRESS = 5, 30
FIRST_DELAY = timedelta(seconds=15)


class TooManyAttempts(DomainError):
    """Signing in is refused until an instant; ``until`` says which."""

    status = 429

    def __init__(self, until: datetime) -> None:
        self.until = until
        self.seconds = max(1, int((until - now()).total_seconds()) + 1)
        super().__init__(_("Too many attempts to sign in. Try again in %(time)s.", time=_spoken(self.seconds)))


def _spoken(seconds: int) -> str:
    if seconds < 60:
        return ngettext("%(num)s second", "%(num)s seconds", seconds)
    return ngettext("%(num)s minute", "%(num)s minutes", -(-seconds // 60))


@dataclass(frozen=True, slots=True)
class Subject:
    """What attempts are counted for, and how many are free."""

    key: bytes
    free: int


def subjects_of(email: str, address: str, *, at_home: bool) -> list[Subject]:
    """What is counted, in a fixed order, so that two attempts lock their rows alike."""
    network = _network(address)
    account = f"account {email} {network}" if at_home else f"account {email}"
    found = [Subject(_digest(account), FREE_PER_ACCOUNT), Subject(_digest(f"address {network}"), FREE_PER_ADDRESS)]
    return sorted(found, key=lambda subject: subject.key)


def subjects_of_setup(address: str) -> list[Subject]:
    """What is counted when the setup code is typed: the address alone, so that nobody keeps the owner out from elsewhere."""
    return [Subject(_digest(f"setup {_network(address)}"), FREE_PER_ACCOUNT)]


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _network(address: str) -> str:
    """An address; of IPv6 the half that a subscriber is given, for he can choose the other half freely."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


def count(subjects: list[Subject]) -> None:
    """Count an attempt, in a transaction of its own, before the password is looked at.

    Raises:
        TooManyAttempts: wait first; this attempt does not count.
    """
    with transaction():
        until = _count(subjects, now())
    if until is not None:
        raise TooManyAttempts(until)


def _count(subjects: list[Subject], at: datetime) -> datetime | None:
    """Count the attempt for every subject, or say until when it is refused; what is refused is not counted."""
    rows = [_row(subject, at) for subject in subjects]
    waiting = [row.refused_until for row in rows if row.refused_until is not None and row.refused_until > at]
    if waiting:
        return max(waiting)
    for subject, row in zip(subjects, rows, strict=True):
        if at - row.last_failed_at > FORGOTTEN_AFTER:
            row.failures = 0
        row.failures += 1
        row.last_failed_at = at
        row.refused_until = at + delay if (delay := delay_after(row.failures, subject.free)) else None
    return None


def delay_after(failures: int, free: int) -> timedelta:
    """How long nobody may try after so many failures: nothing, then 15 s, doubled each time, at most ten minutes."""
    if failures < free:
        return timedelta(0)
    doubled: int = 2 ** min(failures - free, 10)
    return min(FIRST_DELAY * doubled, LONGEST_DELAY)


def _row(subject: Subject, at: datetime) -> SignInThrottle:
    insert = sqlite.insert if on_sqlite() else postgresql.insert
    values = {"subject": subject.key, "failures": 0, "last_failed_at": at}
    session.execute(insert(SignInThrottle).values(**values).on_conflict_do_nothing())
    return session.get_one(SignInThrottle, subject.key, populate_existing=True, with_for_update=True)


def forgive(subjects: list[Subject]) -> None:
    """The attempt was no failure: the account starts anew, the address gets this one attempt back."""
    for subject in subjects:
        row = session.get(SignInThrottle, subject.key, populate_existing=True, with_for_update=True)
        if row is None:
            continue
        row.failures = 0 if subject.free == FREE_PER_ACCOUNT else max(row.failures - 1, 0)
        row.refused_until = None


def forget_old_failures(at: datetime) -> int:
    """Remove counters that count no more. Returns how many."""
    old = delete(SignInThrottle).where(SignInThrottle.last_failed_at < at - FORGOTTEN_AFTER * 2)
    return len(session.execute(old.returning(SignInThrottle.subject)).all())
