"""So many rows of everything that a page lists, for tests of what does not grow with them."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from csp_web.db import Base, now, select, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.sessions import start
from csp_web.domain.sales.carts import add_line
from csp_web.domain.upkeep.installation import install_rules
from csp_web.models import (
    DownloadLink,
    DownloadOption,
    Entitlement,
    Impact,
    KeyAssignment,
    KeyPool,
    KeyState,
    KeyWait,
    LinkEvent,
    MarketSet,
    Offer,
    Order,
    OutboxMessage,
    OutboxState,
    Partner,
    PriceSheetImport,
    Product,
    ProductFamily,
    ProductKey,
    ProductType,
    Role,
    SavedView,
    Sku,
    Subscription,
    Ticket,
    TicketFile,
    TicketNote,
    TicketStatus,
    TicketStep,
    User,
)
from tests.support.shop import new_token
from tests.support.tickets import file_ticket, other_details
from tests.world import LONG_AGO, make_customer, make_subscription, make_user

if TYPE_CHECKING:
    from tests.world import World

VERSION = "Windows Server 2025"
_numbers = itertools.count(1)


def add_plenty(world: World, count: int) -> None:
    """Add so many rows to every list of Contoso, of its customer Coho and of the operator."""
    with transaction():
        install_rules()
    first = session.scalars(select(Ticket.id).order_by(Ticket.id)).first()
    ticket = first or file_ticket(world, other_details(), at=now()).id
    with transaction():
        for number in itertools.islice(_numbers, count):
            _of_the_partner(world, number)
            line = _bought(world, number)
            session.add_all(_of_the_catalogue(number))
            session.flush()
            session.add_all(_of_the_line(world, line, number))
            session.add_all(_of_the_ticket(world, ticket, number))
            session.add(_ticket(world, line, number))
        _fill_cart(world, count)


def _of_the_partner(world: World, number: int) -> None:
    alice = world.actor("alice")
    make_customer(alice.partner_id, f"Plenty {number}")
    make_user(alice.partner_id, f"person{number}@contoso.example", [Role.SALES_AGENT, Role.AUDITOR])
    make_user(world.partners["northwind"], f"agent{number}@northwind.example", [Role.SUPPORT_AGENT])
    make_subscription(world.customer("coho"), world.offer("reservation-US"), by=alice)
    start(session.get_one(User, alice.id), hours=12, address="127.0.0.1", agent=f"browser {number}")
    name = f"Plenty {number}"
    session.add(
        SavedView(partner_id=alice.partner_id, owner_id=alice.id, name=name, name_folded=name.lower(), query="link=7")
    )
    audit.record("add_customer", by=alice, resource=("customer", str(number)), customer=world.customer("coho"))


def _bought(world: World, number: int) -> Subscription:
    """Lines of two ages; every other one belongs to the first order, which has many lines."""
    at = now() - timedelta(days=58 if number % 2 else 1)
    line = make_subscription(world.customer("coho"), world.offer("windows-US"), by=world.actor("alice"), ordered_at=at)
    if number % 2:
        line.order_id, line.line_number = session.scalars(select(Order.id).order_by(Order.id).limit(1)).one(), number
        session.flush()
    return line


def _of_the_catalogue(number: int) -> Iterator[Base]:
    product = Product(
        product_id=f"PLENTY{number:06}",
        title=f"Plenty Server {number}",
        publisher="Microsoft",
        family=ProductFamily.WINDOWS_SERVER,
        product_type=ProductType.SOFTWARE_SUBSCRIPTION,
        own_version=VERSION,
    )
    sku = Sku(product=product, sku_id="0001", title=f"Plenty Server {number} - 1 year")
    yield sku
    session.flush()
    facts = {"term": "P1Y", "billing_plan": "OneTime", "market": "US", "currency": "USD", "unit_price": 100_00}
    yield Offer(availability_id=f"PLENTY{number:06}", sku_id=sku.id, valid_from=LONG_AGO, **facts)
    yield KeyPool(sku_id=sku.id, version=VERSION)
    yield _file(product.id, f"{number}")
    yield MarketSet(name=f"plenty-{number}", product_type=ProductType.RESERVATION, published_from=LONG_AGO)
    yield Partner(name=f"Plenty Resale {number}", country="US")
    sums = {"rows": 1, "added": 1, "ended": 0, "unchanged": 0}
    yield PriceSheetImport(file_name=f"{number}.csv", sha256="0" * 64, **sums)
    mail = {"recipient": "a@b.example", "subject": "s", "body": "b", "state": OutboxState.FAILED}
    yield OutboxMessage(message_id=f"<plenty-{number}@x>", **mail)


def _file(product: int, name: str) -> DownloadOption:
    facts = {"version": VERSION, "language": f"Language {name}", "file_type": "64 Bit, ISO"}
    return DownloadOption(
        product_id=product, file_name=f"{name}.iso", size=9, sha256="0" * 64, storage_key=name, **facts
    )


def _of_the_line(world: World, line: Subscription, number: int) -> Iterator[Base]:
    """Keys, waits and files of a new line; links and their logs of the first one, whose page shows them all."""
    entitlement = session.scalars(select(Entitlement.id).filter_by(subscription_id=line.id)).one()
    pool = session.query(KeyPool).filter_by(version=VERSION).order_by(KeyPool.id).first()
    option = session.query(DownloadOption).order_by(DownloadOption.id.desc()).first()
    assert pool is not None
    assert option is not None
    of_line = {"subscription_id": line.id, "entitlement_id": entitlement, "version": VERSION}
    if number % 3 == 0:
        yield KeyWait(pool_id=pool.id, **of_line)
        return
    key = {"ciphertext": b"x", "key_id": "test", "last_five": "ABCDE", "state": KeyState.HANDED_OUT}
    taken = ProductKey(pool_id=pool.id, sku_id=pool.sku_id, fingerprint=secrets.token_bytes(32), **key)
    session.add(taken)
    session.flush()
    yield KeyAssignment(product_key_id=taken.id, **of_line)
    yield from _links(world, option, number)


def _links(world: World, option: DownloadOption, number: int) -> Iterator[Base]:
    alice = world.actor("alice")
    software = select(Subscription.id).filter_by(product_type=ProductType.SOFTWARE_SUBSCRIPTION)
    link = DownloadLink(
        partner_id=alice.partner_id,
        subscription_id=session.scalars(software.order_by(Subscription.id)).first(),
        option_id=option.id,
        nonce=secrets.token_bytes(16),
        token_hash=secrets.token_bytes(32),
        created_by_id=alice.id,
        expires_at=now() + timedelta(days=number),
        max_downloads=3,
    )
    session.add(link)
    session.flush()
    yield LinkEvent(link_id=link.id, kind="created", by_id=alice.id)


def _ticket(world: World, line: Subscription, number: int) -> Ticket:
    alice, at = world.actor("alice"), now() - timedelta(hours=number % 12)
    return Ticket(
        number=f"7{number:014}",
        partner_id=alice.partner_id,
        customer_id=line.customer_id,
        subscription_id=line.id,
        type_code="other",
        impact=list(Impact)[number % 3],
        status=list(TicketStatus)[number % 3],
        title=f"Plenty of trouble {number}",
        description="d",
        facts={},
        contact_name="Alice",
        contact_email="alice@contoso.example",
        contact_phone="",
        created_at=at,
        created_by_id=alice.id,
        first_answer_due_at=at + timedelta(hours=4),
        assigned_to_id=world.people["sam"] if number % 2 else None,
    )


def _of_the_ticket(world: World, ticket: int, number: int) -> Iterator[Base]:
    alice, sam = world.people["alice"], world.people["sam"]
    note = TicketNote(ticket_id=ticket, author_id=(alice, sam)[number % 2], text="What then?", internal=number % 4 == 1)
    yield note
    session.flush()
    file = {"original_name": "error.log", "size": 3, "sha256": "0" * 64, "storage_key": f"plenty-{number}"}
    yield TicketFile(ticket_id=ticket, note_id=note.id, added_by_id=alice, **file)
    yield TicketStep(ticket_id=ticket, kind="status", old="open", new="attention needed", by_id=sam)


def _fill_cart(world: World, count: int) -> None:
    newest = session.query(Offer).filter(Offer.availability_id.startswith("PLENTY")).order_by(Offer.id.desc())
    for offer in newest.limit(count).all():
        add_line(world.customer("coho"), offer, 1, by=world.actor("alice"), token=new_token())
