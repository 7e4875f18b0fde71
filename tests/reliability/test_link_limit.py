"""S-6, R26, D2: of 500 people who press at the same moment, over two processes, exactly 50 get a download."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select, update

from csp_web.app import create_app
from csp_web.config import Settings
from csp_web.db import session, transaction
from csp_web.domain.delivery import links, transfers
from csp_web.domain.delivery.links import get_keys_and_downloads
from csp_web.models import DownloadLink, LinkEvent, Transfer
from tests.support.crowd import Part, all_at_once
from tests.support.files import add_option
from tests.support.stock import bought
from tests.world import World

LIMIT = 50


def link_address(world: World) -> str:
    option, subscription = add_option(world), bought(world)
    with transaction():
        link = get_keys_and_downloads(subscription, option, by=world.actor("alice")).link
        return f"/d/{links.token_of(link)}"


def crowd(settings: Settings, address: str, presses: list[str], *, planted: bool = False) -> Counter[str]:
    """What people got who all pressed at once, each with the cookie that is named, against two processes."""

    def begin() -> Part:
        app = create_app(settings)
        if planted:
            transfers._count = count_what_was_seen
            app.before_request(lambda: look(address))
        return lambda cookie: press(app, address, cookie)

    return Counter(all_at_once(begin, presses, threads=16))


def press(app: Any, address: str, cookie: str) -> str:
    client = app.test_client(use_cookies=False)
    answer = client.post(address, headers={"Cookie": f"csp_visitor={cookie}"})
    return str(answer.status_code)


seen = threading.local()
everybody_looks = threading.Barrier(8)


def look(address: str) -> None:
    """The planted mistake: how many are used is read first, and one more is written afterwards."""
    seen.used = session.scalar(select(DownloadLink.used).limit(1))
    session.rollback()
    everybody_looks.wait(20)


def count_what_was_seen(link: DownloadLink, at: object) -> bool:
    if seen.used >= LIMIT:
        return False
    session.execute(
        update(DownloadLink)
        .where(DownloadLink.id == link.id)
        .values(used=seen.used + 1)
        .execution_options(synchronize_session=False)
    )
    return True


def check(outcomes: Counter[str], *, people: int) -> None:
    """Fifty transfers, fifty counted, the rest refused with 410, and nobody saw an error."""
    expected = min(people, LIMIT)
    assert outcomes == Counter({"303": expected, "410": people - expected})
    assert session.scalar(select(DownloadLink.used)) == expected
    assert session.scalar(select(func.count()).select_from(Transfer)) == expected
    counted = select(func.count()).select_from(LinkEvent).where(LinkEvent.kind == "counted")
    assert session.scalar(counted) == expected


def test_s6_of_five_hundred_presses_at_once_exactly_fifty_download(world: World, settings: Settings) -> None:
    address = link_address(world)
    outcomes = crowd(settings, address, [f"person-{number}" for number in range(500)])
    check(outcomes, people=500)


def test_d2_one_person_who_presses_forty_times_at_once_is_counted_once(world: World, settings: Settings) -> None:
    address = link_address(world)
    outcomes = crowd(settings, address, ["the same"] * 40)
    assert outcomes == Counter({"303": 40})
    assert session.scalar(select(DownloadLink.used)) == 1
    assert session.scalar(select(func.count()).select_from(Transfer)) == 1


def test_the_proof_sees_a_count_that_is_read_before_it_is_written(world: World, settings: Settings) -> None:
    """With the planted mistake the same check must fail."""
    address = link_address(world)
    outcomes = crowd(settings, address, [f"person-{number}" for number in range(160)], planted=True)
    with pytest.raises(AssertionError):
        check(outcomes, people=160)
