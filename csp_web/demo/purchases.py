"""Orders of many ages: one of 59 days, which may still be cancelled, and one of 61, which may not (R32, R34)."""

from __future__ import annotations

from dataclasses import dataclass

from csp_web.db import now
from csp_web.demo.catalogue import offer
from csp_web.demo.clientele import customer
from csp_web.demo.story import Story
from csp_web.domain.sales import carts
from csp_web.domain.sales.ordering import place_order
from csp_web.identifiers import new_uuid
from csp_web.models import Customer


@dataclass(frozen=True, slots=True)
class Purchase:
    """Who ordered what for whom, so many days ago. ``lines`` are goods and quantities."""

    days: float
    by: str
    customer: str
    lines: tuple[tuple[str, int], ...]
    reference: str = ""


PURCHASES = (
    Purchase(410, "bob", "Adventure Works", (("windows 2019 standard", 8), ("sql 2019 standard", 2)), "AW-1001"),
    Purchase(380, "alice", "City Power & Light", (("windows 2019 standard", 16),), "4500017"),
    Purchase(300, "bob", "Margie’s Travel", (("windows standard, 3 years", 2),)),
    Purchase(240, "charlie", "Lucerne Publishing", (("windows standard", 4), ("access", 25))),
    Purchase(180, "bob", "Blue Yonder Airlines", (("windows datacenter", 6), ("sql standard", 8)), "BYA/26-118"),
    Purchase(120, "alice", "Proseware 日本", (("windows standard", 3),)),
    Purchase(92, "bob", "Humongous Insurance, Inc.", (("windows 2022 datacenter", 12),), "PO 77120"),
    Purchase(75, "bob", "Wingtip “Quoted” Toys", (("windows standard", 1), ("remote access", 10))),
    Purchase(61, "alice", "Coho Vineyard", (("windows standard", 2),), "CV-61"),
    Purchase(59, "alice", "Adventure Works", (("windows datacenter", 4), ("access", 40)), "AW-1002"),
    Purchase(57.5, "bob", "Alpine Ski House", (("sql standard", 2),)),
    Purchase(48, "charlie", "School of Fine Art", (("windows standard", 2),)),
    Purchase(45, "bob", "City Power & Light", (("sql 2022 enterprise", 4),), "4500291"),
    Purchase(40, "alice", "Tailspin Toys", (("windows standard", 2),)),
    Purchase(33, "bob", "Relecloud", (("windows datacenter", 2), ("sql standard", 4))),
    Purchase(28, "bob", "Датум Логистика", (("windows standard", 5), ("access", 60)), "Счёт 118"),
    Purchase(24, "alice", "Humongous Insurance, Inc.", (("sql suite", 3),), "PO 77305"),
    Purchase(21, "bob", "Fourth Coffee", (("windows standard", 1),)),
    Purchase(18, "charlie", "Wide World Importers", (("windows datacenter", 2),), "WWI-9"),
    Purchase(16, "alice", "Blue Yonder Airlines", (("reservation", 10),), "BYA/26-301"),
    Purchase(14, "bob", "Graphic Design Institute", (("windows standard", 2), ("remote access", 12))),
    Purchase(12, "alice", "Humongous Insurance, Inc.", (("windows standard", 6),), "PO 77318"),
    Purchase(9, "bob", "Қазына Сауда", (("windows standard", 4),)),
    Purchase(8, "charlie", "Southridge Video", (("windows standard", 2),)),
    Purchase(7, "alice", "Proseware 日本", (("reservation, Japan", 4),)),
    Purchase(5, "bob", "City Power & Light", (("sql enterprise", 2),), "4500322"),
    Purchase(3, "alice", "Adventure Works", (("windows datacenter", 2), ("sql standard", 2)), "AW-1003"),
    Purchase(1.2, "bob", "Alpine Ski House", (("windows standard", 3), ("access", 20))),
    Purchase(0.15, "charlie", "Treyresearch", (("windows standard", 1),)),
)
LEFT_IN_CART = (("windows datacenter", 2), ("sql standard", 2))


def plan_purchases(story: Story) -> None:
    """Plan all orders, and a cart that nobody has ordered yet."""
    for purchase in PURCHASES:
        story.ago(purchase.days, lambda purchase=purchase: buy(story, purchase))  # type: ignore[misc]
    story.ago(0.1, lambda: _fill_cart(story, "bob", customer("Fourth Coffee"), LEFT_IN_CART))


def buy(story: Story, purchase: Purchase) -> None:
    """Fill the cart and order it. Lines are known afterwards as "customer, age, goods"."""
    buyer = customer(purchase.customer)
    _fill_cart(story, purchase.by, buyer, purchase.lines)
    cart = carts.find_cart(buyer)
    if cart is None:
        raise LookupError(f"{purchase.customer} has no cart")
    order = place_order(
        cart,
        by=story.person(purchase.by),
        token=story.form(),
        version=cart.version,
        reference=purchase.reference,
        at=now(),
    )
    for (goods, _quantity), line in zip(purchase.lines, order.lines, strict=True):
        story.lines[f"{purchase.customer}, {purchase.days:g} days, {goods}"] = line


def _fill_cart(story: Story, by: str, buyer: Customer, lines: tuple[tuple[str, int], ...]) -> None:
    for goods, quantity in lines:
        reserved = goods.startswith("reservation")
        carts.add_line(
            buyer,
            offer(goods, buyer.country, now()),
            quantity,
            by=story.person(by),
            token=story.form(),
            azure_subscription=str(new_uuid()) if reserved else "",
            scope="shared" if reserved else "",
        )
