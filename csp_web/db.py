"""The database: one session per request or thread, one transaction per act, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CursorResult,
    DateTime,
    Dialect,
    Enum,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    Uuid,
    create_engine,
    event,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session, sessionmaker

from csp_web.errors import Busy, NotFound, StorageFull
from csp_web.i18n import gettext as _
from csp_web.services.writer_queue import Busy as QueueBusy
from csp_web.services.writer_queue import ReadOnly, WriterQueue

BUSY_SECONDS = 20

Row = TypeVar("Row", bound="Base")


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Only aware datetimes go in, UTC comes out (D1)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[Any]:
        """Pages of lists read instants back from their cursors by this."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Read what the database hands out. SQLite's text is parsed in one step: lists have two hundred instants."""
        return _from_text if dialect.name == "sqlite" else _in_utc


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class GuidText(TypeDecorator[str]):
    """A GUID read as the text that pages show, without the object between: ``type_coerce(column, GuidText)`` in lists."""

    impl = Uuid
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str]:
        """SQLite has 32 hexadecimal digits, PostgreSQL a type of its own."""
        return _dashed if dialect.name == "sqlite" else str


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


# SQLite numbers rows by itself only in a column of exactly this type.
RowId = BigInteger().with_variant(Integer, "sqlite")
# Sorted by code point on both databases, so that a prefix is a range and a cursor means the same everywhere.
Folded = Text().with_variant(Text(collation="C"), "postgresql")
Document = JSON().with_variant(JSONB, "postgresql")


class Base(DeclarativeBase):
    """Every table's base: named constraints (migrations need the names) and one mapping of types."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UTCDateTime,
        str: Text,
        int: RowId,
        dict[str, Any]: Document,
        list[str]: Document,
        enum.Enum: Enum(enum.Enum, native_enum=False, length=40, values_callable=lambda e: [m.value for m in e]),
    }


session: scoped_session[Session] = scoped_session(sessionmaker())
_queue: WriterQueue | None = None
_as_of: ContextVar[datetime | None] = ContextVar("as_of", default=None)


def now() -> datetime:
    """The server's clock, the only one that counts (D1)."""
    return _as_of.get() or datetime.now(UTC)


@contextmanager
def as_of(at: datetime) -> Iterator[None]:
    """Let acts inside be acts of another instant. Only where a history is made up: the demo world; never in a request."""
    token = _as_of.set(at)
    try:
        yield
    finally:
        _as_of.reset(token)


def configure(database_url: str | URL) -> Engine:
    """Point the session at a database. Call once per process, after a fork."""
    global _queue
    url = make_url(database_url)
    engine = _sqlite_engine(url) if url.get_backend_name() == "sqlite" else _postgres_engine(url)
    path = url.database if url.get_backend_name() == "sqlite" else None
    _queue = WriterQueue(f"{path}.writer") if path and path != ":memory:" else None
    session.remove()
    session.configure(bind=engine)
    return engine


def engine() -> Engine:
    """The engine in use."""
    bind = session.get_bind()
    return bind if isinstance(bind, Engine) else bind.engine


def on_sqlite() -> bool:
    """Whether this installation runs on SQLite."""
    return engine().dialect.name == "sqlite"


def _postgres_engine(url: URL) -> Engine:
    return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=5, max_overflow=5)


def _sqlite_engine(url: URL) -> Engine:
    made = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(made, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # this module says BEGIN, not the driver
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "temp_store=MEMORY",
            "cache_size=-32000",
            "mmap_size=268435456",
        ):
            connection.execute(f"PRAGMA {pragma}")

    made.dialect.do_begin = _begin  # type: ignore[assignment, method-assign]
    return made


def _begin(connection: Any) -> None:
    """An act takes its turn to write at once: a read that turns into a write fails when somebody wrote meanwhile.

    Not an event of the engine: every statement would pay for looking whether there are others.
    """
    connection.cursor().execute("BEGIN IMMEDIATE" if in_transaction() else "BEGIN")


@contextmanager
def transaction() -> Iterator[None]:
    """One act: everything in it is stored, or nothing.

    What was loaded before is read again inside, so that rules are checked on what is true now. Audit rows that the
    act collected are written last (their chain is the one thing that all writers share). A busy or full database
    becomes a sentence; nothing was done then.
    """
    current = session()
    if current.info.get("in_transaction"):
        raise RuntimeError("transactions do not nest: one act is one transaction")
    if current.new or current.dirty or current.deleted:
        raise RuntimeError("something was changed outside a transaction")
    current.rollback()
    current.info["in_transaction"] = True
    current.info["before_commit"] = []
    try:
        with _turn():
            current.connection()
            try:
                yield
                current.flush()
                for step in current.info["before_commit"]:
                    step()
                current.commit()
            except BaseException:
                current.rollback()
                raise
    except (QueueBusy, ReadOnly, OperationalError, InternalError) as error:
        raise _plain(error) from error
    finally:
        current.info.pop("in_transaction", None)
        current.info.pop("before_commit", None)


def refresh_statistics() -> None:
    """Let the database count what it holds, so that it picks the right index; after much was written, and now and then.

    Without this SQLite knows nothing and may read all of a partner's rows for one customer. It looks at some 400 rows
    of each index, so it takes the same short time in a large installation. PostgreSQL does it by itself as well.
    """
    with transaction():
        if on_sqlite():
            session.execute(text("PRAGMA analysis_limit=400"))
        session.execute(text("ANALYZE"))


def before_commit(step: Any) -> None:
    """Run a step as the last thing of the transaction in hand; steps run in the order in which they were added."""
    steps = session().info.get("before_commit")
    if steps is None:
        raise RuntimeError("no act without a transaction")
    steps.append(step)


def in_transaction() -> bool:
    """Whether an act is in hand."""
    return bool(session().info.get("in_transaction"))


def _turn() -> Any:
    return _queue.turn(timeout=BUSY_SECONDS) if _queue is not None else nullcontext()


def _plain(error: Exception) -> Exception:
    """Turn what the database says into what people understand, where a person can do something about it."""
    text = "busy" if isinstance(error, QueueBusy) else str(getattr(error, "orig", "")).lower()
    if "full" in text or "no space" in text:
        return StorageFull(_("The disk of the server is full. Nothing was saved; tell your administrator."))
    if "locked" in text or "busy" in text or "deadlock" in text or "could not serialize" in text:
        return Busy(_("Many people are saving at the moment. Nothing was saved; please try again."))
    if isinstance(error, ReadOnly) or "readonly" in text or "read-only" in text:
        return Busy(_("The database can only be read at the moment. Nothing was saved; tell your administrator."))
    return error


def for_update(model: type[Row], key: Any) -> Row:
    """Read a row again and keep others from changing it until the transaction ends.

    New rows may refer to it meanwhile (on PostgreSQL FOR NO KEY UPDATE): those of the log do, and whoever writes them
    holds what this transaction needs at its end.

    Raises:
        NotFound: there is no such row.
    """
    row = session.get(model, key, populate_existing=True, with_for_update={"key_share": True})
    if row is None:
        raise NotFound
    return row


def read(statement: Any, values: Mapping[str, Any] | None = None) -> CursorResult[Any]:
    """Run a statement that reads columns, not objects, without what the session does for objects.

    It sees what was flushed, not what is only noted in the session: for lists, which run before anything is changed.
    """
    return session().connection().execute(statement, values)


def scalar_or_404(statement: Any) -> Any:
    """The one row that a statement finds; raises NotFound otherwise."""
    found = session.scalar(statement)
    if found is None:
        raise NotFound
    return found


__all__ = [
    "Base",
    "Document",
    "Folded",
    "GuidText",
    "RowId",
    "UTCDateTime",
    "as_of",
    "before_commit",
    "configure",
    "engine",
    "for_update",
    "in_transaction",
    "now",
    "on_sqlite",
    "refresh_statistics",
    "read",
    "scalar_or_404",
    "select",
    "session",
    "transaction",
]
