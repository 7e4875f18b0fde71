"""Sending mail by SMTP: plain, with STARTTLS, or over TLS from the start."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 20
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailRefused(Exception):
    """The server will never take this mail: trying again is useless."""


class MailDelayed(Exception):
    """The mail was not taken now; another try may succeed."""


class ServerUnusable(MailDelayed):
    """Nothing can be sent now: the server is not reached, refuses us, or hung up."""


@dataclass(frozen=True)
class Mail:
    """One mail, in plain text, to one recipient. ``message_id`` is with its angle brackets."""

    message_id: str
    recipient: str
    subject: str
    body: str
    at: datetime


@dataclass(frozen=True)
class SmtpServer:
    """Where mails go: ``smtp://``, ``smtp+starttls://`` or ``smtps://``, with user and password or without."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    sender: str

    @classmethod
    def of(cls, url: str, *, sender: str) -> SmtpServer:
        """Read the setting."""
        parts = urlsplit(url)
        return cls(
            scheme=parts.scheme,
            host=parts.hostname or "localhost",
            port=parts.port or PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            sender=sender,
        )

    @contextmanager
    def connection(self) -> Iterator[SmtpConnection]:
        """A connection that several mails go through.

        Raises:
            ServerUnusable: it cannot be had.
        """
        try:
            client = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise ServerUnusable(_said(error)) from error
        try:
            yield SmtpConnection(client, self.sender)
        finally:
            with suppress(OSError, smtplib.SMTPException):
                client.quit()

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.scheme == "smtps":
            client: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            client = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        try:
            if self.scheme == "smtp+starttls":
                client.starttls(context=context)
            if self.user:
                client.login(self.user, self.password)
        except BaseException:
            client.close()
            raise
        return client


class SmtpConnection:
    """An open connection."""

    def __init__(self, client: smtplib.SMTP, sender: str) -> None:
        self._client = client
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """Hand one mail over; when this returns, the server has taken it.

        Raises:
            MailRefused: for good. MailDelayed: for now. ServerUnusable: the connection is of no use any more.
        """
        message = compose(mail, sender=self._sender)
        try:
            self._client.send_message(message, from_addr=self._sender, to_addrs=[mail.recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise _verdict(code, text) from error
        except smtplib.SMTPServerDisconnected as error:
            raise ServerUnusable(_said(error)) from error
        except smtplib.SMTPSenderRefused as error:  # our own setting is wrong, not the mail
            raise ServerUnusable(_said(error)) from error
        except smtplib.SMTPResponseException as error:
            raise _verdict(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise MailRefused(_said(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise ServerUnusable(_said(error)) from error


def compose(mail: Mail, *, sender: str) -> EmailMessage:
    """The mail as it goes over the wire. A line break in an address or subject cannot start another header.

    Raises:
        MailRefused: the address cannot be written.
    """
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = sender
        message["To"] = mail.recipient
        message["Subject"] = " ".join(mail.subject.split())
    except ValueError as error:
        raise MailRefused(_said(error)) from error
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, charset="utf-8", cte="base64" if _needs_encoding(mail.body) else "7bit")
    return message


def _needs_encoding(text: str) -> bool:
    return not text.isascii() or any(len(line) > 900 for line in text.splitlines())


def _verdict(code: int, text: bytes | str) -> MailRefused | MailDelayed:
    said = f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
    if code == 421:
        return ServerUnusable(said)
    return MailRefused(said) if 500 <= code < 600 else MailDelayed(said)


def _said(error: Exception) -> str:
    """What went wrong, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
