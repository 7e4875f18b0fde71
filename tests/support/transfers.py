"""Downloads from the real server: an installation with one link, files of any size that lie nowhere, plain requests."""

from __future__ import annotations

import os
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from csp_web.db import session, transaction
from csp_web.domain.delivery import links
from csp_web.domain.delivery.links import get_keys_and_downloads
from csp_web.domain.upkeep.configured import file_store
from csp_web.models import DownloadLink, Transfer
from tests.support.files import add_option
from tests.support.stock import bought

if TYPE_CHECKING:
    from csp_web.config import Settings
    from tests.support.live import LiveServer
    from tests.world import World

PATIENCE = 30.0  # seconds


@dataclass(frozen=True)
class Answer:
    """What came back, headers by their small names."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(port: int, method: str, path: str, *, body: bytes | None = None, **headers: str) -> Answer:
    """One request over a connection of its own; ``If_Range`` stands for If-Range."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@dataclass(frozen=True)
class Offered:
    """A link of Alice's to a file, and the file's facts."""

    link: int
    address: str
    line: str
    sha256: str

    def press(self, port: int, agent: str = "a browser") -> str:
        """Press **Download** as a stranger with this browser; the address of the transfer."""
        answer = ask(port, "POST", self.address, User_Agent=agent)
        assert answer.status == 303, answer.body
        return answer.headers["location"]

    def used(self) -> int:
        """Downloads counted so far."""
        session.rollback()
        return session.get_one(DownloadLink, self.link).used

    def transfers(self) -> list[Transfer]:
        """The link's transfers, read anew."""
        session.rollback()
        return session.query(Transfer).filter_by(link_id=self.link).order_by(Transfer.id).all()


def offer(world: World, content: bytes = b"x") -> Offered:
    """Take in a file, and make a link to it."""
    option, line = add_option(world, content=content), bought(world)
    with transaction():
        link = get_keys_and_downloads(line, option, by=world.actor("alice")).link
        return Offered(link.id, f"/d/{links.token_of(link)}", str(line.uuid), link.option.sha256)


def make_large(offered: Offered, size: int, marks: dict[int, bytes]) -> None:
    """Make the file ``size`` bytes of nothing, with words at some places. It takes no room on the disk."""
    with transaction():
        option = session.get_one(DownloadLink, offered.link).option
        option.size = size
        path = file_store().path(option.storage_key)
    assert path is not None
    with path.open("r+b") as file:
        os.truncate(file.fileno(), size)
        for place, word in marks.items():
            file.seek(place)
            file.write(word)


def same_installation(server: LiveServer, settings: Settings) -> None:
    """Let the server use the files and secrets of the test's installation."""
    server.settings |= {
        "CSP_WEB_DATA_DIR": str(settings.data_dir),
        "CSP_WEB_FILES_URL": settings.files_url,
        "CSP_WEB_SECRET_KEY": settings.secret_key,
        "CSP_WEB_KEYS_KEY": settings.keys_key,
    }
