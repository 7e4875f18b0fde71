"""Facts about a download link that ask nothing: whether it starts downloads, and its address (R26, D2)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Final

from csp_web.domain.stock import vault
from csp_web.domain.upkeep.configured import settings
from csp_web.i18n import N_
from csp_web.identifiers import token_hash
from csp_web.models import DownloadLink

LINK: Final = "link"


# What is written into the log of a link, in words.
EVENTS = {
    "made": N_("Created"),
    "counted": N_("Download counted"),
    "given back": N_("Download given back"),
    "revoked": N_("Revoked"),
    "sent": N_("Sent by mail"),
}


class LinkState(enum.StrEnum):
    """Whether a link starts downloads; the first of these that is true is what people are told."""

    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"  # a virus scanner found something in its file
    EXPIRED = "expired"
    USED_UP = "used up"
    LIVE = "live"


def link_state(link: DownloadLink, at: datetime) -> LinkState:
    """Whether a download may start at an instant. The two weeks are half open: at +14 d it is refused (R26)."""
    if link.revoked_at is not None:
        return LinkState.REVOKED
    if link.option.withdrawn_at is not None:
        return LinkState.WITHDRAWN
    if link.option.is_blocked:
        return LinkState.BLOCKED
    if at >= link.expires_at:
        return LinkState.EXPIRED
    return LinkState.USED_UP if link.used >= link.max_downloads else LinkState.LIVE


def token_of(link: DownloadLink) -> str:
    """The token of a link's address, to show **Copy link** again; empty when the installation's secret has changed since."""
    token = vault.token(LINK, link.nonce)
    return token if token_hash(token) == link.token_hash else ""


def address_of(link: DownloadLink) -> str:
    """The public address of a link, whatever host a request named; empty when it cannot be worked out any more."""
    token = token_of(link)
    return f"{settings().public_url}/d/{token}" if token else ""
