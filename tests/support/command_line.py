"""The command as a person types it, on an installation of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner, Result

from csp_web import db
from csp_web.cli import main

COMMAND = Path(sys.executable).with_name("csp-web")


@dataclass
class CommandLine:
    """An installation by its environment; commands run in this process, or as programs."""

    folder: Path
    database_url: str
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {"CSP_WEB_DATA_DIR": str(self.folder), "CSP_WEB_DATABASE_URL": self.database_url, **self.more}

    def run(self, *arguments: str | Path, input: str | None = None) -> Result:  # noqa: A002 -- click's name
        """Run a command; nothing is asserted of it."""
        result = CliRunner().invoke(main, [str(each) for each in arguments], env=self.environment, input=input)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def say(self, *arguments: str | Path) -> str:
        """Run a command that must succeed; what it printed on standard output."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refuse(self, *arguments: str | Path, code: int = 1) -> str:
        """Run a command that must fail with a sentence; what it printed on standard error."""
        result = self.run(*arguments)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result.stderr

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command as a program of its own."""
        return subprocess.Popen(
            [str(COMMAND), *map(str, arguments)],
            env={
                **{name: text for name, text in os.environ.items() if not name.startswith("CSP_WEB_")},
                **self.environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def attach(self) -> None:
        """Let the test itself look into the database."""
        db.configure(self.database_url)
