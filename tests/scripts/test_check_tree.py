"""The tree check finds what it forbids and leaves alone what only looks like it."""

from __future__ import annotations

import pytest

from scripts.check_tree import MAX_FILE_LINES, breaches

TEMPLATE = "templates/customers/index.html"
# Put together here, so that this file holds none of what it looks for.
REGISTRY, FILES, FOLDER = "pypi", "pythonhosted", "work"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("docs/setup.md", f"index-url = https://{REGISTRY}.org/simple"),
        ("requirements.txt", f"--find-links https://files.{FILES}.org/x"),
        ("docs/setup.md", f"cd /{FOLDER}/main"),
        ("tests/web/test_x.py", "Path('/tmp/x')"),
        ("docs/setup.md", "run it in /home/alice/csp"),
        ("csp_web/app.py", "x = 1  # TODO later"),
        (TEMPLATE, '<p style="color: red">'),
        (TEMPLATE, "<style>p {}</style>"),
        (TEMPLATE, "<script>go()</script>"),
        (TEMPLATE, '<script nonce="{{ nonce }}">go()</script>'),
        (TEMPLATE, '<a href="#" onclick="go()">'),
        (TEMPLATE, '<a href="#" hx-on:click="go()">'),
        (TEMPLATE, '<a href="javascript:go()">'),
        (TEMPLATE, "{{ note | safe }}"),
        (TEMPLATE, "{% autoescape false %}"),
        ("tests/web/test_x.py", "@pytest.mark.skipif(True, reason='x')"),
        ("tests/web/test_x.py", "pytest.importorskip('x')"),
    ],
)
def test_a_breach_is_found_with_its_line(path: str, line: str) -> None:
    text = f'"""First line."""\n{line if not path.endswith(".py") else "# " + line}\n'
    found = list(breaches(path, text))
    assert len(found) == 1
    assert found[0].startswith(f"{path}:2: ")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("docs/setup.md", "The address is /tickets/new and /d/<token>; data lies in /var/lib/csp-web."),
        ("docs/setup.md", "templates/home/index.html"),
        (TEMPLATE, "<script src=\"{{ static('app.js') }}\" defer></script>"),
        (TEMPLATE, '<link rel="stylesheet" href="/static/app.css">'),
        (TEMPLATE, '<option value="1" data-only="yes">{{ name }}</option>'),
        ("csp_web/keys.py", "skip = 1"),
    ],
)
def test_what_only_looks_like_a_breach_is_left_alone(path: str, line: str) -> None:
    assert list(breaches(path, f"{line}\n")) == []


def test_long_functions_and_files_are_found() -> None:
    body = "".join(f"    x = {number}\n" for number in range(50))
    assert list(breaches("csp_web/x.py", f"def f():\n{body}")) == ["csp_web/x.py:1: f has 51 lines; 50 is the most"]
    assert list(breaches("migrations/versions/x.py", f"def f():\n{body}")) == []
    long = "x = 1\n" * (MAX_FILE_LINES + 1)
    assert list(breaches("csp_web/x.py", long)) == ["csp_web/x.py:1: has 401 lines; 400 is the most"]
