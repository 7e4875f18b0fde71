"""How commands show that they work: a bar with numbers where a person looks, nothing in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Protocol, TypeVar

import click

Item = TypeVar("Item")
MOST_ERRORS = 100


class Step(Protocol):
    """Says how much is done by now, and perhaps of how much."""

    def __call__(self, done: int, total: int | None = None) -> None: ...


def _unseen(done: int, total: int | None = None) -> None:
    del done, total


@contextmanager
def progress(label: str, total: int) -> Iterator[Step]:
    """A bar on standard error with numbers and the time left, when that is a terminal."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    with click.progressbar(length=max(total, 1), label=label, file=sys.stderr, show_pos=True) as bar:

        def step(done: int, total: int | None = None) -> None:
            if total:
                bar.length = total
            bar.update(done - bar.pos)

        yield step


class Bars:
    """A bar for each step of long work, with the sizes done and the time left, when standard error is a terminal."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._open = ExitStack()
        self._tell: Step = _unseen

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_error: object) -> None:
        self._open.close()

    def step(self, name: str, total: int = 0) -> None:
        """A new step begins."""
        self._open.close()
        self._tell = self._open.enter_context(progress(self._labels[name], total))

    def progress(self, done: int, total: int | None = None) -> None:
        """So much of the step is done."""
        self._tell(done, total)


def counted(items: Iterable[Item], step: Step) -> Iterator[Item]:
    """The items, each of them reported as it passes."""
    for number, item in enumerate(items, 1):
        yield item
        step(number)


def refuse_rows(errors: Sequence[object], *, file: str, count: int = 0) -> None:
    """Say on standard error what is wrong, row by row, and end with 1; go on when nothing is wrong.

    ``count`` is how many errors there are when not all of them are given.
    """
    total = max(count, len(errors))
    if not total:
        return
    for error in errors[:MOST_ERRORS]:
        click.echo(f"{file}: {error}", err=True)
    if total > MOST_ERRORS:
        click.echo(f"… and {total - MOST_ERRORS} more.", err=True)
    raise click.ClickException(f"Nothing was imported. Errors: {total}.")
