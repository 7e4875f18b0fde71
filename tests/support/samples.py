"""One row of everything that an address can name, all of Contoso's or of the operator: for walks over every route.

A new parameter in an address needs a line in ``Samples.values`` and, if it is a partner's row, in ``OF_A_PARTNER``; the
walks in tests/web/test_roles.py fail until it has one.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from werkzeug.routing import Rule

from csp_web.db import Base, now, session, transaction
from csp_web.domain.access.sessions import start
from csp_web.domain.delivery.links import get_keys_and_downloads
from csp_web.domain.delivery.saved_views import save_view
from csp_web.domain.long_work import job_files
from csp_web.domain.stock.keys import hand_out_own_version
from csp_web.domain.upkeep import backups, configured
from csp_web.domain.upkeep.installation import install_rules
from csp_web.models import (
    CancellationPolicy,
    Customer,
    DownloadLink,
    Entitlement,
    Job,
    JobState,
    KeyAssignment,
    KeyPool,
    KeyState,
    MarketSet,
    Order,
    OutboxMessage,
    OutboxState,
    ProductKey,
    Role,
    SavedView,
    Subscription,
    Ticket,
    TicketFile,
    User,
    UserSession,
)
from tests.support.files import add_option
from tests.support.site_uploads import add_uploads
from tests.support.stock import bought, sku_of, stock
from tests.support.tickets import file_refund
from tests.world import make_user

if TYPE_CHECKING:
    from tests.world import World

# Rows of a partner: others must not even learn that they exist. The value says which operator role sees them all.
OF_A_PARTNER: dict[str, Role | None] = {
    "assignment": None,
    "customer": None,
    "link": None,
    "order": None,
    "partner": Role.OPERATOR_ADMIN,
    "person": Role.OPERATOR_ADMIN,
    "subscription": None,
    "ticket": Role.SUPPORT_AGENT,
    "ticket_file": Role.SUPPORT_AGENT,
    "user": None,
}
# What a role or a random token opens, not a partner.
OF_NOBODY = {
    "code",
    "digest",
    "mail",
    "name",
    "number",
    "option",
    "path",
    "picture",
    "pool",
    "product_key",
    "token",
    "topic",
    "upload",
}
# Of the person who asks: made anew for each request.
OF_ONESELF = {"job", "session_id", "view"}
NEVER_COMPARED = {"audit_entries", "audit_head", "user_sessions", "sign_in_throttles"}


@dataclass(frozen=True, slots=True)
class Samples:
    """Ids of the sample rows, as they stand in addresses."""

    world: World
    fixed: dict[str, Any]
    jobs: dict[str, int]  # of everybody who may do some kind of long work

    def values(self, rule: Rule, person: str) -> dict[str, Any]:
        """What to put into an address so that it names Contoso's rows (and the person's own session)."""
        known = {
            **self.fixed,
            "session_id": _session_of(self.world.people[person]) if "session_id" in rule.arguments else "",
            "job": self.jobs.get(person, 0),
            "name": _backup() if "name" in rule.arguments else "",
            "upload": _upload() if "upload" in rule.arguments else 0,
            "view": _view_of(self.world, person) if "view" in rule.arguments else 0,
        }
        missing = rule.arguments - known.keys()
        assert not missing, f"{rule.rule}: give tests/support/samples.py a sample of {', '.join(sorted(missing))}"
        return {name: known[name] for name in rule.arguments}

    @property
    def form(self) -> dict[str, Any]:
        """What forms name besides their address."""
        entitlement = select(Entitlement.id).join(Subscription).where(Subscription.uuid == self.fixed["subscription"])
        return {
            "offer": self.world.offer("windows-US").availability_id,
            "option": self.fixed["option"],
            "entitlement": session.scalars(entitlement).one(),
            "version": "Windows Server 2025",
        }

    def is_visible(self, rule: Rule, person: str) -> bool:
        """Whether all rows that an address names are such that this person may know of them."""
        user = session.get_one(User, self.world.people[person])
        if "job" in rule.arguments:
            return person in self.jobs
        if "view" in rule.arguments:
            return self.world.actor(person).may("software.see")
        if user.partner_id == self.world.partners["contoso"]:
            return True
        return all(OF_A_PARTNER[name] in user.roles for name in rule.arguments & OF_A_PARTNER.keys())


def make_samples(world: World) -> Samples:
    """Make one row of everything."""
    with transaction():
        install_rules()
    option = add_option(world)
    stock(sku_of(world), "Windows Server 2025", 2)
    line_id = bought(world).id
    with transaction():
        line = session.get_one(Subscription, line_id)
        hand_out_own_version(line, by=world.actor("alice"))
        option = session.merge(option, load=True)
        get_keys_and_downloads(line, option, by=world.actor("alice"))
        person = make_user(world.partners["contoso"], "sample@contoso.example", [Role.SALES_AGENT]).id
        mail = OutboxMessage(
            message_id="<1@x>", recipient="a@b.example", subject="s", body="b", state=OutboxState.FAILED
        )
        session.add(mail)
    line = session.get_one(Subscription, line_id)
    ticket = file_refund(world, line.id, at=now())
    file_id = _file_of(ticket, world.people["alice"])
    _begun_by_people(world)
    return Samples(
        world,
        {
            "assignment": session.scalars(select(KeyAssignment.id)).one(),
            "code": "en",
            "customer": session.get_one(Customer, line.customer_id).uuid,
            "digest": "0" * 16,
            "link": session.scalars(select(DownloadLink.id)).one(),
            "mail": session.scalars(select(OutboxMessage.id).filter_by(message_id="<1@x>")).one(),
            "number": session.scalars(
                select(MarketSet.id).join(CancellationPolicy, CancellationPolicy.id == MarketSet.id)
            ).first(),
            "option": session.scalars(select(DownloadLink.option_id)).one(),
            "order": session.get_one(Order, line.order_id).order_id,
            "partner": world.partners["contoso"],
            "pool": session.scalars(select(KeyPool.id)).first(),
            "product_key": session.scalars(select(ProductKey.id).filter_by(state=KeyState.FREE)).first(),
            "path": "css/site.css",
            "picture": "05-software.webp",
            "person": person,
            "subscription": line.uuid,
            "ticket": session.get_one(Ticket, ticket.id).number,
            "ticket_file": file_id,
            "token": "x" * 43,
            "topic": "software",
            "user": person,
        },
        {name: _job_of(world, name) for name in world.people if world.actor(name).may("software.see")},
    )


def _job_of(world: World, name: str) -> int:
    """An export that is over, with its file."""
    stored, by = job_files.store().save(io.BytesIO(b"Customer\n"), max_bytes=100), world.actor(name)
    with transaction():
        row = Job(kind="export_software", state=JobState.DONE, owner_id=by.id, partner_id=by.partner_id, result={})
        row.ended_at, row.file_name, row.file_key = now(), "software.csv", stored.key
        row.file_size, row.file_sha256 = stored.size, stored.sha256
        session.add(row)
    return row.id


def _begun_by_people(world: World) -> None:
    """Before anything is compared: what is made anew when it is missing."""
    _upload()
    for name in world.people:
        _view_of(world, name)


def _view_of(world: World, name: str) -> int:
    """A view that only this person sees; it is there again after it was deleted. 0: the role sees no software."""
    by = world.actor(name)
    if not by.may("software.see"):
        return 0
    found = session.scalars(select(SavedView.id).filter_by(owner_id=by.id)).first()
    session.rollback()
    if found is not None:
        return found
    with transaction():
        return save_view("Sample", "deadline=7", by=by).id


def _upload() -> int:
    """An upload that was cut off; it is there again after it was discarded."""
    return int(add_uploads()["upload"])


def _backup() -> str:
    """A backup in its folder; it is there again after somebody deleted it."""
    name = "csp-web-20260302-120000.tar"
    if not (backups.folder() / name).exists():
        (backups.folder() / name).write_bytes(_written_backup())
    return name


@cache
def _written_backup() -> bytes:
    path = backups.folder() / "written.tar"
    backups.write_backup(path, settings=configured.settings(), with_secrets=False, tell=_Silent())
    try:
        return path.read_bytes()
    finally:
        path.unlink()


class _Silent:
    """Nobody looks on."""

    def step(self, name: str, total: int = 0) -> None: ...

    def progress(self, done: int, total: int | None = None) -> None: ...


def _file_of(ticket: Ticket, user_id: int) -> int:
    with transaction():
        file = TicketFile(
            ticket_id=ticket.id,
            original_name="error.log",
            size=3,
            sha256=hashlib.sha256(b"log").hexdigest(),
            storage_key=_stored(b"log"),
            added_by_id=user_id,
        )
        session.add(file)
    return file.id


def _stored(content: bytes) -> str:
    from csp_web.domain.upkeep.configured import file_store

    return file_store().save(io.BytesIO(content), max_bytes=100).key


def _session_of(user_id: int) -> str:
    with transaction():
        start(session.get_one(User, user_id), hours=1, address="", agent="another browser")
    newest = select(UserSession).filter_by(user_id=user_id).order_by(UserSession.created_at.desc()).limit(1)
    return session.scalars(newest).one().public_id


def fingerprint() -> dict[str, str]:
    """A hash of every table, but for those that asking alone writes: the log, sessions."""
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in NEVER_COMPARED:
            rows = sorted(repr(tuple(row)) for row in session.execute(select(table)))
            found[table.name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    session.rollback()
    return found
