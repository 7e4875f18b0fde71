"""What happened, in the order of time: each act at its own instant before the world's making."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from csp_web.db import as_of
from csp_web.demo.people import actor
from csp_web.domain.access.actors import Actor
from csp_web.models import DownloadLink, Subscription, Ticket

Act = Callable[[], object]


@dataclass
class Story:
    """Acts with their instants, and what came of them under names that later acts use."""

    end: datetime
    luck: Random
    lines: dict[str, Subscription] = field(default_factory=dict)
    links: dict[str, DownloadLink] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    _acts: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _people: dict[str, Actor] = field(default_factory=dict)

    def ago(self, days: float, act: Act) -> None:
        """Let something happen so many days before the end."""
        self._acts.append((self.end - timedelta(days=days), len(self._acts), act))

    def tell(self) -> None:
        """Let everything happen, the oldest first; what happens at one instant in the order in which it was added."""
        for at, _number, act in sorted(self._acts, key=lambda each: each[:2]):
            with as_of(at):
                act()

    def person(self, name: str) -> Actor:
        """One of the people, by the name before the @."""
        if name not in self._people:
            self._people[name] = actor(name)
        return self._people[name]

    def form(self) -> str:
        """The token of one more form that somebody sent."""
        return f"demo-{self.luck.getrandbits(64):016x}"
