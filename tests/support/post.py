"""A real mail server on this machine, which answers as a test tells it to. Fixtures: post, server."""

from __future__ import annotations

from asyncio import WriteTransport
from collections import deque
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from csp_web.services.mail import SmtpServer
from tests.support.live import free_port


class Post:
    """A mail server that answers as it is told: a status per mail, or "drop"; 250 once nothing is left to say."""

    def __init__(self) -> None:
        self.answers: deque[str] = deque()
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.popleft() if self.answers else "250 OK"
        if answer == "drop":
            assert isinstance(server.transport, WriteTransport)
            server.transport.abort()
            return "421 gone"
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(message_from_bytes(envelope.content, policy=modern))
            self.recipients += envelope.rcpt_tos
        return answer


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def server(post: Post) -> Iterator[SmtpServer]:
    """A real SMTP server on this machine."""
    controller = Controller(post, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield SmtpServer.of(f"smtp://127.0.0.1:{controller.port}", sender="csp@northwind.example")
    controller.stop()
