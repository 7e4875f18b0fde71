"""Keys at rest (D11): unreadable without the installation's secret, bound to their SKU, never blank, never in a repr."""

from __future__ import annotations

from dataclasses import replace

import pytest

from csp_web.config import Settings
from csp_web.domain.stock import vault
from csp_web.domain.stock.vault import ClearKey, Sealed, VaultClosed

KEY = "2GBT6-7YPFV-22KKC-CDV6Y-CW64B"
HERE = Settings(secret_key="s" * 40, keys_key="k" * 40)
ELSEWHERE = replace(HERE, keys_key="another-secret-" * 3)


@pytest.fixture(autouse=True)
def _configured() -> None:
    vault.configure(HERE)


def test_d11_a_key_comes_back_as_it_went_in_and_never_encrypts_the_same_twice() -> None:
    first, second = vault.seal(KEY, sku=7), vault.seal(KEY, sku=7)
    assert vault.unseal(first, sku=7).reveal() == KEY
    assert first.ciphertext != second.ciphertext
    assert KEY.encode() not in first.ciphertext


def test_d11_a_key_moved_to_another_sku_cannot_be_read() -> None:
    with pytest.raises(VaultClosed, match="damaged"):
        vault.unseal(vault.seal(KEY, sku=7), sku=8)


@pytest.mark.parametrize("place", [0, 12, -1])
def test_d11_a_changed_byte_is_a_refusal_and_not_a_blank(place: int) -> None:
    sealed = vault.seal(KEY, sku=7)
    broken = bytearray(sealed.ciphertext)
    broken[place] ^= 1
    with pytest.raises(VaultClosed, match="damaged"):
        vault.unseal(Sealed(bytes(broken), sealed.key_id), sku=7)


def test_d11_a_truncated_value_is_a_refusal() -> None:
    with pytest.raises(VaultClosed, match="damaged"):
        vault.unseal(Sealed(b"", vault.key_id()), sku=7)


def test_d11_another_secret_says_so_and_what_to_do() -> None:
    sealed = vault.seal(KEY, sku=7)
    vault.configure(ELSEWHERE)
    with pytest.raises(VaultClosed, match="secret other than") as refusal:
        vault.unseal(sealed, sku=7)
    assert "CSP_WEB_KEYS_KEY" in refusal.value.advice


def test_d11_a_fingerprint_knows_the_key_again_per_sku_and_per_installation() -> None:
    here = vault.fingerprint(KEY, sku=7)
    assert here == vault.fingerprint(KEY, sku=7)
    assert here != vault.fingerprint(KEY, sku=8)
    vault.configure(ELSEWHERE)
    assert here != vault.fingerprint(KEY, sku=7)


def test_d11_the_names_of_secrets_differ_and_give_nothing_away() -> None:
    here = vault.key_id()
    vault.configure(ELSEWHERE)
    assert here != vault.key_id()
    assert len(here) == 16
    assert HERE.keys_key not in here


def test_b4_a_key_in_clear_shows_itself_only_when_asked_by_name() -> None:
    key = ClearKey(KEY)
    assert KEY not in f"{key} {key!r} {[key]}"
    assert key.reveal() == KEY


def test_a_token_follows_from_the_secret_and_the_nonce_and_differs_by_purpose() -> None:
    nonce = vault.new_nonce()
    link = vault.token("link", nonce)
    assert link == vault.token("link", nonce)
    assert link not in {vault.token("transfer", nonce), vault.token("link", vault.new_nonce())}
    assert len(nonce) * 8 >= 128
    assert len(link) == 43
    vault.configure(replace(HERE, secret_key="other" * 10))
    assert link != vault.token("link", nonce)


def test_without_secrets_nothing_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "_vault", None)
    with pytest.raises(RuntimeError, match="configure"):
        vault.seal(KEY, sku=7)
