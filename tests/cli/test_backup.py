"""Backups: taken while others write, restored on an empty machine, refused when damaged (B14, R-10, F15, F16, F18)."""

from __future__ import annotations

import json
import tarfile
import threading
import uuid
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select

from csp_web import db
from csp_web.config import load
from csp_web.domain.access.actors import actor_of
from csp_web.domain.companies import customers
from csp_web.domain.companies.customers import CustomerFacts
from csp_web.domain.upkeep import installation
from csp_web.domain.upkeep.configured import file_store
from csp_web.errors import Refused
from csp_web.models import Customer, User
from csp_web.services import archive
from csp_web.services.database_copies import find_program
from tests.support.command_line import CommandLine

PRICES = Path(__file__).parent.parent.parent / "csp_web" / "data" / "demo" / "price-sheet.csv"
KEYS = PRICES.with_name("keys.csv")


@pytest.fixture
def stocked(ready: CommandLine, tmp_path: Path) -> CommandLine:
    """With prices, some keys and a file."""
    few = tmp_path / "keys.csv"
    few.write_text("\n".join(KEYS.read_text(encoding="utf-8").splitlines()[:9]), encoding="utf-8")
    installer = tmp_path / "setup.iso"
    installer.write_bytes(b"installer" * 50_000)
    ready.say("catalog", "import", PRICES)
    ready.say("keys", "import", few)
    option = ("--version", "Windows Server 2025", "--language", "English (en-US)", "--file-type", "64 Bit, ISO")
    ready.say("files", "add", installer, "--product", "DG7GMGF06GW3", *option)
    return ready


def test_a_backup_is_restored_on_an_empty_machine(stocked: CommandLine, empty: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    assert "1 files, the secrets" in stocked.say("backup", file)
    assert file.stat().st_mode & 0o777 == 0o600
    said = empty.say("restore", file)
    assert "FAIL" not in said
    assert "ok    stored keys can be read" in said
    assert "ok    files are there and whole" in said
    assert "alice@contoso.example" in empty.say("user", "list")
    for name in ("secret-key", "keys-key"):
        assert (empty.folder / name).read_text() == (stocked.folder / name).read_text()
        assert (empty.folder / name).stat().st_mode & 0o777 == 0o600


def test_the_manifest_says_what_is_inside(stocked: CommandLine, tmp_path: Path, database_kind: str) -> None:
    file = tmp_path / "backup.tar"
    stocked.say("backup", file)
    with tarfile.open(file) as tar:
        content = tar.extractfile("manifest.json")
        assert content is not None
        manifest = json.load(content)
        assert {"manifest.json", "manifest.sha256", *manifest["members"]} == set(tar.getnames())
    assert manifest["database"] == {"sqlite": "sqlite", "postgres": "postgresql"}[database_kind]
    assert all(len(member["sha256"]) == 64 for member in manifest["members"].values())
    secrets = [(stocked.folder / name).read_text() for name in ("secret-key", "keys-key")]
    assert not any(secret in json.dumps(manifest) for secret in secrets)


def test_r10_nothing_acknowledged_before_the_start_is_missing(
    ready: CommandLine, empty: CommandLine, tmp_path: Path
) -> None:
    """A backup while a writer commits all the time (F16)."""
    ready.attach()
    acknowledged: list[uuid.UUID] = []
    stop = threading.Event()
    writer = threading.Thread(target=_write, args=(acknowledged, stop))
    writer.start()
    try:
        _wait_for(acknowledged, 20)
        before = list(acknowledged)
        backup = ready.start("backup", tmp_path / "backup.tar")
        said = backup.communicate(timeout=100)
        during = len(acknowledged)
    finally:
        stop.set()
        writer.join(30)
    assert backup.returncode == 0, said
    assert during > len(before) + 20, "the writer was held up"
    assert "FAIL" not in empty.say("restore", tmp_path / "backup.tar")  # foreign keys and the log's chain among it
    empty.attach()
    restored = set(db.session.scalars(select(Customer.uuid)))
    assert set(before) <= restored
    assert restored <= set(acknowledged)


def _write(acknowledged: list[uuid.UUID], stop: threading.Event) -> None:
    while not stop.is_set():
        number = len(acknowledged)
        with db.transaction():
            by = actor_of(db.session.scalars(select(User).filter_by(email="alice@contoso.example")).one())
            facts = CustomerFacts(company_name=f"Customer {number}", domain=f"customer{number}.example", country="US")
            made = customers.create_customer(facts, by=by).uuid
        acknowledged.append(made)
    db.session.remove()


def _wait_for(acknowledged: list[uuid.UUID], count: int) -> None:
    pause = threading.Event()
    for _attempt in range(600):
        if len(acknowledged) >= count:
            return
        pause.wait(0.05)
    pytest.fail("the writer writes nothing")


@pytest.mark.parametrize("place", [0.02, 0.3, 0.9])
def test_a_flipped_byte_is_found(stocked: CommandLine, empty: CommandLine, tmp_path: Path, place: float) -> None:
    file = tmp_path / "backup.tar"
    stocked.say("backup", file)
    _flip_inside_a_member(file, place)
    assert "damaged" in empty.refuse("restore", file)
    assert not (empty.folder / "secret-key").exists()


def _flip_inside_a_member(file: Path, place: float) -> None:
    """Change one byte of content: of the member that lies at this part of the file."""
    with tarfile.open(file) as tar:
        members = [entry for entry in tar if entry.size]
    wanted = int(file.stat().st_size * place)
    member = min(members, key=lambda entry: abs(entry.offset_data + entry.size // 2 - wanted))
    content = bytearray(file.read_bytes())
    content[member.offset_data + member.size // 2] ^= 1
    file.write_bytes(content)


def test_every_changed_byte_of_a_small_backup_is_found(tmp_path: Path) -> None:
    """Nothing but the padding between members may change unnoticed."""
    file = tmp_path / "small.tar"
    manifest = archive.Manifest("1", "0001", "sqlite", "2026-01-01", {})
    with archive.writing(file, manifest) as writer:
        writer.add_text("secrets/secret-key", "x" * 64)
    whole = file.read_bytes()
    with tarfile.open(file) as tar:
        places = [place for entry in tar for place in range(entry.offset_data, entry.offset_data + entry.size)]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1
        file.write_bytes(changed)
        with pytest.raises(archive.Damaged):
            archive.verify(file)
    file.write_bytes(whole)
    assert archive.verify(file).members.keys() == {"secrets/secret-key"}


@pytest.mark.parametrize("kept", [0.999, 0.5, 0.01])
def test_a_backup_that_was_cut_off_is_refused(
    stocked: CommandLine, empty: CommandLine, tmp_path: Path, kept: float
) -> None:
    file = tmp_path / "backup.tar"
    stocked.say("backup", file)
    with tarfile.open(file) as tar:
        end = tar.getmember("manifest.sha256").offset_data
    file.write_bytes(file.read_bytes()[: int(end * kept)])
    said = empty.refuse("restore", file)
    assert "cut off" in said or "damaged" in said


def test_a_backup_never_leaves_the_store(tmp_path: Path) -> None:
    """A member's name is not a path (F15): only what the manifest and the shape of a key allow is written."""
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as tar:
        entry = tarfile.TarInfo("files/../../evil")
        entry.size = 4
        tar.addfile(entry, BytesIO(b"evil"))
    with pytest.raises(archive.Damaged):
        archive.verify(file)


def test_something_else_is_no_backup(empty: CommandLine) -> None:
    assert "not a backup" in empty.refuse("restore", PRICES)


def test_only_an_empty_installation_takes_a_backup(stocked: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    stocked.say("backup", file)
    assert "empty installation only" in stocked.refuse("restore", file)


def test_without_secrets_they_have_to_be_given(stocked: CommandLine, empty: CommandLine, tmp_path: Path) -> None:
    """F15: only the backup and the documented secrets."""
    file = tmp_path / "backup.tar"
    stocked.say("backup", file, "--without-secrets")
    secrets = {name: (stocked.folder / name).read_text() for name in ("secret-key", "keys-key")}
    assert not any(secret.encode() in file.read_bytes() for secret in secrets.values())
    assert "holds no secrets. Set CSP_WEB_SECRET_KEY" in empty.refuse("restore", file)
    empty.more = {"CSP_WEB_SECRET_KEY": secrets["secret-key"], "CSP_WEB_KEYS_KEY": secrets["keys-key"]}
    assert "FAIL" not in empty.say("restore", file)


def test_a_wrong_keys_key_is_refused_clearly(stocked: CommandLine, empty: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    stocked.say("backup", file)
    empty.more = {"CSP_WEB_KEYS_KEY": "ab" * 32}
    assert "CSP_WEB_KEYS_KEY" in empty.refuse("restore", file)
    empty.more = {}
    assert "FAIL" not in empty.say("restore", file)


def test_f18_a_lost_keys_key_is_said_by_doctor_and_at_the_start(stocked: CommandLine) -> None:
    (stocked.folder / "keys-key").unlink()
    result = stocked.run("doctor")
    assert result.exit_code == 1
    assert "FAIL  stored keys can be read: " in result.stdout
    assert "under another secret than CSP_WEB_KEYS_KEY" in stocked.refuse("run", "--port", "0")


def test_doctor_names_a_damaged_file(stocked: CommandLine) -> None:
    """F20."""
    stocked.more = {}
    installation.configure(load(stocked.environment))
    key = next(path.name for path in (stocked.folder / "files").rglob("*") if path.is_file())
    path = file_store().path(key)
    assert path is not None
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    assert stocked.run("doctor").exit_code == 0
    result = stocked.run("doctor", "--read-files")
    assert result.exit_code == 1
    assert "setup.iso has another content" in result.stdout
    path.unlink()
    assert "setup.iso is missing" in stocked.run("doctor").stdout


def test_a_backup_that_fails_leaves_no_file(
    stocked: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_path: Path, _progress: object) -> archive.Manifest:
        raise archive.Damaged("read back wrongly")

    monkeypatch.setattr(archive, "verify", broken)
    folder = tmp_path / "backups"
    folder.mkdir()
    assert "read back wrongly" in stocked.refuse("backup", folder / "backup.tar")
    assert list(folder.iterdir()) == []


def test_a_cut_off_restore_can_be_repeated(
    stocked: CommandLine, empty: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "backup.tar"
    stocked.say("backup", file)
    with monkeypatch.context() as patched:
        patched.setattr("csp_web.cli.backup.restore_database", _no_room)
        assert "No space left" in empty.refuse("restore", file)
    assert "FAIL" not in empty.say("restore", file)


def _no_room(_copy: Path, _url: str) -> None:
    raise OSError(28, "No space left on device", "/data")


def test_without_postgresqls_programs_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match=r"pg_dump is not installed here\. Install PostgreSQL's client programs"):
        find_program("pg_dump")
