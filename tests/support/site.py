"""Every page of the product and every state of it that looks different: the one list that all checks of pages go by.

A new page gets a line in PLACES; tests/web/test_site.py fails for a page that has none. The fixture ``site`` (site_browser.py)
opens a place in a real browser: ``site.open(place)``. Acts go by selectors, never by words, for pages are opened in each
language.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from csp_web.domain.delivery.software_filters import COLUMNS

if TYPE_CHECKING:
    from playwright.sync_api import Page

Act = Callable[["Page"], None]

STRANGER = ""
ADMIN, SALES, HELPDESK = "admin agent", "sales agent", "helpdesk agent"
BILLING, AUDITOR = "billing admin", "auditor"
SUPPORT, OPERATOR = "support agent", "operator admin"

# What answers to GET and is no page: files, bytes, figures for machines.
NO_PAGES = frozenset(
    {
        "assets.favicon",
        "assets.file",
        "admin.download_backup",
        "downloads.checksums",
        "downloads.signature",
        "downloads.transfer",
        "software.checksums",
        "software.log_of_link",
        "help.picture",
        "home.counters",
        "home.token",
        "jobs.file",
        "jobs.progress",
        "probes.healthz",
        "probes.readyz",
        "tickets.download",
        "tickets.news",
    }
)


# ---- Acts that bring a page into a state


def press(selector: str, then: str = "") -> Act:
    """Click the first of these; the state is reached when ``then`` is visible."""

    def act(page: Page) -> None:
        page.locator(selector).first.click()
        if then:
            page.locator(then).first.wait_for()

    return act


def fill(selector: str, text: str) -> Act:
    """Type into a field. ``{unique}`` is different each time."""
    return lambda page: page.locator(selector).first.fill(text.replace("{unique}", uuid.uuid4().hex[:12]))


def search_for(text: str) -> Act:
    """Type into the field of a list and wait for what is found."""

    def act(page: Page) -> None:
        page.locator("#q").press_sequentially(text)
        page.wait_for_url(lambda url: f"q={text}" in url)

    return act


def choose(selector: str, value: str, then: str) -> Act:
    """Choose an option by its value; the state is reached when ``then`` is visible."""

    def act(page: Page) -> None:
        page.locator(selector).select_option(value)
        page.locator(then).first.wait_for()

    return act


def attach(selector: str, name: str, content: str) -> Act:
    """Choose a small file."""
    file: Any = {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    return lambda page: page.locator(selector).set_input_files(file)


def attach_other(selector: str) -> Act:
    """Choose a file that is not the one that was begun."""

    def act(page: Page) -> None:
        attach(selector, "other.iso", "another file")(page)
        press("#go-on button[type=submit]", SENT)(page)

    return act


def unfold(page: Page) -> None:
    """Open everything that is folded."""
    page.evaluate("document.querySelectorAll('main details').forEach((part) => { part.open = true })")


def open_user_menu(page: Page) -> None:
    """Open the menu of the person in the bar."""
    press("[popovertarget=user-menu]", "#user-menu")(page)


def open_navigation(page: Page) -> None:
    """Open the navigation, which is behind a button on a narrow screen."""
    if page.locator(".nav-toggle").is_visible():
        press(".nav-toggle", "#navigation a")(page)


def show_key(page: Page) -> None:
    """Show the key of the opened line; after some minutes that asks for the password, which the tab knows."""
    page.locator("xpath=//form[contains(@hx-post, '/showing')]//button").first.click()
    password = page.locator("form.confirm input[type=password]")
    page.locator(".secret").or_(password).first.wait_for()
    if password.is_visible():
        password.fill(page.evaluate("sessionStorage.getItem('password')"))
        password.press("Enter")
        page.locator(".secret").first.wait_for()


SENT = "[data-error-summary], .message-danger, [aria-invalid=true]"


def send(form: str = "main form[method=post]:not([action^='/tour'])") -> Act:
    """Send a form with what stands in it, which is refused."""
    return press(f"{form} button[type=submit]", SENT)


# ---- The list


@dataclass(frozen=True, slots=True)
class Place:
    """A page in one state: who sees it, where it is, what is done there before it is looked at.

    ``address`` may hold {names} of site_names.py. ``media`` is "print" for what goes on paper.
    """

    name: str
    role: str
    address: str
    acts: tuple[Act, ...] = ()
    status: int = 200
    media: str = "screen"


SHOW_KEY = show_key
PRICES = "ProductTitle,ProductId,SkuId\nHalf a sheet,A,1\n"
KEYS = "ProductId,SkuId,Version,ProductKey\nDG7GMGF0QLYC,0001,Windows Server 2019,not a key\n"

PUBLIC = (
    Place("sign-in", STRANGER, "/sign-in"),
    Place("sign-in, refused", STRANGER, "/sign-in", (send("form[action='/sign-in']"),)),
    Place("download link", STRANGER, "/d/{token}"),
    Place("download link, ended", STRANGER, "/d/{ended}", status=410),
    Place("download link, unknown", STRANGER, "/d/no-such-link", status=404),
    Place("setup, over", STRANGER, "/setup", status=404),
    Place("setup of the organisation, over", STRANGER, "/setup/organisation", status=404),
    Place("setup of the first person, over", STRANGER, "/setup/you", status=404),
)

FRAME = (
    Place("dashboard of an admin agent", ADMIN, "/"),
    Place("dashboard of a sales agent", SALES, "/"),
    Place("dashboard of a helpdesk agent", HELPDESK, "/"),
    Place("dashboard of a billing admin", BILLING, "/"),
    Place("dashboard of an auditor", AUDITOR, "/"),
    Place("dashboard of a support agent", SUPPORT, "/"),
    Place("dashboard of an operator admin", OPERATOR, "/"),
    Place("user menu", ADMIN, "/", (open_user_menu,)),
    Place("navigation", ADMIN, "/", (open_navigation,)),
    Place("search", ADMIN, "/search?q=customer"),
    Place("search, nothing found", ADMIN, "/search?q=nothing-like-it"),
    Place("search, nothing typed", ADMIN, "/search"),
    Place(
        "search, suggestions",
        ADMIN,
        "/search/suggestions?q=customer",
        (press("[data-search]", "#suggestion-all"), lambda page: page.keyboard.press("ArrowDown")),
    ),
    Place("keyboard shortcuts", ADMIN, "/shortcuts"),
    Place("keyboard shortcuts, dialog", ADMIN, "/customers", (open_user_menu, press("[data-sheet]", "#sheet[open]"))),
    Place("not found", ADMIN, "/nowhere", status=404),
    Place("help", ADMIN, "/help"),
    Place("help on a topic", ADMIN, "/help/software"),
    Place("help on one page", ADMIN, "/help/all"),
    Place("tour", ADMIN, "/tour"),
    Place("tour, at a stop", ADMIN, "/tour/go?to=keys"),
    Place("tour, ended", ADMIN, "/tour/go?to=keys", (press("form[action='/tour/end'] button", "main"),)),
    Place("forbidden", BILLING, "/customers/new", status=403),
)

ACCOUNTS = (
    Place("account", ADMIN, "/account"),
    Place("account, refused", ADMIN, "/account", (fill("#name", ""), send("main form[action='/account']"))),
    Place("change password", ADMIN, "/account/password"),
    Place("change password, refused", ADMIN, "/account/password", (send("main form[action='/account/password']"),)),
    Place("users", ADMIN, "/users"),
    Place("user", ADMIN, "/users/{colleague}"),
    Place("user, oneself", ADMIN, "/users/{self}"),
    Place("add user", ADMIN, "/users/new"),
    Place("add user, refused", ADMIN, "/users/new", (send(),)),
    Place(
        "add user, password given",
        ADMIN,
        "/users/new",
        (
            fill("#name", "Nina Vogel"),
            fill("#email", "{unique}@contoso.example"),
            press("main form[action^='/users/new'] input[name=roles]"),
            press("main form[action^='/users/new'] button[type=submit]", ".copy-field, .secret"),
        ),
    ),
)

CUSTOMERS = (
    Place("customers", ADMIN, "/customers"),
    Place("customers, add refused", BILLING, "/customers"),
    Place("customers, found while typing", ADMIN, "/customers", (search_for("adv"),)),
    Place("customers, nothing found", ADMIN, "/customers?q=nothing-like-it"),
    Place("add customer", ADMIN, "/customers/new"),
    Place("add customer, refused", ADMIN, "/customers/new", (send(),)),
    Place("customer", ADMIN, "/customers/{customer}"),
    Place("customer, nothing bought", ADMIN, "/customers/{new}"),
    Place("customer's timeline", ADMIN, "/customers/{customer}/timeline"),
    Place("customer's timeline, one kind", SALES, "/customers/{customer}/timeline?kind=orders"),
    Place("customer's timeline, nothing yet", ADMIN, "/customers/{new}/timeline?kind=keys"),
    Place("edit customer", ADMIN, "/customers/{customer}/edit"),
    Place("edit customer, refused", ADMIN, "/customers/{customer}/edit", (fill("#domain", "?"), send())),
)

ORDERS = (
    Place("add products", ADMIN, "/customers/{customer}/products"),
    Place("add products, not sold there", ADMIN, "/customers/{not_sold}/products", (unfold,)),
    Place("add products, reservation", ADMIN, "/customers/{customer}/products?family=reservation"),
    Place("add products, nothing found", ADMIN, "/customers/{customer}/products?q=nothing-like-it"),
    Place(
        "add products, refused",
        ADMIN,
        "/customers/{customer}/products",
        (fill("input[name=quantity]", "none"), send("form:has(input[name=offer])")),
    ),
    Place(
        "add products, added",
        ADMIN,
        "/customers/{new}/products",
        (press("form:has(input[name=offer]) button", ".message-ok"),),
    ),
    Place("review order", ADMIN, "/customers/{buyer}/cart"),
    Place(
        "review order, refused",
        ADMIN,
        "/customers/{buyer}/cart",
        (fill("input[name^=quantity-]", "none"), press("#update", SENT)),
    ),
    Place("review order, empty", ADMIN, "/customers/{customer}/cart"),
    Place("order history", ADMIN, "/customers/{customer}/orders"),
    Place("order history, empty", ADMIN, "/customers/{new}/orders"),
    Place("order", ADMIN, "/orders/{order}"),
    Place("order, printed", ADMIN, "/orders/{order}", media="print"),
    Place("reservations", ADMIN, "/customers/{reserved}/reservations"),
    Place("reservations, empty", ADMIN, "/customers/{new}/reservations"),
)

OPENED = "/customers/{customer}/software?open={line}"
EVERY_COLUMN = "&".join(f"columns={name}" for name in COLUMNS)
SOFTWARE = (
    Place("software", ADMIN, "/customers/{customer}/software"),
    Place("software, empty", ADMIN, "/customers/{new}/software"),
    Place("software, line opened", ADMIN, OPENED, (unfold,)),
    Place("software, line opened at its address", ADMIN, "/customers/{customer}/software/{line}"),
    Place("software, files that match", ADMIN, f"{OPENED}&fitting=1"),
    Place("software, key shown", ADMIN, OPENED, (SHOW_KEY,)),
    Place("software, printed key", ADMIN, OPENED, (SHOW_KEY,), media="print"),
    Place("send link", ADMIN, "/customers/{customer}/software/{line}/links/{link}/mail"),
    Place(
        "send link, refused",
        ADMIN,
        "/customers/{customer}/software/{line}/links/{link}/mail",
        (fill("#email", "nobody"), send()),
    ),
    Place("replace a wrong key", ADMIN, "/customers/{customer}/software/{line}/keys/{assignment}/replacement"),
    Place("software, acts refused", AUDITOR, f"{OPENED}&fitting=1", (unfold,)),
    Place("software, cancelled line", ADMIN, "/customers/{cancelled_of}/software?open={cancelled}", (unfold,)),
    Place("software, line that waits", ADMIN, "/customers/{waiting_of}/software?open={waiting}", (unfold,)),
    Place("software of all customers", ADMIN, "/software"),
    Place("software of all customers, nothing found", ADMIN, "/software?q=nothing-like-it"),
    Place("software of all customers, narrowed", ADMIN, "/software?link=14&country=US", (unfold,)),
    Place("software of all customers, every column", ADMIN, f"/software?{EVERY_COLUMN}"),
    Place("software of all customers, acts refused", AUDITOR, "/software"),
    Place("saved views", ADMIN, "/software/views"),
    Place("saved views of colleagues", AUDITOR, "/software/views"),
    Place("save view", ADMIN, "/software/views/new?deadline=14&family=sql_server"),
    Place("save view, refused", ADMIN, "/software/views/new?deadline=14", (send("#view-form"),)),
    Place("saved view", ADMIN, "/software/views/{view}"),
    Place("saved view of a colleague", SALES, "/software/views/{view}"),
)

TICKETS = (
    Place("support requests", ADMIN, "/tickets"),
    Place("support requests, nothing found", ADMIN, "/tickets?q=nothing-like-it"),
    Place("support requests of the desk", SUPPORT, "/tickets"),
    Place("new request", ADMIN, "/tickets/new"),
    Place("new request, refused", ADMIN, "/tickets/new", (send("#ticket-form"),)),
    Place("new request, type chosen", ADMIN, "/tickets/new", (choose("#problem_type", "refund", "#amount"),)),
    Place("new request, cancellation", ADMIN, "/tickets/new?subscription={line}"),
    Place("new request, too late to cancel", ADMIN, "/tickets/new?subscription={late}"),
    Place("request", ADMIN, "/tickets/{ticket}", (unfold,)),
    Place("request, reply refused", ADMIN, "/tickets/{ticket}", (send("#reply-form"),)),
    Place("request, printed", ADMIN, "/tickets/{ticket}", media="print"),
    Place("request, read only", AUDITOR, "/tickets/{ticket}"),
    Place("request, cancellation", ADMIN, "/tickets/{refund}", (unfold,)),
    Place("request at the desk", SUPPORT, "/tickets/{ticket}", (unfold,)),
    Place("request at the desk, decision", SUPPORT, "/tickets/{refund}"),
    Place("request at the desk, decision refused", SUPPORT, "/tickets/{refund}", (send("form[action$='/refusal']"),)),
)

OPERATION = (
    Place("activity log", AUDITOR, "/audit", (unfold,)),
    Place("activity log, refused", AUDITOR, "/audit?since=never", status=422),
    Place("activity log of the operator", OPERATOR, "/audit"),
    Place(
        "activity log, chain checked", OPERATOR, "/audit", (press("form[action='/audit/check'] button", ".message"),)
    ),
    Place("administration", OPERATOR, "/admin"),
    Place("catalogue", OPERATOR, "/admin/catalogue"),
    Place(
        "catalogue, sheet refused",
        OPERATOR,
        "/admin/catalogue",
        (attach("#sheet", "prices.csv", PRICES), press("button[value=check]", SENT)),
    ),
    Place("keys", OPERATOR, "/admin/keys"),
    Place(
        "keys, sheet refused",
        OPERATOR,
        "/admin/keys",
        (attach("#file", "keys.csv", KEYS), press("button[value=check]", SENT)),
    ),
    Place("pool of keys", OPERATOR, "/admin/keys/{pool}"),
    Place(
        "pool of keys, quarantine refused",
        OPERATOR,
        "/admin/keys/{pool}",
        (send("form[action*='/quarantine']"),),
    ),
    Place("release a key, refused", OPERATOR, "/admin/keys/{pool}/quarantine/{quarantined}/release"),
    Place("files", OPERATOR, "/admin/files"),
    Place("add file", OPERATOR, "/admin/files/new"),
    Place("add file, refused", OPERATOR, "/admin/files/new", (send(),)),
    Place("upload, cut off", OPERATOR, "/admin/files/uploads/{upload}"),
    Place("upload, another file chosen", OPERATOR, "/admin/files/uploads/{upload}", (attach_other("#file"),)),
    Place("upload, everything there", OPERATOR, "/admin/files/uploads/{upload_whole}"),
    Place("upload, not saved", OPERATOR, "/admin/files/uploads/{upload_whole}", (fill("#sha256", "?"), send("#end"))),
    Place("withdraw file", OPERATOR, "/admin/files/{option}/withdrawal"),
    Place("withdraw file, refused", OPERATOR, "/admin/files/{option}/withdrawal", (send(),)),
    Place("markets", OPERATOR, "/admin/markets", (unfold,)),
    Place("policies", OPERATOR, "/admin/policies"),
    Place("outbox", OPERATOR, "/admin/outbox"),
    Place("backups", OPERATOR, "/admin/backups"),
    Place("delete a backup", OPERATOR, "/admin/backups/cut-off.tar/deletion"),
    Place("test of the mail server", OPERATOR, "/admin/outbox/test"),
    Place("test of the mail server, first setup", OPERATOR, "/admin/outbox/test?first=1"),
    Place("partners", OPERATOR, "/admin/partners"),
    Place("partner", OPERATOR, "/admin/partners/{partner}"),
    Place("add partner", OPERATOR, "/admin/partners/new"),
    Place("add partner, refused", OPERATOR, "/admin/partners/new", (send(),)),
    Place("users of all partners", OPERATOR, "/admin/users"),
)

JOBS = (
    Place("long work", ADMIN, "/jobs"),
    Place("long work, done", ADMIN, "/jobs/{job_done}"),
    Place("long work, refused", ADMIN, "/jobs/{job_failed}"),
    Place("long work, going on", OPERATOR, "/jobs/{job_going}"),
    Place("long work, cancel", OPERATOR, "/jobs/{job_going}/cancel"),
    Place("import customers", ADMIN, "/customers/import"),
    Place("import customers, refused", ADMIN, "/customers/import", (send("form[action='/customers/import']"),)),
)

PLACES: tuple[Place, ...] = (*PUBLIC, *FRAME, *ACCOUNTS, *CUSTOMERS, *ORDERS, *SOFTWARE, *TICKETS, *OPERATION, *JOBS)
