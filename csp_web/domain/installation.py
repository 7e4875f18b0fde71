"""What every installation starts with: market lists, cancellation policies, types of problems (D4, D8)."""

from __future__ import annotations

from csp_web.domain.markets import install_market_sets
from csp_web.domain.policies import install_policies
from csp_web.domain.problem_types import install_problem_types


def install_rules() -> None:
    """Add the shipped rules that are missing, inside the caller's transaction. What is there is left as it is."""
    install_market_sets()
    install_policies()
    install_problem_types()
