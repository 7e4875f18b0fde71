"""Mails are never lost and never silent, whatever the mail server does (R-11); each try meets a real SMTP server."""

from __future__ import annotations

import smtplib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller

from csp_web import db
from csp_web.config import Settings, complete
from csp_web.db import session, transaction
from csp_web.domain import outbox
from csp_web.domain.long_work import periodic, worker
from csp_web.errors import Conflict, Forbidden
from csp_web.models import AuditEntry, OutboxMessage, OutboxState
from csp_web.services.mail import Mail, MailDelayed, MailRefused, ServerUnusable, SmtpServer, compose
from tests.support.live import free_port
from tests.support.post import Post
from tests.world import World

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def write(recipient: str = "ivan@contoso.example", subject: str = "Привет", body: str = "Ключи ждут.") -> int:
    with transaction():
        message = outbox.queue_mail(recipient=recipient, subject=subject, body=body)
        message.next_try_at = AT
        return message.id


def row(number: int) -> OutboxMessage:
    session.rollback()
    return session.get_one(OutboxMessage, number, populate_existing=True)


def test_a_mail_arrives_as_it_was_written(world: World, post: Post, server: SmtpServer) -> None:
    number = write(body="Ключи ждут.\n" + "длинная строка " * 200)
    assert outbox.work_once(AT, server=server) == 1
    [mail] = post.mails
    assert (mail["Subject"], mail["To"], mail["From"]) == ("Привет", "ivan@contoso.example", "csp@northwind.example")
    assert mail["Message-ID"] == row(number).message_id
    assert mail.get_content().replace("\r\n", "\n").strip() == ("Ключи ждут.\n" + "длинная строка " * 200).strip()
    assert (row(number).state, row(number).tries, row(number).error) == (OutboxState.SENT, 1, "")
    assert outbox.work_once(AT + 60 * MINUTE, server=server) == 0


def test_a_mail_of_an_act_that_failed_is_never_sent(world: World, post: Post, server: SmtpServer) -> None:
    def fail() -> None:
        outbox.queue_mail(recipient="ivan@contoso.example", subject="s", body="b")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), transaction():
        fail()
    assert outbox.work_once(AT + 600 * MINUTE, server=server) == 0
    assert post.mails == []


def test_4xx_is_tried_again_later_and_later(world: World, post: Post, server: SmtpServer) -> None:
    number, at = write(), AT
    for tries, wait in enumerate((1, 5, 15), 1):
        post.answers.append("451 try later")
        assert outbox.work_once(at, server=server) == 0
        assert (row(number).state, row(number).tries) == (OutboxState.WAITING, tries)
        assert row(number).next_try_at == at + wait * MINUTE
        assert "try later" in row(number).error
        assert outbox.work_once(at + wait * MINUTE - timedelta(seconds=1), server=server) == 0
        at += wait * MINUTE
    assert outbox.work_once(at, server=server) == 1
    assert len(post.mails) == 1


def test_after_eight_tries_it_is_given_up_and_seen(world: World, post: Post, server: SmtpServer) -> None:
    number = write()
    post.answers.extend(["451 no"] * outbox.TRIES)
    for hours in range(outbox.TRIES):
        outbox.work_once(AT + timedelta(hours=5 * hours), server=server)
    assert (row(number).state, row(number).tries) == (OutboxState.FAILED, 8)
    entry = session.query(AuditEntry).filter_by(operation="mail_failed").one()
    assert entry.details["recipient"] == "ivan@contoso.example"
    assert outbox.work_once(AT + timedelta(days=30), server=server) == 0


def test_5xx_is_given_up_at_once_and_the_others_go_out(world: World, post: Post, server: SmtpServer) -> None:
    first, second = write(), write("olga@northwind.example")
    post.answers.append("550 no such mailbox")
    assert outbox.work_once(AT, server=server) == 1
    assert (row(first).state, row(first).tries) == (OutboxState.FAILED, 1)
    assert row(second).state is OutboxState.SENT


@pytest.mark.parametrize("answer", ["drop", "421 closing"])
def test_a_dropped_connection_loses_nothing(world: World, post: Post, server: SmtpServer, answer: str) -> None:
    first, second, third = write(), write(), write()
    post.answers.extend(["250 OK", answer])
    assert outbox.work_once(AT, server=server) == 1
    assert [row(n).state for n in (first, second, third)] == [OutboxState.SENT] + [OutboxState.WAITING] * 2
    assert (row(second).tries, row(third).tries) == (1, 0)
    assert outbox.work_once(AT, server=server) == 1, "the one that was not tried is tried at once"
    assert outbox.work_once(AT + MINUTE, server=server) == 1
    assert len({mail["Message-ID"] for mail in post.mails}) == 3


def test_no_server_at_all_counts_as_a_try(world: World) -> None:
    number = write()
    nowhere = SmtpServer.of(f"smtp://127.0.0.1:{free_port()}", sender="csp@northwind.example")
    assert outbox.work_once(AT, server=nowhere) == 0
    assert (row(number).state, row(number).tries) == (OutboxState.WAITING, 1)
    assert row(number).error


def test_a_worker_that_died_is_followed_by_another_after_the_lease(
    world: World, post: Post, server: SmtpServer
) -> None:
    """R-11: the second sending carries the same Message-ID."""
    number = write()
    [leased] = outbox._lease(AT)
    assert outbox.work_once(AT + outbox.LEASE - timedelta(seconds=1), server=server) == 0
    with server.connection() as connection:
        connection.send(leased)
    assert outbox.work_once(AT + outbox.LEASE, server=server) == 1
    assert [mail["Message-ID"] for mail in post.mails] == [row(number).message_id] * 2


def test_two_workers_share_the_work(world: World, post: Post, server: SmtpServer) -> None:
    numbers = [write(f"user{number}@contoso.example") for number in range(45)]

    def work(_worker: int) -> None:
        try:
            for _batch in range(5):
                outbox.work_once(AT, server=server)
        finally:
            session.remove()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3), timeout=60))
    assert sorted(post.recipients) == sorted(f"user{number}@contoso.example" for number in range(45))
    assert {row(number).state for number in numbers} == {OutboxState.SENT}


# ---------------------------------------------------------------- headers and addresses


@pytest.mark.one_database
def test_a_subject_or_address_cannot_start_another_header() -> None:
    mail = Mail("<1@csp-web>", "a@b.example", "Hello\r\nBcc: all@b.example\n\nbody", "text", AT)
    assert "bcc" not in {name.lower() for name in compose(mail, sender="csp@b.example").keys()}  # noqa: SIM118
    evil = Mail("<1@csp-web>", "a@b.example\r\nBcc: all@b.example", "s", "text", AT)
    with pytest.raises(MailRefused):
        compose(evil, sender="csp@b.example")


def test_a_mail_that_cannot_be_written_is_shown_and_stops_nobody(world: World, post: Post, server: SmtpServer) -> None:
    with transaction():
        bad = OutboxMessage(
            message_id="<1@x>", recipient="a\r\nBcc: b@c.example", subject="s", body="b", next_try_at=AT
        )
        session.add(bad)
        session.flush()
        number = bad.id
    write()
    assert outbox.work_once(AT, server=server) == 1
    assert row(number).state is OutboxState.FAILED


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 25, "", "")),
        ("smtp+starttls://me%40x:p%2Fw@mail.example", ("mail.example", 587, "me@x", "p/w")),
        ("smtps://mail.example:4650", ("mail.example", 4650, "", "")),
    ],
)
def test_the_setting_is_read(url: str, expected: tuple[str, int, str, str]) -> None:
    server = SmtpServer.of(url, sender="csp@x.example")
    assert (server.host, server.port, server.user, server.password) == expected


@pytest.mark.one_database
def test_starttls_is_insisted_on(post: Post) -> None:
    """A server without it gets neither mail nor password."""
    controller = Controller(post, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        server = SmtpServer.of(f"smtp+starttls://u:p@127.0.0.1:{controller.port}", sender="csp@x.example")
        with pytest.raises(ServerUnusable), server.connection():
            pytest.fail("it connected")
    finally:
        controller.stop()


@pytest.mark.one_database
def test_a_password_is_in_no_error() -> None:
    server = SmtpServer.of(f"smtp://me:hunter2hunter2@127.0.0.1:{free_port()}", sender="csp@x.example")
    with pytest.raises(MailDelayed) as refused, server.connection():
        pytest.fail("it connected")
    assert "hunter2" not in str(refused.value)
    assert isinstance(refused.value.__cause__, OSError | smtplib.SMTPException)


# ---------------------------------------------------------------- again


def test_an_operator_admin_sends_a_failed_mail_again(world: World, post: Post, server: SmtpServer) -> None:
    number = write()
    post.answers.append("550 no")
    outbox.work_once(AT, server=server)
    with pytest.raises(Forbidden), transaction():
        outbox.retry(row(number), by=world.actor("alice"))
    with transaction():
        outbox.retry(session.get_one(OutboxMessage, number), by=world.actor("olga"))
    with pytest.raises(Conflict), transaction():
        outbox.retry(session.get_one(OutboxMessage, number), by=world.actor("olga"))
    later = row(number).next_try_at
    assert outbox.work_once(later, server=server) == 1
    assert row(number).state is OutboxState.SENT


# ---------------------------------------------------------------- periodic jobs


@pytest.mark.one_database
def test_jobs_come_round_and_one_that_fails_stops_nobody() -> None:
    done: list[str] = []

    def fail(_at: datetime) -> None:
        done.append("fails")
        raise RuntimeError("a mistake")

    jobs = [
        periodic.Round("fails", MINUTE, fail),
        periodic.Round("slow", 10 * MINUTE, lambda _at: done.append("slow")),
    ]
    assert periodic.do_due(jobs, AT) == MINUTE
    assert periodic.do_due(jobs, AT + MINUTE / 2) == MINUTE / 2
    periodic.do_due(jobs, AT + MINUTE)
    assert done == ["fails", "slow", "fails"]
    periodic.do_due(jobs, AT - timedelta(days=1))
    assert done[3:] == ["fails", "slow"], "a clock that was set back delays nothing"


def test_the_worker_does_all_jobs_and_ends_when_told(
    settings: Settings, world: World, post: Post, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_mail = Settings(**{**vars(settings), "smtp_url": f"smtp://127.0.0.1:{server.port}"})
    number, stop = write(), threading.Event()
    asked: list[str] = []
    monkeypatch.setattr(periodic, "_registered", {})
    monkeypatch.setattr(
        periodic, "work", lambda _event, jobs=None: asked.extend(each.name for each in jobs or periodic.rounds())
    )
    worker.run_worker(stop, complete(with_mail))
    own_statistics = ["statistics"] if db.on_sqlite() else []  # PostgreSQL keeps its own
    # The scanner of viruses has a thread of its own, which may come first.
    assert sorted(asked) == sorted(
        ["virus scans", "mails", "downloads", "old sign-ins", "files", "uploads", "jobs", "backups", *own_statistics]
    )
    monkeypatch.undo()
    jobs = [*periodic.rounds(), periodic.Round("end", MINUTE, lambda _at: stop.set())]
    periodic.work(stop, jobs)
    assert stop.is_set()
    worker.send_mails(AT, SmtpServer.of(with_mail.smtp_url, sender=with_mail.mail_from))
    assert row(number).state is OutboxState.SENT
