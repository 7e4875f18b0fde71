"""Links in every state: fresh, nearly used up, used up, expired, renewed, revoked; and keys that were shown (R24-R29)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from csp_web.db import now, session
from csp_web.demo.story import Story
from csp_web.domain.delivery.links import get_keys_and_downloads, revoke_link
from csp_web.domain.delivery.transfers import Visitor, open_transfer
from csp_web.domain.stock.keys import show_key
from csp_web.models import DownloadOption, KeyAssignment, Subscription

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

ADVENTURE = "Adventure Works, 3 days, windows datacenter"
ADVENTURE_SQL = "Adventure Works, 3 days, sql standard"
OLDER = "Adventure Works, 59 days, windows datacenter"
COHO = "Coho Vineyard, 61 days, windows standard"
ALPINE = "Alpine Ski House, 57.5 days, sql standard"
CITY = "City Power & Light, 45 days, sql 2022 enterprise"
HUMONGOUS = "Humongous Insurance, Inc., 24 days, sql suite"
DATUM = "Датум Логистика, 28 days, windows standard"
FOURTH = "Fourth Coffee, 21 days, windows standard"
WIDE_WORLD = "Wide World Importers, 18 days, windows datacenter"


def plan_handovers(story: Story) -> None:
    """Plan links, downloads and shown keys."""
    show(story, 60, COHO)
    hand_over(story, 60, COHO, "expired", recipient="it@customer05.example")
    press(story, 59, "expired", times=3)
    hand_over(story, 55, ALPINE, "used up")
    press(story, 54, "used up", times=50)
    show(story, 44, CITY)
    hand_over(story, 44, CITY, "long ago", recipient="Jonas Weber")
    hand_over(story, 27, DATUM, "in Russian", language="ru-RU", recipient="it@customer06.example")
    press(story, 26, "in Russian", times=2)
    hand_over(story, 23, HUMONGOUS, "sent wrongly")
    revoke(story, 22, "sent wrongly", "Sent to a wrong address.")
    hand_over(story, 20, FOURTH, "of a line that is cancelled later")
    hand_over(story, 17, WIDE_WORLD, "of Fabrikam", by="charlie")
    show(story, 9, OLDER)
    hand_over(story, 9, OLDER, "nearly used up", recipient="rollout@customer02.example")
    for days in (8, 6, 4, 2):
        press(story, days, "nearly used up", times=12)
    hand_over(story, 2.9, ADVENTURE, "fresh", recipient="it@customer02.example")
    press(story, 2.5, "fresh", times=2)
    hand_over(story, 2.8, ADVENTURE, "second recipient", recipient="Branch office")
    hand_over(story, 2.7, ADVENTURE_SQL, "older version", version="SQL Server 2019")
    hand_over(story, 2.5, ALPINE, "renewed")


def hand_over(
    story: Story,
    days: float,
    line: str,
    name: str,
    *,
    by: str = "alice",
    recipient: str = "",
    language: str = "en-US",
    version: str = "",
) -> None:
    """**Get keys and downloads** for a line; the link is known by a name afterwards."""

    def act() -> None:
        subscription = story.lines[line]
        option = _option(subscription, language, version)
        given = get_keys_and_downloads(subscription, option, by=story.person(by), recipient=recipient)
        story.links[name] = given.link

    story.ago(days, act)


def _option(subscription: Subscription, language: str, version: str) -> DownloadOption:
    """The disk image of the line's own version, or of another, in a language."""
    product = subscription.product
    options = select(DownloadOption).filter_by(product_id=product.id).order_by(DownloadOption.id)
    for option in session.scalars(options):
        right = option.version == (version or product.own_version or option.version)
        if right and f"({language})" in option.language and "ISO" in option.file_type:
            return option
    raise LookupError(f"{product.title} has no file in {language}")


def press(story: Story, days: float, name: str, *, times: int) -> None:
    """So many people press **Download** and get the whole file."""

    def act() -> None:
        link = story.links[name]
        for _person in range(times):
            address = f"198.51.100.{story.luck.randrange(1, 255)}"
            transfer = open_transfer(link, Visitor(cookie=story.form(), address=address, agent=BROWSER))
            transfer.bytes_sent, transfer.settled_at = link.option.size, now()
        session.flush()

    story.ago(days, act)


def revoke(story: Story, days: float, name: str, reason: str) -> None:
    """Revoke a link."""
    story.ago(days, lambda: revoke_link(story.links[name], by=story.person("alice"), reason=reason))


def show(story: Story, days: float, line: str) -> None:
    """**Show key**, an audited act."""

    def act() -> None:
        chosen = select(KeyAssignment).filter_by(subscription_id=story.lines[line].id).order_by(KeyAssignment.id)
        alice = replace(story.person("alice"), confirmed_at=now())
        show_key(session.scalars(chosen.limit(1)).one(), by=alice)

    story.ago(days, act)
