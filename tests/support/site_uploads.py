"""Installer files on their way in, for the checks of pages: one that was cut off, one that only has to be saved."""

from __future__ import annotations

from csp_web.db import session, transaction
from csp_web.domain.access.actors import actor_of
from csp_web.domain.delivery.download_options import OptionFacts
from csp_web.domain.delivery.uploads import LocalFile, Wanted, begin_upload
from csp_web.models import DownloadOption, Product, Upload, User

SIZE = 53_000_000  # bytes: little, for the room on the disk is looked at


def add_uploads() -> dict[str, str]:
    """Add what is missing; the names of their addresses."""
    return {"upload": str(_upload("cut off", SIZE // 3)), "upload_whole": str(_upload("whole", SIZE))}


def _upload(language: str, received: int) -> int:
    found = session.query(Upload.id).filter_by(language=language).first()
    session.rollback()
    if found is not None:
        return int(found.id)
    with transaction():
        olga = session.query(User).filter_by(email="olga@northwind.example").one()
        product = session.get_one(Product, session.query(DownloadOption.product_id).limit(1).scalar())
        facts = OptionFacts("Windows Server 2025", language, "64 Bit, ISO", "windows_server_2025.iso")
        file = LocalFile(facts.file_name, 10_000, 1_700_000_000_000, "0" * 64)
        upload = begin_upload(product, facts, file, Wanted(), by=actor_of(olga))
        upload.size, upload.received = SIZE, received
        return upload.id
