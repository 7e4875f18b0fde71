"""House rules that no linter knows: what must never be in the tree. Part of ``make lint``.

Prints ``path:line: sentence`` for every breach and exits with 1 if there was one.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
BINARY = {".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".woff2", ".ttf", ".pdf", ".gz", ".zip"}


@dataclass(frozen=True)
class Rule:
    """A pattern that no line of the files it applies to may match."""

    pattern: re.Pattern[str]
    sentence: str
    applies: Callable[[str], bool]


def _anywhere(_path: str) -> bool:
    return True


def _in_templates(path: str) -> bool:
    return path.endswith((".html", ".svg")) and path.startswith("templates/")


def _in_tests(path: str) -> bool:
    return path.startswith("tests/") and path.endswith(".py")


def _rule(pattern: str, sentence: str, applies: Callable[[str], bool] = _anywhere) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), sentence, applies)


RULES = [
    _rule(
        r"\b(?:[\w-]+\.)*(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|debian\.org|unpkg\.com|jsdelivr\.net)\b",
        "names the host of a package registry",
    ),
    _rule(r"(?<![\w./<>-])/(?:work|tmp|root|home/[\w.-]+)(?:/\w|\b(?![\w./-]))", "names a path of one machine"),
    _rule(r"\b(?:TODO|FIXME)\b", "leaves something undone in a comment; do it or leave it out"),
    _rule(r"<style\b", "inline styles: the Content-Security-Policy forbids them", _in_templates),
    _rule(r"\sstyle\s*=", "a style attribute: the Content-Security-Policy forbids it", _in_templates),
    _rule(r"<script\b(?![^>]*\bsrc\s*=)", "an inline script: the Content-Security-Policy forbids it", _in_templates),
    _rule(r"\s(?:on\w+|hx-on[\w:.-]*)\s*=", "an inline event handler: the policy forbids it", _in_templates),
    _rule(r"""["'=]\s*javascript:""", "a script in a link: the Content-Security-Policy forbids it", _in_templates),
    _rule(r"\|\s*safe\b", "marks text as safe; let Jinja escape it", _in_templates),
    _rule(r"autoescape\s+false", "turns escaping off; let Jinja escape", _in_templates),
    _rule(
        r"\b(?:pytest\.(?:skip|xfail|importorskip)|mark\.(?:skip|skipif|xfail)|unittest\.skip\w*)\b",
        "skips a test: make it run or remove it",
        _in_tests,
    ),
]


def breaches(path: str, text: str) -> Iterator[str]:
    """What is wrong with a file, as ``path:line: sentence``."""
    for number, line in enumerate(text.splitlines(), 1):
        for rule in RULES:
            if rule.applies(path) and rule.pattern.search(line):
                yield f"{path}:{number}: {rule.sentence}"
    if path.endswith(".py") and not path.startswith("migrations/versions/"):  # a revision is as long as its tables
        yield from _size_breaches(path, text)


def _size_breaches(path: str, text: str) -> Iterator[str]:
    length = len(text.splitlines())
    if length > MAX_FILE_LINES:
        yield f"{path}:1: has {length} lines; {MAX_FILE_LINES} is the most"
    for node in ast.walk(ast.parse(text, path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines; {MAX_FUNCTION_LINES} is the most"


def tracked_files(root: Path) -> Iterator[str]:
    """Every file that is, or could be, committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    yield from sorted(filter(None, set(listed.split("\0"))))


def main() -> int:
    """Check the whole tree."""
    root = Path(__file__).resolve().parent.parent
    own = {"scripts/check_tree.py", "tests/scripts/test_check_tree.py"}  # they spell out what they forbid
    found = 0
    for path in tracked_files(root):
        file = root / path
        if path in own or file.suffix in BINARY or not file.is_file():
            continue
        for breach in breaches(path, file.read_text(encoding="utf-8")):
            print(breach)
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
