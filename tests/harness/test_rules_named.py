"""Every rule of the seed has a test that names it. R5-R10, the Hybrid Benefit's arithmetic, are stated on product pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
RULES = [f"R{number}" for number in range(1, 44)]
NAMED = re.compile(r"(?<![A-Za-z0-9])[Rr](\d{1,2})(?:\s*-\s*[Rr](\d{1,2}))?(?![0-9A-Za-z])")


def named_rules(source: str) -> set[str]:
    """The rules that test functions of a file name, in their own name or docstring."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            words = f"{node.name.replace('_', ' ')} {ast.get_docstring(node) or ''}"
            found |= set(_rules_in(words))
    return found


def _rules_in(words: str) -> Iterator[str]:
    for first, last in NAMED.findall(words):
        for number in range(int(first), int(last or first) + 1):
            yield f"R{number}"


def test_every_rule_of_the_seed_is_named_by_a_test() -> None:
    named = set().union(*(named_rules(path.read_text()) for path in TESTS.rglob("test_*.py")))
    assert [rule for rule in RULES if rule not in named] == []


def test_only_tests_count_as_naming_a_rule() -> None:
    assert named_rules("def test_r26_ends(): 'Also R27 and R5-R7.'") == {"R26", "R27", "R5", "R6", "R7"}
    assert named_rules("def helper_r30(): 'R31'\nR32 = 1\n# R33") == set()
