"""Detached signatures beside installer files: taken in with them, fetched by a link without counting (R29)."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from csp_web.cli.files import add
from csp_web.config import Settings
from csp_web.db import session, transaction
from csp_web.domain.delivery.download_options import OptionFacts, add_file, incoming
from csp_web.domain.delivery.links import get_keys_and_downloads, token_of
from csp_web.domain.delivery.signatures import LARGEST, Signature, read_signature
from csp_web.errors import Invalid
from csp_web.models import DownloadLink, DownloadOption, Product
from tests.support.files import add_option
from tests.support.plain import PlainBrowser
from tests.support.stock import bought
from tests.world import World

SIGNED = b"-----BEGIN PGP SIGNATURE-----\n..."


def test_r29_a_link_gives_the_signature_under_the_files_name_and_counts_nothing(
    client: FlaskClient, world: World
) -> None:
    option = add_option(world, content=b"installer")
    facts = OptionFacts(option.version, option.language, option.file_type, option.file_name)
    product, subscription = option.product_id, bought(world)
    with transaction():
        link = get_keys_and_downloads(subscription, option, by=world.actor("alice"), recipient="").link
        number, address = link.id, f"/d/{token_of(link)}"
    assert "signature" not in client.get(address).text
    assert client.get(f"{address}/signature").status_code == 404
    with incoming(io.BytesIO(b"installer")) as stored, transaction():
        again = add_file(
            session.get_one(Product, product), facts, stored=stored, by=None, signature=Signature(".asc", SIGNED)
        )
        assert again.storage_key != stored.key
    assert f"{address}/signature" in client.get(address).text
    answer = client.get(f"{address}/signature")
    assert answer.data == SIGNED
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="windows_server.iso.asc"')
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    session.rollback()
    assert session.get_one(DownloadLink, number).used == 0


@pytest.mark.parametrize(
    ("name", "content"), [("setup.exe", b"x"), ("setup.asc", b""), ("setup.sig", bytes(LARGEST + 1)), ("asc", b"x")]
)
def test_what_is_no_signature_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        read_signature(name, io.BytesIO(content))
    assert list(refusal.value.problems) == ["signature"]
    assert read_signature("SETUP.ISO.SIG", io.BytesIO(bytes(LARGEST))).kind == ".sig"


def test_the_operator_adds_one_in_the_form(app: Flask, world: World) -> None:
    page = PlainBrowser(world.sign_in(app, "olga")).open("/admin/files/new")
    product = session.get_one(Product, world.offer("windows-US").sku.product_id)
    page.fill("Product", f"{product.title} ({product.product_id})").fill("Version", "Windows Server 2025")
    page.fill("Language", "English (en-US)").fill("File type/OS", "64 Bit, ISO").fill("File", [("a.iso", b"iso")])
    page.fill("Detached signature", [("a.iso.txt", SIGNED)]).press("Save")
    assert "ends in .asc or .sig" in page.text
    page.fill("File", [("a.iso", b"iso")]).fill("Detached signature", [("a.iso.sig", SIGNED)]).press("Save")
    option = session.query(DownloadOption).one()
    assert (option.signature_kind, option.signature) == (".sig", SIGNED)


def test_the_command_adds_one(
    world: World, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = session.get_one(Product, world.offer("windows-US").sku.product_id).product_id
    for name, content in (("a.iso", b"iso"), ("a.iso.asc", SIGNED)):
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr("csp_web.cli.files.open_installation", lambda: settings)
    given = ["--product", product, "--version", "2025", "--language", "English (en-US)", "--file-type", "ISO"]
    done = CliRunner().invoke(add, [str(tmp_path / "a.iso"), *given, "--signature", str(tmp_path / "a.iso.asc")])
    assert done.exit_code == 0, done.output
    assert session.query(DownloadOption).one().signature == SIGNED
