"""Makes the demo world once, in one transaction, and knows it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import delete, select

from csp_web.db import as_of, now, session, transaction
from csp_web.demo import catalogue, clientele, crowd, handovers, installers, purchases, requests, views
from csp_web.demo.people import PEOPLE, Person, actor, add_people, operator
from csp_web.demo.story import Story
from csp_web.domain import audit
from csp_web.domain.upkeep.configured import file_store
from csp_web.domain.upkeep.installation import install_rules
from csp_web.errors import Refused
from csp_web.i18n import use_place
from csp_web.identifiers import repeatable
from csp_web.models import AuditEntry, OutboxMessage, Partner, Product, User

MADE = "fill_demo_world"
BEGINNING = 430  # days ago
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """A demo world that is there: what it was made from, and when."""

    seed: int
    customers: int
    made_at: datetime

    def users(self) -> list[tuple[Person, str]]:
        """Everybody who signs in, with the password they were given."""
        return [(person, person.password(self.seed)) for person in PEOPLE]


def make_or_find(*, seed: int, customers: int, progress: Progress) -> tuple[DemoWorld, bool]:
    """The demo world, made if the installation is empty; and whether it was made now.

    ``customers`` more are added in bulk. ``progress`` is told what is being done, how much of it, of how much.

    Raises:
        Refused: the installation is in use for something else.
    """
    kept: list[str] = []
    try:
        with use_place("en"), transaction():
            found = find()
            if found is not None:
                return found, False
            _refuse_full()
            return _make(seed, customers, progress, kept), True
    except BaseException:
        for key in kept:
            file_store().delete(key)
        raise


def find() -> DemoWorld | None:
    """The demo world of this installation, if it holds one."""
    entry = session.scalars(select(AuditEntry).filter_by(operation=MADE)).first()
    return DemoWorld(entry.details["seed"], entry.details["customers"], entry.at) if entry is not None else None


def _refuse_full() -> None:
    for model in (Partner, User, Product):
        if session.scalar(select(model.id).limit(1)) is not None:
            raise Refused(
                "This installation is in use already. The demo world goes into an empty one only.",
                advice="Choose another place with CSP_WEB_DATA_DIR (and CSP_WEB_DATABASE_URL), then run csp-web init there.",
            )


def _make(seed: int, customers: int, progress: Progress, kept: list[str]) -> DemoWorld:
    luck, end = Random(seed), now().replace(microsecond=0)  # noqa: S311 -- the same every time, nothing secret
    with repeatable(luck):
        _set_up(seed, luck, end, progress, kept)
        _tell(Story(end, luck), progress)
        with as_of(end):
            _add_crowd(customers, end, luck, progress)
    session.execute(delete(OutboxMessage))  # nobody reads mails to .example
    with as_of(end):
        _remember(seed, customers)
    return DemoWorld(seed, customers, end)


def _add_crowd(customers: int, end: datetime, luck: Random, progress: Progress) -> None:
    def step(done: int, total: int) -> None:
        progress("Customers", done, total)

    crowd.add_crowd(customers, by=actor("bob"), end=end, luck=luck, progress=step)


def _remember(seed: int, customers: int) -> None:
    """The row of the activity log by which the world is known again."""
    northwind = operator()
    resource = ("partner", northwind.name)
    audit.record(MADE, by=None, resource=resource, partner_id=northwind.id, seed=seed, customers=customers)


def _set_up(seed: int, luck: Random, end: datetime, progress: Progress, kept: list[str]) -> None:
    """What an operator does first: rules, people, prices, files, keys, customers."""
    files = []
    for each in installers.store_installers(luck, lambda done, total: progress("Files", done, total)):
        files.append(each)
        kept.append(each.stored.key)
    with as_of(end - timedelta(days=BEGINNING)):
        install_rules()
        add_people(seed)
        alice, charlie, olga = actor("alice"), actor("charlie"), actor("olga")
        catalogue.add_prices(olga)
        installers.offer_installers(files, olga)
        catalogue.add_keys(luck, olga)
    with as_of(end - timedelta(days=BEGINNING - 5)):
        clientele.add_customers(contoso=alice, fabrikam=charlie)
    with as_of(end - timedelta(days=BEGINNING - 6)):
        clientele.add_addresses(contoso=alice, fabrikam=charlie)


def _tell(story: Story, progress: Progress) -> None:
    progress("History", 0, 1)
    purchases.plan_purchases(story)
    handovers.plan_handovers(story)
    requests.plan_requests(story)
    views.plan_views(story)
    story.tell()
    progress("History", 1, 1)
