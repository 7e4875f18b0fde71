"""The whole life of product keys over HTTP, as people live it: stock, order, hand-out, show, replace, cancel, and what goes wrong.

The keys are canaries (``canaries.py``): none of them may be seen anywhere but in the answer that shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from csp_web.db import session, transaction
from csp_web.domain.upkeep.installation import install_rules
from csp_web.models import KeyPool, KeyState, ProductKey
from tests.support.canaries import COUNT, canary, last_five
from tests.support.files import OLDER, OWN, add_option
from tests.support.jobs import work
from tests.support.plain import PlainBrowser
from tests.support.tickets import install_types

if TYPE_CHECKING:
    from flask import Flask

    from tests.world import World

PRODUCT, CODE = "Windows Server 2025 Datacenter", "DG7GMGF06GW3"
OTHER, OTHER_CODE, OTHER_VERSION = "SQL Server 2025 Standard", "DG7GMGF08SY7", "SQL Server 2025"
HEADER = "ProductId,SkuId,Version,ProductKey"
OLDER_FROM, OTHER_FROM = (
    COUNT * 3 // 4,
    COUNT - 10,
)  # from which key on they are of the older version, of the other product


@dataclass
class KeyStory:
    """Olga of the operator, Alice of a partner, Sam of support, a stranger; each in a browser without scripts."""

    app: Flask
    world: World
    while_work_waits: Callable[[], None]  # called before the worker does what was left to it

    def begin(self) -> None:
        """The rules, two files to download, and everybody signed in."""
        with transaction():
            install_rules()
        install_types()
        for version in (OWN, OLDER):
            add_option(self.world, version=version)
        self.olga, self.alice, self.sam = (
            PlainBrowser(self.world.sign_in(self.app, name)) for name in ("olga", "alice", "sam")
        )
        self.home = f"/customers/{self.world.customer('coho').uuid}"

    def stock(self) -> None:
        """The keys: first with mistakes of every kind, then checked, imported, and imported once more."""
        rows = [row_of(number) for number in range(OTHER_FROM)]
        self.bring("Check only", [*rows[:2], *_wrong_rows()], status=422)
        self.bring("Import", [*rows[:20], *_wrong_rows()], status=422)
        for act, status in (("Check only", 200), ("Import", 200), ("Import", 422)):
            self.bring(act, rows[:50], status=status)
        self.bring("Import", rows, status=200)  # so many are left to the worker, who refuses: fifty are there
        self.bring("Import", rows[50:], status=200)
        assert _keys() == OTHER_FROM

    def bring(self, act: str, rows: list[str], *, status: int) -> None:
        """Send a sheet of keys; what is left to the worker is done."""
        content = "\n".join([HEADER, *rows, ""]).encode()
        self.olga.open("/admin/keys").fill("File", [("keys.csv", content)]).press(act)
        assert self.olga.answer is not None
        assert self.olga.answer.status_code == status, self.olga.text[:800]
        self.while_work_waits()
        work()
        self.olga.open(self.olga.address)

    def hand_over(self) -> None:
        """Order, get key and link, send the link by mail, ask for an older version, replace a wrong key."""
        self.order(PRODUCT, 3)
        self.order(OTHER, 1)  # waits, for its keys come only now
        self.bring("Import", [row_of(number) for number in range(OTHER_FROM, COUNT)], status=200)
        alice = self._opened()
        alice.fill("Version", OLDER).fill("Language", "English (en-US)").fill("File type/OS", "64 Bit, ISO").press(
            "Submit"
        )
        alice.press("Get keys and downloads")
        alice.follow("Send link").fill("E-mail", "anna@coho.example").press("Send link")
        self._opened().follow("Wrong key?").press("Replace the key")  # without a reason it is refused
        alice.fill("What is wrong with it", "It is refused").press("Replace the key")

    def order(self, product: str, count: int) -> None:
        """Buy so many of a product."""
        self.alice.open(f"{self.home}/products?q={product}").fill("Quantity", str(count)).press("Add to cart")
        another_tab = PlainBrowser(self.alice.client).open(f"{self.home}/cart")
        self.alice.open(f"{self.home}/cart").press("Place order")
        another_tab.press("Place order")  # 409: the cart is not what it was

    def _opened(self) -> PlainBrowser:
        """The page of the line that was bought."""
        return self.alice.open(f"{self.home}/software").follow(PRODUCT)

    def show(self) -> str:
        """**Show key**; returns what the page says."""
        return self._opened().press("Show key").text

    def quarantine(self) -> None:
        """Keys go to quarantine by their last characters, or by all of them, and one comes back; a pool runs low."""
        pool = session.query(KeyPool).filter_by(version=OLDER).one().id
        free = {key.last_five for key in session.query(ProductKey).filter_by(pool_id=pool, state=KeyState.FREE)}
        first, second = [number for number in range(COUNT) if last_five(number) in free][:2]
        olga = self.olga.open(f"/admin/keys/{pool}").fill("Low at", str(len(free) - 1)).press("Save")
        olga.fill("Last five characters", f"{last_five(first)}, {canary(second)}")
        olga.press("Put into quarantine")  # without a reason it is refused
        olga.fill("Last five characters", f"{last_five(first)}, {canary(second)}").fill("Reason", "Misprint?")
        olga.press("Put into quarantine").follow("Release").fill("Reason", "They are good").press("Release")

    def cancel(self) -> None:
        """A ticket with a file, the decision of support, the mails about it."""
        self.alice.open(f"{self.home}/software").follow("Cancel")
        self.alice.fill("Refund reason", "Ordered by mistake").fill("Add files", [("mail.txt", b"Please cancel")])
        self.alice.press("Submit")
        self.sam.open(self.alice.address).press("Approve cancellation")
        self._opened()

    def look_up(self) -> None:
        """Lists, search by what a key ends in, by a whole key, the log, exports, and what each error page says."""
        for browser, address in ((self.alice, "/software"), (self.alice, "/audit"), (self.olga, "/audit")):
            browser.open(address)
        for form in ("CSV", "XLSX"):
            self.alice.open("/software").press(f"Export as {form}")
        for typed in (last_five(0), canary(0)):
            self.olga.open(f"/admin/keys?q={typed}")
            self.alice.open(f"/search?q={typed}")
        for address in ("/nowhere", f"{self.home}/software/{canary(0)}", "/audit?since=never"):
            self.alice.open(address)

    def back_up(self) -> None:
        """A backup made and fetched in the browser."""
        self.olga.open("/admin/backups").press("Back up now")
        work()
        self.olga.open("/admin/backups").follow("Download")


def row_of(number: int) -> str:
    """A canary key as a row of a sheet."""
    if number >= OTHER_FROM:
        return f"{OTHER_CODE},0001,{OTHER_VERSION},{canary(number)}"
    return f"{CODE},0001,{OWN if number < OLDER_FROM else OLDER},{canary(number)}"


def _wrong_rows() -> list[str]:
    """Keys that slipped into other columns, keys with a letter too many or twice, of a product that is not sold."""
    key = canary(7)
    return [
        f"{key},0001,{OWN},{canary(8)}",
        f"{CODE},{key},{OWN},{canary(9)}",
        f"{CODE},0001,{key},{canary(10)}",
        f"{CODE},0001,{OWN},{canary(11)}X",
        f"{CODE},0001,{OWN},{canary(12)[:-6]}",
        f"{CODE},0001,{OWN},{canary(13)}",
        f"{CODE},0001,{OWN},{canary(13)}",
        f"DG7GMGF00000,0001,{OWN},{canary(14)}",
        f'{CODE},0001,{OWN},"{canary(15)}',
    ]


def _keys() -> int:
    session.rollback()
    return session.query(ProductKey).count()
