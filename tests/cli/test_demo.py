"""The demo world: everything that is promised is in it, the same every time, made once, by the rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from csp_web import db
from csp_web.cli import main
from csp_web.demo import installers, purchases
from csp_web.demo.people import PEOPLE
from csp_web.domain.access import passwords
from csp_web.domain.delivery.links import LinkState, link_state
from csp_web.domain.sales.markets import exclusions
from csp_web.domain.support.cancellation_window import cancellation_terms
from csp_web.models import (
    AuditEntry,
    AuditHead,
    Cancellation,
    CancellationState,
    Cart,
    Customer,
    DownloadLink,
    DownloadOption,
    KeyAssignment,
    KeyWait,
    Order,
    OutboxMessage,
    Partner,
    ProductFamily,
    ProductType,
    Refund,
    Role,
    Subscription,
    Ticket,
    TicketFile,
    TicketStatus,
    User,
)
from csp_web.models import Product as ProductRow
from tests.support.command_line import CommandLine
from tests.support.databases import Databases

SMALL = 300_000


@pytest.fixture(scope="module")
def made(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CommandLine, str]]:
    """The world as ``make run`` makes it, and what the command printed."""
    folder = tmp_path_factory.mktemp("demo")
    url = databases.create(folder, inhabited=False)
    cli = CommandLine(folder / "data", url)
    cli.say("init")
    yield cli, cli.say("demo", "--json")
    db.session.remove()
    db.engine().dispose()
    databases.drop(url)


@pytest.fixture
def world(made: tuple[CommandLine, str]) -> Iterator[CommandLine]:
    """The session looks into that world."""
    cli, _printed = made
    cli.attach()
    yield cli
    db.session.remove()
    db.engine().dispose()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the large file, which takes most of the time."""
    monkeypatch.setattr(installers, "LARGE_SIZE", SMALL)


def test_the_sign_ins_are_printed_as_json(made: tuple[CommandLine, str], world: CommandLine) -> None:
    users = json.loads(made[1])["users"]
    assert {role for user in users for role in user["roles"]} == {role.value for role in Role}
    assert {user["partner"] for user in users} == {"Northwind Distribution", "Contoso Resale", "Fabrikam Cloud"}
    assert {role for user in users if user["partner"] == "Contoso Resale" for role in user["roles"]} == {
        role.value for role in Role if not role.of_operator
    }
    for user in users[:2]:
        row = db.session.scalars(select(User).filter_by(email=user["email"])).one()
        assert passwords.fits(row.password_hash, user["password"])
        assert not row.password_temporary


def test_made_again_it_changes_nothing_and_prints_the_same(made: tuple[CommandLine, str], world: CommandLine) -> None:
    cli, printed = made
    before = db.session.scalars(select(AuditHead.seq)).one()
    assert cli.say("demo", "--json") == printed
    other = cli.run("demo", "--json", "--seed", "7", "--customers", "5")
    assert other.stdout == printed
    assert "made with --seed 2018 --customers 0; nothing was changed" in other.stderr
    table = cli.say("demo")
    assert all(user["password"] in table for user in json.loads(printed)["users"])
    cli.attach()
    assert db.session.scalars(select(AuditHead.seq)).one() == before


def test_it_is_sound(world: CommandLine) -> None:
    assert "FAIL" not in world.say("doctor", "--read-files")


def test_customers_are_in_many_countries_and_some_in_excluded_markets(world: CommandLine) -> None:
    countries = db.session.scalars(select(Customer.country)).all()
    assert len(countries) == 20
    assert len(set(countries)) > 8
    assert any(exclusions(country, db.now()) for country in countries)
    by_partner = dict(
        db.session.execute(select(Partner.name, func.count()).join(Customer).group_by(Partner.name)).all()
    )
    assert by_partner == {"Contoso Resale": 15, "Fabrikam Cloud": 5}


def test_r1_all_three_families_are_bought(world: CommandLine) -> None:
    bought = select(ProductRow.family).join(Subscription, Subscription.product_id == ProductRow.id).distinct()
    assert set(db.session.scalars(bought)) == set(ProductFamily)


def test_r32_an_order_of_59_days_may_be_cancelled_and_one_of_61_not(world: CommandLine) -> None:
    made_at = db.session.scalars(select(AuditEntry.at).filter_by(operation="fill_demo_world")).one()
    for days, may in ((59, True), (61, False)):
        order = db.session.scalars(select(Order).filter_by(placed_at=made_at - timedelta(days=days))).one()
        assert [cancellation_terms(line, made_at).may for line in order.lines] == [may] * len(order.lines)


def test_orders_are_of_many_ages(world: CommandLine) -> None:
    placed = db.session.scalars(select(Order.placed_at)).all()
    ages = sorted((db.now() - at).days for at in placed)
    assert len(set(ages)) > 20
    assert ages[0] == 0
    assert ages[-1] > 365


def test_reservations_only_where_the_market_allows_them(world: CommandLine) -> None:
    """R11."""
    lines = db.session.scalars(select(Subscription).filter_by(product_type=ProductType.RESERVATION)).all()
    assert len(lines) == 2
    assert all(ProductType.RESERVATION not in exclusions(line.customer.country, line.ordered_at) for line in lines)
    assert all(line.azure_subscription_id and line.region for line in lines)


def test_tickets_and_cancellations_are_in_every_state(world: CommandLine) -> None:
    assert set(db.session.scalars(select(Ticket.status))) == set(TicketStatus)
    states = set(db.session.scalars(select(Cancellation.state)))
    assert states == {CancellationState.REQUESTED, CancellationState.DECLINED, CancellationState.COMPLETED}
    assert db.session.scalar(select(func.count()).select_from(TicketFile)) == 1


def test_r30_the_completed_cancellation_has_all_its_effects(world: CommandLine) -> None:
    done = db.session.scalars(select(Cancellation).filter_by(state=CancellationState.COMPLETED)).one()
    assert done.subscription.is_cancelled
    assert db.session.scalars(select(Refund.amount)).one() == done.subscription.total
    keys = db.session.scalars(select(KeyAssignment).filter_by(subscription_id=done.subscription_id)).all()
    assert keys
    assert all(key.revoked_at for key in keys)
    links = db.session.scalars(select(DownloadLink).filter_by(subscription_id=done.subscription_id)).all()
    assert [link_state(link, db.now()) for link in links] == [LinkState.REVOKED]


def test_r26_links_are_in_several_states(world: CommandLine) -> None:
    links = db.session.scalars(select(DownloadLink)).all()
    states = {link_state(link, db.now()) for link in links}
    assert states >= {LinkState.LIVE, LinkState.EXPIRED, LinkState.REVOKED}
    live = [link for link in links if link_state(link, db.now()) is LinkState.LIVE]
    assert any(link.used >= 45 for link in live)
    assert any(link.used < 5 for link in live)


def test_d12_a_line_waits_for_a_key(world: CommandLine) -> None:
    waits = db.session.scalars(select(KeyWait).filter_by(ended_at=None)).all()
    assert [wait.subscription.product_title for wait in waits] == ["SQL Server 2025 Enterprise"]


def test_one_file_is_large_and_all_are_what_they_say(world: CommandLine) -> None:
    sizes = db.session.scalars(select(DownloadOption.size)).all()
    assert len(sizes) == 241
    assert len([size for size in sizes if size >= 200_000_000]) == 1
    assert sum(sizes) < 450_000_000
    assert min(sizes) > 10_000


def test_a_cart_is_left_open_and_no_mail_goes_out(world: CommandLine) -> None:
    assert any(len(cart.lines) == 2 for cart in db.session.scalars(select(Cart)))
    assert db.session.scalar(select(func.count()).select_from(OutboxMessage)) == 0


def test_the_log_tells_the_story_in_the_order_of_time(world: CommandLine) -> None:
    instants = db.session.scalars(select(AuditEntry.at).order_by(AuditEntry.seq)).all()
    assert instants == sorted(instants)
    operations = set(db.session.scalars(select(AuditEntry.operation)))
    assert operations >= {
        "import_price_sheet",
        "import_keys",
        "open_ticket",
        "show_key",
        "approve_cancellation",
        "refund",
    }


@pytest.mark.one_database
def test_a_seed_makes_the_same_ids_again(
    made: tuple[CommandLine, str], databases: Databases, tmp_path: Path, small: None, cli: CommandLine
) -> None:
    cli.say("init")
    assert cli.say("demo", "--json", "--seed", "2018") == made[1]
    cli.attach()
    again = _visible()
    made[0].attach()
    assert _visible() == again


def _visible() -> list[list[object]]:
    """What people see and type: ids, in the order of their making; a request's number begins with its day."""
    ids = (Customer.uuid, Order.order_id, Order.alternate_id, Subscription.uuid, Subscription.azure_subscription_id)
    found: list[list[object]] = [list(db.session.scalars(select(each).order_by(each.class_.id))) for each in ids]
    found.append([number[7:] for number in db.session.scalars(select(Ticket.number).order_by(Ticket.id))])
    hashes = select(DownloadOption.sha256).where(DownloadOption.size < SMALL).order_by(DownloadOption.id)
    found.append(list(db.session.scalars(hashes)))
    db.session.remove()
    db.engine().dispose()
    return found


def test_another_seed_makes_other_passwords() -> None:
    for person in PEOPLE:
        assert person.password(1) != person.password(2)
        assert not passwords.password_problem(person.password(1), about=(person.name, person.email))


def test_an_installation_in_use_is_refused(ready: CommandLine, small: None) -> None:
    assert "in use already. The demo world goes into an empty one only." in ready.refuse("demo")
    assert list((ready.folder / "files").rglob("*")) == []


def test_without_a_database_it_says_what_to_do(empty: CommandLine) -> None:
    assert "Run: csp-web init" in empty.refuse("demo")


@pytest.mark.one_database
def test_cut_off_it_leaves_nothing_and_can_be_repeated(
    cli: CommandLine, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.say("init")

    def power_loss(*_arguments: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(purchases, "place_order", power_loss)
        assert cli.run("demo").exit_code != 0
    assert [path for path in (cli.folder / "files").rglob("*") if path.is_file()] == []
    cli.attach()
    assert db.session.scalar(select(func.count()).select_from(Partner)) == 0
    db.session.remove()
    assert "alice@contoso.example" in cli.say("demo")


def test_more_customers_are_added_in_bulk_by_the_rules(cli: CommandLine, small: None) -> None:
    cli.say("init")
    cli.say("demo", "--customers", "30")
    cli.attach()
    crowd = select(Customer.id).where(Customer.domain.startswith("firm"))
    assert len(db.session.scalars(crowd).all()) == 30
    lines = (
        db.session.scalar(select(func.count()).select_from(Subscription).where(Subscription.customer_id.in_(crowd)))
        or 0
    )
    assert 100 < lines < 700
    db.session.remove()
    assert "FAIL" not in cli.say("doctor")


def test_the_command_is_there() -> None:
    assert {"--customers", "--seed", "--json"} <= {
        name for option in main.commands["demo"].params for name in option.opts
    }
