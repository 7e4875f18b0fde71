"""Long work: what a person set going and a worker does. How far it is stands outside (``services.job_board``)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, Document, now
from csp_web.models.accounts import User


class JobState(enum.StrEnum):
    """Queued until a worker takes it, running until it is done, has failed or was cancelled."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (JobState.QUEUED, JobState.RUNNING)


class Job(Base):
    """A piece of long work: who wants it done, what of, and what came of it.

    ``input_key`` and ``file_key`` name files in the folder of jobs; an input is encrypted there. ``result`` holds counts
    and sentences in the language of the person, never a key or a token.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "owner_id", "id"),
        Index(
            "ix_jobs_open",
            "id",
            sqlite_where=text("state IN ('queued', 'running')"),
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[JobState] = mapped_column(default=JobState.QUEUED)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    of_operator: Mapped[bool] = mapped_column(default=False)  # every operator admin sees it
    subject: Mapped[str] = mapped_column(String(255), default="")  # the name of the file, or what is exported
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    input_key: Mapped[str | None] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(64), default="")
    request_id: Mapped[str] = mapped_column(String(64), default="")
    tries: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    result: Mapped[dict[str, Any] | None] = mapped_column(Document)
    error: Mapped[str] = mapped_column(String(1000), default="")
    file_key: Mapped[str | None] = mapped_column(String(32))
    file_name: Mapped[str] = mapped_column(String(255), default="")
    file_size: Mapped[int] = mapped_column(BigInteger, default=0)
    file_sha256: Mapped[str] = mapped_column(String(64), default="")

    owner: Mapped[User] = relationship()

    @property
    def is_open(self) -> bool:
        """Whether it waits or is being worked on."""
        return self.state in OPEN
