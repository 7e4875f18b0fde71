"""The commands that set up, fill and examine an installation: sentences instead of traces, all or nothing, exit codes."""

from __future__ import annotations

import http.client
import signal
import socket
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from csp_web import db, migrate
from csp_web.cli import main
from csp_web.domain.access.actors import actor_of
from csp_web.models import AuditEntry, AuditHead, Customer, DownloadOption, Offer, ProductKey, User
from tests.support.command_line import CommandLine
from tests.world import make_customer, make_offer, make_subscription

DEMO = Path(__file__).parent.parent.parent / "csp_web" / "data" / "demo"
OPTION = ("--version", "Windows Server 2025", "--language", "English (en-US)", "--file-type", "64 Bit, ISO")


def commands() -> list[tuple[str, ...]]:
    """Every command, groups' own ones too."""
    found: list[tuple[str, ...]] = []
    for name, command in main.commands.items():
        found.append((name,))
        found += [(name, own) for own in getattr(command, "commands", {})]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_helps(tmp_path: Path, command: tuple[str, ...]) -> None:
    cli = CommandLine(tmp_path / "data", f"sqlite:///{tmp_path / 'x.sqlite3'}")
    assert "Usage: main " + " ".join(command) in cli.say(*command, "--help")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", [("doctor",), ("user", "list"), ("run", "--port", "0"), ("backup", "x.tar")])
def test_without_a_database_a_sentence_says_what_to_do(empty: CommandLine, command: tuple[str, ...]) -> None:
    assert "Run: csp-web init" in empty.refuse(*command)


def test_an_older_database_is_refused_and_upgraded(empty: CommandLine) -> None:
    empty.folder.mkdir()
    migrate.upgrade(empty.database_url, "0001")
    assert "Run: csp-web upgrade" in empty.refuse("run", "--port", "0")
    assert "Upgraded from 0001" in empty.say("upgrade")
    assert "Up to date" in empty.say("upgrade")


def test_a_database_of_a_newer_version_is_refused(ready: CommandLine) -> None:
    ready.attach()
    with db.transaction():
        db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for command in ("run", "doctor", "upgrade"):
        assert "newer one" in ready.refuse(command)


def test_init_may_be_repeated(cli: CommandLine) -> None:
    cli.say("init")
    cli.say("init")
    assert "FAIL" not in cli.say("doctor")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CSP_WEB_LINK_DAYS", "soon", "CSP_WEB_LINK_DAYS is 'soon'; it takes a whole number"),
        ("CSP_WEB_TRUSTED_PROXY", "1", "not a setting of this version. Did you mean CSP_WEB_TRUSTED_PROXIES?"),
        ("CSP_WEB_DATABASE_URL", "mysql://x", "it takes sqlite:///"),
        ("CSP_WEB_CONFIG_FILE", "/nowhere/settings", "cannot be read"),
    ],
)
def test_bad_settings_stop_with_a_sentence(cli: CommandLine, name: str, value: str, said: str) -> None:
    cli.more = {name: value}
    assert said in cli.refuse("doctor")


def test_an_unreachable_database_is_a_sentence(cli: CommandLine, tmp_path: Path) -> None:
    cli.more = {"CSP_WEB_DATABASE_URL": f"postgresql+psycopg://nobody@/nothing?host={tmp_path}"}
    assert "The database says:" in cli.refuse("doctor")


# ---------------------------------------------------------------- people


def test_people_are_added_listed_and_kept_out(ready: CommandLine) -> None:
    assert ready.say("user", "list").splitlines() == [
        "Contoso\talice@contoso.example\tadmin agent",
        "Northwind\tolga@northwind.example\toperator admin, support agent",
    ]
    bob = ("user", "add", "Bob@contoso.example", "--name", "Bob", "--partner", "contoso", "--role", "sales agent")
    assert "for Contoso as sales agent" in ready.say(*bob, "--password", "a long enough password")
    ready.say("user", "password", "bob@contoso.example", "--password", "another long password")
    ready.say("user", "disable", "bob@contoso.example")
    assert "bob@contoso.example\tsales agent (disabled)" in ready.say("user", "list")


def test_people_are_refused_with_sentences(ready: CommandLine) -> None:
    add = ("user", "add", "eve@x.example", "--name", "Eve", "--role", "admin agent")
    assert "at least 12 characters" in ready.refuse(*add, "--partner", "Contoso", "--password", "short")
    assert "only one organisation" in ready.refuse(
        *add, "--partner", "Evil", "--operator", "--password", "x y z 1 2 3 4"
    )
    assert "There is no user" in ready.refuse("user", "disable", "nobody@x.example")
    support = ("user", "add", "eve@x.example", "--name", "Eve", "--partner", "Contoso", "--role", "support agent")
    assert "Support agent is a role" in ready.refuse(*support, "--password", "x y z 1 2 3 4 5")


def test_prices_are_imported_once(ready: CommandLine) -> None:
    sheet = DEMO / "price-sheet.csv"
    assert "nothing was written" in ready.say("catalog", "import", sheet, "--dry-run")
    assert _count(ready, Offer) == 0
    assert "1,174  new prices" in ready.say("catalog", "import", sheet)
    again = ready.say("catalog", "import", sheet)
    assert "0  new prices" in again
    assert "1,174  prices unchanged" in again
    entry = db.session.scalars(select(AuditEntry).filter_by(operation="import_price_sheet")).first()
    assert entry is not None
    assert entry.actor_email == "olga@northwind.example"


def test_a_wrong_row_is_named_by_its_line_and_nothing_is_imported(ready: CommandLine, tmp_path: Path) -> None:
    lines = (DEMO / "price-sheet.csv").read_text(encoding="utf-8").splitlines()
    lines[4] = lines[4].replace("P1Y", "often")
    sheet = tmp_path / "prices.csv"
    sheet.write_text("\n".join(lines), encoding="utf-8")
    for more in ((), ("--dry-run",)):
        said = ready.refuse("catalog", "import", sheet, *more)
        assert f"{sheet}: Line 5" in said
        assert "Nothing was imported. Errors: 1." in said
    assert _count(ready, Offer) == 0


def test_keys_are_imported_once_and_never_said(ready: CommandLine, tmp_path: Path) -> None:
    ready.say("catalog", "import", DEMO / "price-sheet.csv")
    sheet = DEMO / "keys.csv"
    ready.say("keys", "import", sheet, "--dry-run")
    assert _count(ready, ProductKey) == 0
    assert "808  keys in all" in ready.say("keys", "import", sheet)
    said = ready.refuse("keys", "import", sheet)
    assert "Line 2, ProductKey: This key is in stock already" in said
    assert "… and 708 more." in said
    keys = [line.rpartition(",")[2] for line in sheet.read_text(encoding="utf-8").splitlines()[1:]]
    assert not [key for key in keys if key in said]
    assert _count(ready, ProductKey) == 808


def test_customers_are_imported_all_or_none(ready: CommandLine, tmp_path: Path) -> None:
    sheet = DEMO / "customers.csv"
    assert "20  added" in ready.say("customers", "import", sheet, "--dry-run")
    assert _count(ready, Customer) == 0
    assert "20  added" in ready.say("customers", "import", sheet)
    assert "20  unchanged" in ready.say("customers", "import", sheet)
    other = tmp_path / "other.csv"
    rows = sheet.read_text(encoding="utf-8-sig").splitlines()
    fresh = "00000000-0000-4000-8000-000000000001,New,new.example,Reseller,US"
    taken = "00000000-0000-4000-8000-000000000002,Other,customer01.example,Reseller,US"
    other.write_text("\n".join([rows[0], fresh, taken, rows[2].replace("Adventure", "Adventures")]), encoding="utf-8")
    said = ready.refuse("customers", "import", other)
    assert "Line 3: Alpine Ski House already has this domain" in said
    assert "Line 4, Microsoft ID: " in said
    assert _count(ready, Customer) == 20


def test_whose_customers_they_become_has_to_be_clear(ready: CommandLine) -> None:
    more = ("--partner", "Fabrikam", "--role", "admin agent", "--password", "a long enough password")
    ready.say("user", "add", "charlie@fabrikam.example", "--name", "Charlie", *more)
    sheet = DEMO / "customers.csv"
    assert "There are: Contoso, Fabrikam" in ready.refuse("customers", "import", sheet, code=2)
    ready.say("customers", "import", sheet, "--partner", "Fabrikam")
    ready.say("customers", "import", sheet, "--as", "alice@contoso.example")
    assert _count(ready, Customer) == 40


def test_a_sheet_without_countries_needs_one(ready: CommandLine, tmp_path: Path) -> None:
    sheet = tmp_path / "old.csv"
    sheet.write_text(
        "Microsoft ID,Company name,Primary domain name\n00000000-0000-4000-8000-000000000001,New,new.example\n",
        encoding="utf-8",
    )
    assert "Line 2: Choose a country" in ready.refuse("customers", "import", sheet)
    assert "1  added" in ready.say("customers", "import", sheet, "--country", "de")


def test_files_are_added_with_their_hash(ready: CommandLine, tmp_path: Path) -> None:
    ready.say("catalog", "import", DEMO / "price-sheet.csv")
    installer = tmp_path / "setup.iso"
    installer.write_bytes(b"installer")
    add = ("files", "add", installer, "--product", "DG7GMGF06GW3", *OPTION)
    digest = "9c0d294c05fc1d88d698034609bb81c0c69196327594e4c69d2915c80fd9850c"
    assert digest in ready.say(*add, "--dry-run")
    assert _count(ready, DownloadOption) == 0
    assert digest in ready.say(*add)
    ready.say(*add)
    assert _count(ready, DownloadOption) == 1
    assert len([path for path in (ready.folder / "files").rglob("*") if path.is_file()]) == 1
    installer.write_bytes(b"another")
    assert "Withdraw it first" in ready.refuse(*add)
    ready.say(*add, "--replace")
    assert _count(ready, DownloadOption) == 2
    assert "There is no product" in ready.refuse("files", "add", installer, "--product", "DG7GMGF00000", *OPTION)
    assert "FAIL" not in ready.say("doctor", "--read-files")


def test_markets_are_listed_and_put_in_force(ready: CommandLine) -> None:
    assert "seed-2018\treservation\tin force\tAR AZ" in ready.say("markets", "list")
    ready.say("markets", "use", "2019-12")
    assert "seed-2018\treservation\tnot in force" in ready.say("markets", "list")
    ready.say("markets", "end", "2019-12")
    assert "There is no list x" in ready.refuse("markets", "use", "x")


@pytest.mark.parametrize("command", [("catalog", "import"), ("keys", "import"), ("customers", "import"), ("restore",)])
def test_a_file_that_is_not_there(ready: CommandLine, command: tuple[str, ...]) -> None:
    assert "does not exist" in ready.refuse(*command, "nowhere.csv", code=2)


def test_who_acts_has_to_exist(ready: CommandLine) -> None:
    command = ("catalog", "import", DEMO / "price-sheet.csv", "--as", "nobody@x.example")
    assert "There is no active user nobody@x.example" in ready.refuse(*command)
    assert "operator admin" in ready.refuse(*command[:-1], "alice@contoso.example").lower()


# ---------------------------------------------------------------- doctor and run


def test_r9_doctor_finds_a_changed_log_and_a_broken_rule(ready: CommandLine) -> None:
    """A changed row in the activity log is found, and so are rows that break a rule of the trade."""
    ready.attach()
    with db.transaction():
        head = db.session.scalars(select(AuditHead)).one()
        head.hash = bytes(32)
        alice = actor_of(db.session.scalars(select(User).filter_by(email="alice@contoso.example")).one())
        customer = make_customer(alice.partner_id, "Coho")
        offer = make_offer("windows", market="US", currency="USD")
        make_subscription(customer, offer, by=alice).total += 1  # charged less than its total, and without a key
    result = ready.run("doctor")
    assert result.exit_code == 1
    assert "FAIL  activity log is unbroken: row" in result.stdout
    assert "a line was not charged its total (1)" in result.stdout
    assert "a line neither has a key nor waits for one (1)" in result.stdout


def test_doctor_notices_secrets_that_others_can_read(ready: CommandLine) -> None:
    (ready.folder / "secret-key").chmod(0o644)
    result = ready.run("doctor")
    assert result.exit_code == 1
    assert "FAIL  secrets are private" in result.stdout


@pytest.mark.one_database
def test_run_serves_and_ends_cleanly(ready: CommandLine) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ready.start("run", "--port", str(port), "--processes", "1")
    assert server.stdout is not None
    try:
        assert server.stdout.readline().startswith(f"csp-web is ready on http://127.0.0.1:{port}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/readyz")
        assert connection.getresponse().status == 200
        connection.close()
        server.send_signal(signal.SIGINT)
        said = server.communicate(timeout=30)
    finally:
        server.kill()
        server.wait()
    assert server.returncode == 0
    assert "Traceback" not in said[1]


@pytest.mark.one_database
def test_a_taken_port_is_a_sentence(ready: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = ready.start("run", "--port", str(taken.getsockname()[1]))
        said = server.communicate(timeout=60)[1]
    assert server.returncode == 1
    assert "is taken by another program" in said


def _count(cli: CommandLine, model: type[db.Base]) -> int:
    cli.attach()
    return db.session.scalar(select(func.count()).select_from(model)) or 0
