"""A new secret for the stored keys as long work: what was moved stays moved, and the next run goes on (D11)."""

from __future__ import annotations

from csp_web.db import transaction
from csp_web.domain.long_work.job_work import Task
from csp_web.domain.stock.key_rotation import outdated, rotate


def rotate_keys(task: Task) -> None:
    """Encrypt every key anew; cancelled, the keys stay under either secret and all of them can be read."""
    task.step("moving", outdated())
    result = rotate(by=task.actor, new_secret=True, progress=task.progress)
    with transaction():
        task.finish({"rows": result.moved, "damaged": result.damaged})
