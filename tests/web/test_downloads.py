"""The landing page of a link and its transfer, as strangers and programs see them (R25, R26, R29, D2, B2, S-6)."""

from __future__ import annotations

import re
import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from csp_web.db import now, session, transaction
from csp_web.domain.delivery import links, transfers
from csp_web.domain.delivery.links import get_keys_and_downloads, revoke_link
from csp_web.domain.delivery.transfer_bytes import byte_log
from csp_web.domain.upkeep.configured import file_store
from csp_web.models import DownloadLink, DownloadOption, LinkEvent, Transfer
from tests.support.files import add_option
from tests.support.s3 import fetch
from tests.support.stock import bought

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from csp_web.config import Settings
    from csp_web.services.files import FileStore
    from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

CONTENT = b"0123456789" * 1000
SECOND = timedelta(seconds=1)


@pytest.fixture
def address(world: World) -> str:
    """The address of a link to ten thousand bytes, for the customer Coho."""
    option, subscription = add_option(world, content=CONTENT), bought(world)
    with transaction():
        link = get_keys_and_downloads(subscription, option, by=world.actor("alice"), recipient="anna@coho.example").link
        return f"/d/{links.token_of(link)}"


@pytest.fixture(autouse=True)
def _written() -> Iterator[None]:
    """Nothing that this test sent is written into the next one's database."""
    yield
    byte_log.flush()


def the_link() -> DownloadLink:
    session.rollback()
    return session.scalars(select(DownloadLink)).one()


def used() -> int:
    return the_link().used


def transfers_of() -> list[Transfer]:
    byte_log.flush()
    session.rollback()
    return list(session.scalars(select(Transfer).order_by(Transfer.id)))


def press(client: FlaskClient, address: str, **more: Any) -> str:
    answer = client.post(address, **more)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


# ---------------------------------------------------------------- landing page


def test_r29_a_person_without_an_account_sees_the_product_and_one_button(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    option = session.scalars(select(DownloadOption)).one()
    for fact in ("Windows Server 2025", option.language, option.file_type, option.file_name, option.sha256, "10 KB"):
        assert fact in answer.text
    assert "50 of 50" in answer.text
    assert "13 days 23 hours left" in answer.text
    assert re.findall(r"<button[^>]*>.*?</svg>([^<]+)</button>", answer.text) == ["Download"]


def test_t1_the_page_tells_nothing_of_the_customer(world: World, client: FlaskClient, address: str) -> None:
    text = client.get(address).text.replace(address, "").lower()  # a token is random and may hold any word
    customer = world.customer("coho")
    for secret in ("coho", customer.domain, str(customer.uuid), "anna", "contoso", "alice"):
        assert secret not in text


def test_s6_no_search_engine_cache_or_other_site_learns_of_it(client: FlaskClient, address: str) -> None:
    for answer in (client.get(address), client.post(address), client.get("/d/unknown")):
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_b13_the_language_follows_the_browser_and_the_switch_keeps_the_page(client: FlaskClient, address: str) -> None:
    assert '<html lang="ru">' in client.get(address, headers={"Accept-Language": "ru"}).text
    assert '<html lang="en">' in client.get(address, headers={"Accept-Language": "de"}).text
    switched = client.get(f"{address}?lang=ru", headers={"Accept-Language": "en"})
    assert '<html lang="ru">' in switched.text
    assert f'action="{address}?lang=ru"' in switched.text
    assert '<html lang="en">' in client.get(f"{address}?lang=xx").text


def test_s10_the_link_is_built_from_the_public_address_and_not_from_the_host(
    settings: Settings, app: Flask, world: World, address: str
) -> None:
    home = f"/customers/{world.customer('coho').uuid}/software?open={the_link().subscription.uuid}"
    cookie = world.sign_in(app, "alice").get_cookie("csp_session")
    assert cookie is not None
    stranger = app.test_client(use_cookies=False)
    answer = stranger.get(home, headers={"Host": "evil.example", "Cookie": f"csp_session={cookie.value}"})
    assert "evil.example" not in answer.text
    assert f"{settings.public_url}{address}" in answer.text


# ---------------------------------------------------------------- counting


def test_d2_a_press_counts_one_and_sends_the_file(client: FlaskClient, address: str) -> None:
    client.get(address)
    answer = client.get(press(client, address))
    assert answer.data == CONTENT
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert used() == 1


def test_d2_a_double_click_counts_one(client: FlaskClient, address: str) -> None:
    client.get(address)
    assert press(client, address) == press(client, address)
    assert used() == 1


def test_r29_without_cookies_it_works_and_a_double_click_counts_one(app: Flask, address: str) -> None:
    first, second = (app.test_client(use_cookies=False) for _each in range(2))
    assert press(first, address) == press(second, address)
    press(first, address, headers={"User-Agent": "another"})
    assert used() == 2


def test_b2_two_people_behind_one_address_are_two(app: Flask, address: str) -> None:
    for _person in range(2):
        browser = app.test_client()
        browser.get(address)
        press(browser, address)
    assert used() == 2


def test_d2_opening_the_page_and_the_bytes_a_thousand_times_counts_nothing_more(
    client: FlaskClient, address: str
) -> None:
    """GET, HEAD, OPTIONS, ranges and conditions, on the page and on the transfer."""
    transfer = press(client, address)
    etag = client.get(transfer).headers["ETag"]
    headers: list[dict[str, str]] = [
        {},
        {"Range": "bytes=0-99"},
        {"Range": "bytes=9000-"},
        {"If-None-Match": etag},
        {"Range": "bytes=0-9", "If-Range": etag},
        {"Purpose": "prefetch"},
    ]
    for number in range(1000):
        target = address if number % 2 else transfer
        method = ("GET", "HEAD", "OPTIONS")[number % 3]
        answer = client.open(target, method=method, headers=headers[number % len(headers)])
        assert answer.status_code in {200, 206, 304}, (method, target, answer.status_code)
        answer.close()
    assert used() == 1
    assert len(transfers_of()) == 1


def test_s6_other_methods_are_refused_and_count_nothing(client: FlaskClient, address: str) -> None:
    assert {client.open(address, method=method).status_code for method in ("PUT", "DELETE", "PATCH")} == {405}
    assert used() == 0


def test_a_form_of_another_site_counts_nothing(client: FlaskClient, address: str) -> None:
    assert client.post(address, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert used() == 0


# ---------------------------------------------------------------- the bytes


def test_d2_a_broken_download_is_continued_as_the_same_one(client: FlaskClient, address: str) -> None:
    transfer = press(client, address)
    first = client.get(transfer, headers={"Range": "bytes=0-3999"})
    rest = client.get(transfer, headers={"Range": "bytes=4000-", "If-Range": first.headers["ETag"]})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.data + rest.data == CONTENT
    assert used() == 1


def test_d2_eight_connections_of_a_download_manager_are_one_download(client: FlaskClient, address: str) -> None:
    transfer = press(client, address)
    parts = [client.get(transfer, headers={"Range": f"bytes={n * 1250}-{n * 1250 + 1249}"}).data for n in range(8)]
    assert b"".join(parts) == CONTENT
    assert used() == 1
    assert [(each.bytes_sent, each.running) for each in transfers_of()] == [(10_000, 0)]


def test_d2_head_and_unchanged_answers_send_no_bytes(client: FlaskClient, address: str) -> None:
    transfer = press(client, address)
    etag = client.head(transfer).headers["ETag"]
    client.get(transfer, headers={"If-None-Match": etag})
    client.get(transfer, headers={"Range": "bytes=99999-"})
    assert [(each.bytes_sent, each.running) for each in transfers_of()] == [(0, 0)]


def test_d2_the_log_of_the_link_has_time_address_agent_and_bytes(client: FlaskClient, address: str) -> None:
    client.get(press(client, address, headers={"User-Agent": "curl/8"})).get_data()
    transfers_of()
    counted = links.events_of([the_link().id])[the_link().id][0]
    assert (counted.kind, counted.agent, counted.address) == ("counted", "curl/8", "127.0.0.1")
    assert counted.bytes_sent == 10_000


def test_d2_what_brought_nothing_is_given_back_after_its_life(client: FlaskClient, address: str) -> None:
    press(client, address)
    end = transfers_of()[0].expires_at
    transfers.give_back(end)
    assert used() == 0
    kinds = session.scalars(select(LinkEvent.kind).order_by(LinkEvent.id)).all()
    assert kinds == ["made", "counted", "given back"]


@pytest.mark.parametrize("offload", ["x-accel-redirect", "x-sendfile"])
def test_d2_the_server_in_front_may_send_the_bytes(app: Flask, address: str, offload: str) -> None:
    from dataclasses import replace

    settings = replace(app.extensions["settings"], offload=offload)

    @app.before_request
    def _offloaded() -> None:
        from flask import g

        g.settings = settings

    client = app.test_client()
    answer = client.get(press(client, address))
    assert answer.data == b""
    key = session.scalars(select(DownloadOption.storage_key)).one()
    header = "X-Accel-Redirect" if offload.startswith("x-accel") else "X-Sendfile"
    assert answer.headers[header].endswith(f"/{key[:2]}/{key[2:4]}/{key}")
    assert [(each.bytes_sent, each.running) for each in transfers_of()] == [(10_000, 0)]


def test_d2_an_s3_store_gives_the_bytes_itself_and_counting_stays(
    app: Flask, s3_files: FileStore, address: str
) -> None:
    client = app.test_client()
    page = client.get(address)
    assert f"form-action 'self' {s3_files.origin()};" in page.headers["Content-Security-Policy"]
    transfer = press(client, address)
    assert client.head(transfer).content_length == len(CONTENT)
    assert the_link().used == 1
    answer = client.get(transfer)
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "no-store"
    status, headers, body = fetch(answer.location)
    assert (status, body) == (200, CONTENT)
    assert headers["content-disposition"] == client.head(transfer).headers["Content-Disposition"]
    again = client.get(transfer, headers={"Range": "bytes=9990-"})
    assert fetch(again.location, Range="bytes=9990-")[2] == CONTENT[-10:]
    assert the_link().used == 1
    assert [(each.bytes_sent, each.running) for each in transfers_of()] == [(20_000, 0)]


def test_f20_a_file_that_the_s3_store_lost_is_said_before_anybody_is_sent_there(
    app: Flask, s3_files: FileStore, address: str
) -> None:
    client = app.test_client()
    transfer = press(client, address)
    s3_files.delete(session.scalars(select(DownloadOption.storage_key)).one())
    answer = client.get(transfer)
    assert answer.status_code == 503
    assert "cannot be read" in answer.text


def test_r29_pages_hold_forms_to_this_server_where_it_sends_files_itself(client: FlaskClient, address: str) -> None:
    assert "form-action 'self';" in client.get(address).headers["Content-Security-Policy"]


def test_f20_a_missing_file_is_said_and_not_an_error_of_the_page(client: FlaskClient, address: str) -> None:
    transfer = press(client, address)
    file_store().delete(session.scalars(select(DownloadOption.storage_key)).one())
    answer = client.get(transfer)
    assert answer.status_code == 503
    assert "cannot be read" in answer.text


# ---------------------------------------------------------------- ends


def change_link(**values: Any) -> None:
    with transaction():
        for name, value in values.items():
            setattr(session.scalars(select(DownloadLink)).one(), name, value)


def test_r26_at_fourteen_days_the_page_says_that_it_ended_and_what_to_do(client: FlaskClient, address: str) -> None:
    change_link(expires_at=now() + timedelta(seconds=30))
    assert client.get(address).status_code == 200
    change_link(expires_at=now())
    for answer in (client.get(address), client.post(address)):
        assert answer.status_code == 410
        assert "This link has ended" in answer.text
        assert "for a new one" in answer.text
        assert "<button" not in answer.text
    assert used() == 0


def test_r26_after_fifty_the_page_says_so(client: FlaskClient, address: str) -> None:
    change_link(used=50)
    for answer in (client.get(address), client.post(address)):
        assert answer.status_code == 410
        assert "50 downloads" in answer.text
    assert used() == 50


def test_a_transfer_that_runs_may_finish_after_the_link_ended(client: FlaskClient, address: str) -> None:
    transfer = press(client, address)
    change_link(expires_at=now(), used=50)
    assert client.get(transfer, headers={"Range": "bytes=0-9"}).data == CONTENT[:10]
    assert client.get(address).status_code == 410


def test_b2_revoking_stops_the_page_and_the_next_range(world: World, client: FlaskClient, address: str) -> None:
    transfer = press(client, address)
    with transaction():
        revoke_link(the_link(), by=world.actor("alice"), reason="sent to the wrong person")
    for answer in (client.get(address), client.post(address), client.get(transfer, headers={"Range": "bytes=0-9"})):
        assert answer.status_code == 410
        assert "revoked" in answer.text
        assert "wrong person" not in answer.text


def test_a_withdrawn_file_says_why(client: FlaskClient, address: str) -> None:
    with transaction():
        option = session.scalars(select(DownloadOption)).one()
        option.withdrawn_at, option.withdrawn_reason = now(), "A fault in setup"
    answer = client.get(address)
    assert answer.status_code == 410
    assert "A fault in setup" in answer.text


@pytest.mark.parametrize("token", ["x", "x" * 43, "x" * 5000, "%00", "ф", "..%2f..%2fetc", "a b"])
def test_an_unknown_address_is_not_found_and_says_what_to_check(client: FlaskClient, address: str, token: str) -> None:
    for place in ("d", "t"):
        answer = client.get(f"/{place}/{token}")
        assert answer.status_code == 404
    assert client.post(f"/d/{token}").status_code == 404


class Written:
    """Stands for the log: keeps what would be written, traces included."""

    def __init__(self) -> None:
        self.text = ""

    def error(self, event: str, *, exc_info: BaseException | None = None, **more: object) -> None:
        trace = traceback.format_exception(exc_info) if exc_info else []
        self.text += f"{event} {more} {''.join(trace)}\n"


def test_s11_no_token_reaches_the_log(
    app: Flask, client: FlaskClient, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when something unexpected happens."""
    transfer = press(client, address)
    log = Written()
    monkeypatch.setattr("csp_web.web.errors.log", log)

    def broken(*_arguments: object, **_more: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("csp_web.blueprints.downloads.landing.find_link", broken)
    monkeypatch.setattr("csp_web.blueprints.downloads.bytes_of.find_transfer", broken)
    assert {client.get(address).status_code, client.get(transfer).status_code} == {500}
    assert log.text.count("unexpected error") == 2
    for secret in (address, transfer):
        assert secret.rpartition("/")[2] not in log.text
