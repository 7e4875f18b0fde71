"""What an installation is set up with: its secrets and limits at every start, its shipped rules once (D4, D8)."""

from __future__ import annotations

from csp_web.config import Settings
from csp_web.domain.sales.markets import install_market_sets
from csp_web.domain.sales.policies import install_policies
from csp_web.domain.support.problem_types import install_problem_types
from csp_web.domain.upkeep import configured


def configure(settings: Settings) -> None:
    """Give the domain what it needs of the settings. Once per process, at its start."""
    configured.configure(settings)


def install_rules() -> None:
    """Add the shipped rules that are missing, inside the caller's transaction. What is there is left as it is."""
    install_market_sets()
    install_policies()
    install_problem_types()
