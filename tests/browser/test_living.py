"""Pages that change in place, in a real Chromium: lists, dialogs, focus, what was typed, lost connections, ended visits."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.story.test_browser import sign_in
from tests.support.live import LiveServer

pytestmark = pytest.mark.browser

NewBrowser = Callable[..., BrowserContext]


@pytest.fixture
def agent(new_browser: NewBrowser, live_server: LiveServer) -> Page:
    """An admin agent's page."""
    return sign_in(new_browser().new_page(), live_server, "admin agent")


@pytest.fixture
def support(new_browser: NewBrowser, live_server: LiveServer) -> Page:
    """A support agent's page."""
    return sign_in(new_browser().new_page(), live_server, "support agent")


def new_ticket(agent: Page) -> str:
    """File a request; returns its address."""
    agent.goto("/tickets/new")
    agent.get_by_label("Type of problem").select_option("other")
    agent.get_by_label("Impact").select_option("minimal")
    agent.get_by_label("Title").fill(f"It stops {uuid.uuid4().hex[:8]}")
    agent.get_by_label("Description").fill("At 40 per cent.")
    agent.get_by_role("button", name="Submit", exact=True).click()
    agent.wait_for_url(re.compile(r"/tickets/6\d{14}"))
    return re.sub("#.*", "", agent.url)


def send_reply(page: Page, text: str) -> None:
    page.get_by_label("Your reply").fill(text)
    page.get_by_role("button", name="Reply", exact=True).click()


def heard_questions(page: Page) -> list[str]:
    """The questions that the browser asks before a page is left; each is answered with Leave."""
    heard: list[str] = []

    def leave(dialog: object) -> None:
        heard.append(dialog.type)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.on("dialog", leave)
    return heard


# ------------------------------------------------------------------ lists


def test_a_list_follows_the_typing_and_back_brings_the_one_before(agent: Page) -> None:
    agent.goto("/customers")
    rows = agent.locator("#customer-list tbody tr")
    every = rows.count()
    field = agent.locator("#customer-filters input[type=search]")
    field.press_sequentially("coho", delay=5)
    expect(rows).to_have_count(1)
    expect(agent).to_have_url(re.compile(r"/customers\?q=coho$"))
    expect(field).to_be_focused()
    expect(agent.locator("#announcer")).to_have_text("1 result.")
    agent.go_back()
    expect(rows).to_have_count(every)
    agent.go_forward()
    expect(rows).to_have_count(1)
    expect(field).to_have_value("coho")
    agent.reload()
    expect(rows).to_have_count(1)


def test_leaving_the_field_of_a_list_asks_nothing(agent: Page) -> None:
    agent.goto("/tickets")
    agent.locator("#ticket-filters input[type=search]").fill("a")
    agent.wait_for_url(re.compile("q=a"))
    expect(agent.locator("body:not(.is-busy)")).to_be_visible()
    asked: list[str] = []
    agent.on("request", lambda request: asked.append(request.url) if "/tickets" in request.url else None)
    agent.locator("#status").focus()
    agent.locator("#status").select_option("open")
    agent.wait_for_url(re.compile("status=open"))
    assert len(asked) == 1


def test_the_next_page_takes_the_place_and_the_focus(new_browser: NewBrowser, live_server: LiveServer) -> None:
    operator = sign_in(new_browser().new_page(), live_server, "operator admin")
    operator.goto("/audit")
    operator.get_by_role("link", name="Next").click()
    expect(operator).to_have_url(re.compile("page="))
    expect(operator.locator("#log")).to_be_focused()
    operator.go_back()
    expect(operator).to_have_url(re.compile("/audit$"))
    expect(operator.get_by_role("link", name="Next")).to_be_visible()


# ------------------------------------------------------------------ the Software page and the cart


def test_r22_choices_narrow_each_other_and_links_come_and_go_in_place(agent: Page) -> None:
    """R22, R24, R26: the page is not loaded again; the question can be escaped; the focus is never lost."""
    agent.goto("/software?family=sql_server")
    agent.locator("tbody tr", has_text="SQL Server 2025").filter(has_not_text="Cancelled").locator("th a").first.click()
    agent.wait_for_url(re.compile("open="))
    version = agent.get_by_label("Version", exact=True)
    version.focus()
    version.select_option("SQL Server 2019")
    expect(agent.locator("select[name=version]")).to_be_focused()
    agent.get_by_role("button", name="Submit", exact=True).click()
    agent.get_by_role("button", name="Get keys and downloads").first.click()
    link = agent.locator("article[id^=link-]:focus")
    expect(link).to_contain_text("2019")
    expect(agent.locator("#toasts")).to_contain_text("The link is ready.")
    _revoked_in_two_tabs(agent, str(link.get_attribute("id")))


def _revoked_in_two_tabs(agent: Page, identifier: str) -> None:
    """The question is asked, left and asked again; the other tab is told that it is done."""
    revoke = agent.locator(f"#{identifier}").get_by_role("button", name="Revoke", exact=True)
    revoke.click()
    question = agent.get_by_role("dialog")
    expect(question.get_by_role("button", name="Go back")).to_be_focused()
    agent.keyboard.press("Escape")
    expect(revoke).to_be_focused()
    expect(agent.locator(f"#{identifier}")).to_be_visible()
    other_tab = agent.context.new_page()
    other_tab.goto(f"{agent.url.split('#')[0]}#{identifier}")
    revoke.press("Enter")
    question.get_by_role("button", name="Revoke").click()
    expect(agent.locator(f"#{identifier}")).to_have_count(0)
    expect(agent.locator("#toasts")).to_contain_text("The link is revoked.")
    assert agent.evaluate("document.activeElement !== document.body")
    other_tab.locator(f"#{identifier}").get_by_role("button", name="Revoke", exact=True).click()
    other_tab.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(other_tab.locator("#messages")).to_contain_text("This link was revoked on")
    expect(other_tab.locator(f"#{identifier}")).to_have_count(0)


def test_a_removed_line_leaves_the_focus_on_the_next_ones_button(agent: Page) -> None:
    agent.goto("/customers")
    home = agent.locator("#customer-list tbody th a").last.get_attribute("href")
    for number in range(3):
        agent.goto(f"{home}/products")
        agent.get_by_role("button", name="Add to cart").nth(number).click()
        agent.wait_for_load_state()
    agent.goto(f"{home}/cart")
    lines = agent.locator("#review tbody tr")
    before = lines.count()
    after_it = lines.nth(1).get_by_role("button", name="Remove").get_attribute("id")
    lines.first.get_by_role("button", name="Remove").click()
    expect(lines).to_have_count(before - 1)
    expect(agent.locator(f"#{after_it}")).to_be_focused()
    agent.get_by_label("Quantity").first.fill("many")
    agent.keyboard.press("Tab")
    expect(agent.locator("#announcer")).to_contain_text("Enter a whole number")


# ------------------------------------------------------------------ a support request, two people, two tabs


def test_a_reply_comes_in_place_and_what_is_typed_beside_it_stays(agent: Page, support: Page) -> None:
    address = new_ticket(agent)
    agent.clock.install()
    agent.goto(address)
    agent.get_by_label("Your reply").fill("I am still typing")
    support.goto(address)
    support.get_by_label("Note", exact=False).first.fill("Half a thought")
    note = support.locator("#note-form textarea")
    note.fill("Half a thought")
    send_reply(support, "Please start it again.")
    expect(support.locator("article[id^=note-]:focus")).to_contain_text("Please start it again.")
    expect(note).to_have_value("Half a thought")
    expect(support.locator("#page-title")).to_contain_text("Attention needed")
    agent.clock.fast_forward(31_000)
    show = agent.get_by_role("button", name="1 new note: show")
    show.click()
    expect(agent.locator("article[id^=note-]:focus")).to_contain_text("Please start it again.")
    expect(agent.get_by_label("Your reply")).to_have_value("I am still typing")
    asked = heard_questions(agent)
    agent.get_by_role("link", name="Customers", exact=True).first.click()
    agent.wait_for_url("**/customers")
    assert asked == ["beforeunload"]


def test_after_saving_a_page_is_left_without_a_question(agent: Page) -> None:
    agent.goto(new_ticket(agent))
    asked = heard_questions(agent)
    send_reply(agent, "One more thing.")
    expect(agent.locator("article[id^=note-]:focus")).to_be_visible()
    agent.get_by_role("link", name="Customers", exact=True).first.click()
    agent.wait_for_url("**/customers")
    assert asked == []


def test_an_empty_reply_brings_the_focus_to_what_is_wrong(agent: Page) -> None:
    agent.goto(new_ticket(agent))
    agent.get_by_role("button", name="Reply", exact=True).click()
    expect(agent.locator("[data-error-summary]")).to_be_focused()


def test_a_lost_connection_loses_nothing_and_retry_sends_again(agent: Page) -> None:
    agent.goto(new_ticket(agent))
    agent.context.set_offline(True)
    send_reply(agent, "Words on the train")
    expect(agent.locator("#messages")).to_contain_text("Nothing that you typed is lost")
    expect(agent.get_by_label("Your reply")).to_have_value("Words on the train")
    agent.context.set_offline(False)
    agent.get_by_role("button", name="Retry").click()
    expect(agent.locator("article[id^=note-]:focus")).to_contain_text("Words on the train")
    expect(agent.locator("#messages")).to_be_empty()


def test_an_ended_visit_keeps_the_page_and_goes_on_after_signing_in(agent: Page, live_server: LiveServer) -> None:
    agent.goto(new_ticket(agent))
    agent.context.clear_cookies()
    send_reply(agent, "Long and careful words")
    expect(agent.locator("#messages")).to_contain_text("You were signed out.")
    expect(agent.get_by_label("Your reply")).to_have_value("Long and careful words")
    sign_in(agent.context.new_page(), live_server, "admin agent")
    agent.get_by_role("button", name="Retry").click()
    expect(agent.locator("article[id^=note-]:focus")).to_contain_text("Long and careful words")


def test_a_toast_stays_while_it_is_pointed_at_and_can_be_closed(support: Page, agent: Page) -> None:
    address = new_ticket(agent)
    support.clock.install()
    support.goto(address)
    support.locator("#work").get_by_role("button", name="Close").click()
    toast = support.locator("#toasts .message")
    expect(toast).to_have_text("The request is closed.")
    assert support.locator("#toasts").get_attribute("role") == "status"
    toast.hover()
    support.clock.fast_forward(60_000)
    expect(toast).to_be_visible()
    support.mouse.move(0, 0)
    support.clock.fast_forward(13_000)
    expect(toast).to_have_count(0)


def test_numbers_in_the_navigation_follow_and_stop_with_the_visit(agent: Page, support: Page) -> None:
    badge = support.locator("#navigation a[href='/tickets'] .count")
    support.clock.install()
    support.goto("/tickets")
    support.clock.fast_forward(1_500)
    expect(badge).to_be_visible()
    before = int(badge.inner_text())
    new_ticket(agent)
    support.clock.fast_forward(61_000)
    expect(badge).to_have_text(str(before + 1))
    support.context.clear_cookies()
    with support.expect_response(re.compile("/counters")) as answer:
        support.clock.fast_forward(61_000)
    assert answer.value.status == 401
    expect(support).to_have_url(re.compile("/tickets$"))
    asked: list[str] = []
    support.on("request", lambda request: asked.append(request.url))
    support.clock.fast_forward(200_000)
    assert asked == []
