"""Any identifier typed into the search finds its thing (D10), words find what is called so, and only one's own (S-1)."""

from __future__ import annotations

import pytest

from csp_web.db import now, session, transaction
from csp_web.domain.delivery.links import get_keys_and_downloads, token_of
from csp_web.domain.finder import Found, FoundKind, Group, find_everything, the_one
from csp_web.domain.recently_seen import Seen, seen_things
from csp_web.models import DownloadLink, DownloadOption, Order, Subscription, Ticket
from tests.support import tickets
from tests.support.files import add_option
from tests.support.statements import counted_statements
from tests.support.stock import bought
from tests.world import World, make_customer


@pytest.fixture
def line(world: World) -> Subscription:
    tickets.install_types()
    return session.get_one(Subscription, bought(world).id)


def kinds(groups: list[Group]) -> list[FoundKind]:
    return [group.kind for group in groups]


def find(world: World, who: str, text: object) -> list[Group]:
    return find_everything(world.actor(who), str(text))


def titles(groups: list[Group]) -> list[str]:
    return [thing.title for group in groups for thing in group.things]


def test_d10_every_identifier_finds_its_thing(world: World, line: Subscription) -> None:
    coho = world.customer("coho")
    assert kinds(find(world, "alice", line.uuid)) == [FoundKind.SUBSCRIPTION]
    assert kinds(find(world, "alice", f"{{{line.uuid}}}".upper())) == [FoundKind.SUBSCRIPTION]
    assert kinds(find(world, "alice", f" {line.order.order_id} ")) == [FoundKind.ORDER]
    assert kinds(find(world, "alice", line.order.alternate_id.upper())) == [FoundKind.ORDER]
    assert kinds(find(world, "alice", coho.uuid)) == [FoundKind.CUSTOMER]
    assert kinds(find(world, "alice", f"https://{coho.domain.upper()}/path")) == [FoundKind.CUSTOMER]


def test_a_ticket_is_found_by_number_and_by_words_of_its_title(world: World, line: Subscription) -> None:
    number = tickets.file_ticket(world, tickets.other_details(title="Ёлка Setup fails"), by="alice", at=now()).number
    assert kinds(find(world, "alice", number)) == [FoundKind.TICKET]
    assert titles(find(world, "bob", "fails елка")) == ["Ёлка Setup fails"]
    assert find(world, "alice", "fails never") == []


def test_support_finds_the_tickets_of_all_partners_and_nothing_else(world: World, line: Subscription) -> None:
    number = tickets.file_ticket(world, tickets.other_details(title="Coho setup"), by="alice", at=now()).number
    assert titles(find(world, "sam", number)) == ["Coho setup"]
    assert kinds(find(world, "sam", "coho")) == [FoundKind.TICKET]


def test_s1_another_partner_finds_nothing_of_it(world: World, line: Subscription) -> None:
    number = tickets.file_ticket(world, tickets.other_details(title="Coho setup"), by="alice", at=now()).number
    link = made_link(world, line)
    texts = (line.uuid, line.order.order_id, line.order.alternate_id, world.customer("coho").uuid, "coho", number)
    for text in (*texts, world.customer("coho").domain, "setup", link, "alice", "alice@contoso.example"):
        assert find(world, "charlie", text) == [], text


def made_link(world: World, line: Subscription) -> str:
    option = add_option(world).id
    with transaction():
        get_keys_and_downloads(
            session.get_one(Subscription, line.id), session.get_one(DownloadOption, option), by=world.actor("alice")
        )
    return f"https://portal.example/d/{token_of(session.get_one(DownloadLink, 1))}"


def test_a_download_link_leads_to_its_line(world: World, line: Subscription) -> None:
    address = made_link(world, line)
    for text in (address, address.rpartition("/")[2]):
        found = the_one(find(world, "alice", text))
        assert found is not None
        assert (found.kind, found.key, found.line) == (FoundKind.LINK, str(line.uuid), line.id)
    assert find(world, "bill", address) == [], "billing sees no software"


def test_people_are_found_by_those_who_may_manage_them(world: World) -> None:
    assert titles(find(world, "alice", "bob@contoso.example")) == ["Bob"]
    assert titles(find(world, "alice", "bob")) == ["Bob"]
    assert find(world, "bob", "alice@contoso.example") == []
    assert titles(find(world, "olga", "charlie@")) == ["Charlie"]
    assert kinds(find(world, "olga", "contoso"))[-1] is FoundKind.PARTNER


def test_products_are_found_by_the_operator(world: World) -> None:
    assert titles(find(world, "olga", "datacenter windows")) == ["Windows Server 2025 Datacenter"]
    found = the_one(find(world, "olga", "dg7gmgf06gw3"))
    assert found is not None
    assert found.title == "Windows Server 2025 Datacenter"
    assert find(world, "alice", "datacenter") == []


def test_more_of_a_kind_than_are_shown_is_said(world: World) -> None:
    with transaction():
        for number in range(12):
            make_customer(world.partners["contoso"], f"Wingtip {number}")
    (group,) = find_everything(world.actor("alice"), "wingtip", limit=4)
    assert (len(group.things), group.more) == (4, True)
    (group,) = find_everything(world.actor("alice"), "wingtip", limit=12)
    assert (len(group.things), group.more) == (12, False)


def test_the_domain_that_was_typed_goes_before_longer_ones(world: World) -> None:
    domain = world.customer("coho").domain
    with transaction():
        longer = make_customer(world.partners["contoso"], "Longer")
        longer.domain = f"{domain}.example"
        longer.search_text = f"longer {longer.domain}"
    (group,) = find(world, "alice", domain)
    assert [thing.title for thing in group.things] == ["Coho", "Longer"]
    found = the_one([group])
    assert found is not None
    assert found.title == "Coho"


def test_one_of_several_is_not_guessed() -> None:
    two = [Found(FoundKind.CUSTOMER, "1", "One"), Found(FoundKind.CUSTOMER, "2", "Two")]
    assert the_one([Group(FoundKind.CUSTOMER, two)]) is None
    assert the_one([Group(FoundKind.CUSTOMER, two[:1])]) is two[0]
    assert the_one([]) is None


def test_b4_a_product_key_is_no_search_word(world: World) -> None:
    with counted_statements() as statements:
        assert find_everything(world.actor("olga"), "ABCDE-FGHIJ-KLMNO-PQRST-UVWXY") == []
    assert len(statements) <= 3, "only the actor was read"


@pytest.mark.parametrize("text", ["", " ", "%", "_", "'", '"', "a", "\\", "{", "x" * 200, "д" * 43, "/d/", "(" * 50])
def test_odd_texts_find_nothing_and_fail_nowhere(world: World, text: str) -> None:
    for who in ("alice", "sam", "olga"):
        groups = find(world, who, text)
        assert all(group.kind is FoundKind.CUSTOMER or text == "a" for group in groups)


def test_s1_what_was_seen_vanishes_when_it_can_no_longer_be_seen(world: World, line: Subscription) -> None:
    ticket = tickets.file_ticket(world, tickets.other_details(title="Setup"), by="alice", at=now())
    seen: list[Seen] = [
        (FoundKind.TICKET, session.get_one(Ticket, ticket.id).id),
        (FoundKind.CUSTOMER, world.customers["coho"]),
        (FoundKind.CUSTOMER, world.customers["tailspin"]),
        (FoundKind.ORDER, session.get_one(Order, line.order_id).id),
        (FoundKind.CUSTOMER, 999_999),
    ]
    ours = [thing.kind for thing in seen_things(world.actor("alice"), seen)]
    assert ours == [FoundKind.TICKET, FoundKind.CUSTOMER, FoundKind.ORDER]
    assert [thing.title for thing in seen_things(world.actor("charlie"), seen)] == ["Tailspin"]
    assert [thing.kind for thing in seen_things(world.actor("sam"), seen)] == [FoundKind.TICKET]
    assert seen_things(world.actor("olga"), seen) == []
