"""Views of the list of all software that people of the demo world keep."""

from __future__ import annotations

from functools import partial

from csp_web.demo.story import Story
from csp_web.domain.delivery.saved_views import save_view

# Days ago, who, the name, what the list is narrowed to, whether the colleagues see it.
VIEWS = (
    (30.2, "alice", "Last days to cancel", "deadline=7", True),
    (12.4, "alice", "Links that end", "link=7", False),
    (9.1, "bob", "SQL Server, waiting", "family=sql_server&waiting=1", True),
)


def plan_views(story: Story) -> None:
    """Let them be kept."""
    for days, who, name, query, shared in VIEWS:
        story.ago(days, partial(_keep, story, who, name, query, shared))


def _keep(story: Story, who: str, name: str, query: str, shared: bool) -> None:
    save_view(name, query, by=story.person(who), shared=shared, form_token=story.form())
