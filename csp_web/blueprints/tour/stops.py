"""The stops of the tour: the real story on the real pages, as far as a person's roles go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import url_for

from csp_web.domain.access.actors import Actor
from csp_web.domain.tour_world import Sample
from csp_web.i18n import N_

Address = Callable[[Sample], str]


@dataclass(frozen=True, slots=True)
class Stop:
    """A page of the tour. ``sees`` opens the page, ``acts`` is what the act on it needs; texts are to be translated."""

    key: str
    title: str
    text: str
    sees: str
    address: Address
    acts: str = ""
    shows: str = ""  # what of the sample its page shows; without it another page stands in


def _of_customer(endpoint: str) -> Address:
    return lambda sample: url_for(endpoint, customer=sample.customer) if sample.customer else url_for("customers.index")


def _line(sample: Sample) -> str:
    """At the top of the page, where the tour says what to look at."""
    if not sample.customer:
        return url_for("software.everything")
    return url_for("software.index", customer=sample.customer, open=sample.line, fitting=1)


def _plain(endpoint: str) -> Address:
    return lambda _sample: url_for(endpoint)


def _cancel(sample: Sample) -> str:
    return url_for("tickets.new", subscription=sample.line) if sample.line else url_for("tickets.index")


def _ticket(sample: Sample) -> str:
    return url_for("tickets.detail", ticket=sample.ticket) if sample.ticket else url_for("tickets.index")


_PARTNER = (
    Stop(
        "customer",
        N_("Find the customer"),
        N_(
            "Type a part of the name, the domain or the whole GUID. The field at the top finds orders and requests too."
        ),
        "customers.see",
        _plain("customers.index"),
        "customers.add",
    ),
    Stop(
        "products",
        N_("Add products"),
        N_("These are the offers in the customer’s market and currency. What cannot be sold says why."),
        "orders.place",
        _of_customer("orders.products"),
        shows="customer",
    ),
    Stop(
        "cart",
        N_("Review order"),
        N_("Here you see what it costs and until when each line could be cancelled. Place order charges your account."),
        "orders.place",
        _of_customer("orders.cart"),
        shows="customer",
    ),
    Stop(
        "software",
        N_("Software"),
        N_("Every line says how its keys stand and how long it can still be cancelled."),
        "software.see",
        _of_customer("software.index"),
        shows="customer",
    ),
    Stop(
        "keys",
        N_("Get keys and downloads"),
        N_(
            "Choose version, language and file type, then press the button beside the file: that takes the key and makes a link."
        ),
        "software.see",
        _line,
        "keys.handle",
        shows="line",
    ),
    Stop(
        "link",
        N_("The download link"),
        N_("Copy it and send it to the customer. It ends after some days or downloads; a new one replaces it."),
        "keys.handle",
        _line,
        shows="line",
    ),
    Stop(
        "cancel",
        N_("Cancel"),
        N_(
            "Cancelling is a support request with everything filled in. Write the reason; the moment of sending counts."
        ),
        "subscriptions.cancel",
        _cancel,
        shows="line",
    ),
    Stop(
        "request",
        N_("The support request"),
        N_("Questions, answers and decisions are kept here; the other side gets a mail."),
        "tickets.see",
        _ticket,
        "tickets.open",
        shows="ticket",
    ),
)
_SUPPORT = (
    Stop(
        "queue",
        N_("What waits"),
        N_("Requests of all partners, the first answer that is due next on top."),
        "support.work",
        _plain("home.dashboard"),
    ),
    Stop(
        "requests",
        N_("All requests"),
        N_("Narrow them by status, type and whom they are assigned to."),
        "support.work",
        _plain("tickets.index"),
    ),
    Stop(
        "answer",
        N_("Answer and decide"),
        N_(
            "Take the request, write to the partner or a note to colleagues. A cancellation is approved or declined here."
        ),
        "support.work",
        _ticket,
        shows="ticket",
    ),
)
_OPERATOR = (
    Stop(
        "prices",
        N_("Prices"),
        N_("A price sheet makes products and offers. Check only says what an import would do."),
        "operator.manage",
        _plain("admin.catalogue"),
    ),
    Stop(
        "stock",
        N_("Stock of keys"),
        N_("Keys come in encrypted and are handed out once. Lines that wait get theirs first."),
        "operator.manage",
        _plain("admin.keys"),
    ),
    Stop(
        "files",
        N_("Installer files"),
        N_("One file per version, language and file type. Download links lead to them."),
        "operator.manage",
        _plain("admin.files"),
    ),
    Stop(
        "policies",
        N_("Cancellation policies"),
        N_("New orders get the terms in force; what was ordered before keeps its own."),
        "operator.manage",
        _plain("admin.policies"),
    ),
    Stop(
        "partners",
        N_("Partners"),
        N_("The organisations that sell. Each has its own customers and people; none sees another’s."),
        "operator.manage",
        _plain("admin.partners"),
    ),
    Stop(
        "log",
        N_("Activity log"),
        N_("Who did what, when, from where. Nothing in it can be changed."),
        "audit.see",
        _plain("audit.index"),
    ),
)


def stops_for(actor: Actor) -> tuple[Stop, ...]:
    """The stops whose pages the person may open, in the order of the story."""
    asking = [stop for stop in _PARTNER if stop.key != "request"] if actor.may("support.work") else _PARTNER
    wanted = [*asking, *(_SUPPORT if actor.may("support.work") else ())]
    if actor.may("operator.manage") or not any(actor.may(stop.sees) for stop in wanted):
        wanted += _OPERATOR
    return tuple(stop for stop in wanted if actor.may(stop.sees))
