"""Installer files for tests: small, made of letters, in the store of the test's installation."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from csp_web.db import session, transaction
from csp_web.domain.delivery.download_options import OptionFacts, add_file, incoming
from csp_web.models import DownloadOption, Product

if TYPE_CHECKING:
    from tests.world import World

OWN, OLDER = "Windows Server 2025", "Windows Server 2019"
ENGLISH, RUSSIAN = "English (en-US)", "Russian (ru-RU)"
ISO, VHDX = "64 Bit, ISO", "64 Bit, VHDX"


def add_option(
    world: World,
    offer: str = "windows-US",
    *,
    version: str = OWN,
    language: str = ENGLISH,
    file_type: str = ISO,
    content: bytes = b"0123456789" * 100,
    name: str = "windows_server.iso",
) -> DownloadOption:
    """A file of the product of an offer, in a transaction of its own."""
    product = world.offer(offer).sku.product_id
    with incoming(io.BytesIO(content)) as stored, transaction():
        facts = OptionFacts(version, language, file_type, name)
        return add_file(session.get_one(Product, product), facts, stored=stored, by=None)
