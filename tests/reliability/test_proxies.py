"""Where a request comes from, behind reverse proxies: what sign-in limits and the activity log go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from csp_web.config import SettingsError, load
from csp_web.serving.proxies import TrustedProxies

PROXIES = TrustedProxies(["127.0.0.1", "10.0.0.0/8", "2001:db8::1"])


def seen(peer: str, **headers: str) -> dict[str, Any]:
    """What the application is told."""
    told: dict[str, Any] = {}

    def app(environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
        told.update(environ)
        return []

    given = {f"HTTP_{name.upper()}": text for name, text in headers.items()}
    PROXIES.in_front_of(app)({"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **given}, lambda *_: None)
    return told


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "198.51.100.9:4711", "198.51.100.9"),
        ("127.0.0.1", "[2001:db8::9]:443", "2001:db8::9"),
        ("::ffff:127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.1.2.3", "203.0.113.5, 198.51.100.9", "198.51.100.9"),  # the first one was written by the client itself
        ("127.0.0.1", "198.51.100.9, 10.9.9.9", "198.51.100.9"),  # two proxies one behind the other
        ("127.0.0.1", "rubbish", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("198.51.100.7", "203.0.113.5", "198.51.100.7"),  # not a proxy of ours
    ],
)
def test_the_client_is_the_nearest_that_is_no_trusted_proxy(peer: str, forwarded: str, client: str) -> None:
    told = seen(peer, x_forwarded_for=forwarded)
    assert told["REMOTE_ADDR"] == client
    assert "HTTP_X_FORWARDED_FOR" not in told


def test_the_scheme_is_the_last_proxys_word() -> None:
    assert seen("127.0.0.1", x_forwarded_proto="http, https")["wsgi.url_scheme"] == "https"
    assert seen("198.51.100.7", x_forwarded_proto="https")["wsgi.url_scheme"] == "http"
    assert seen("127.0.0.1", x_forwarded_proto="gopher")["wsgi.url_scheme"] == "http"


def test_a_stranger_cannot_name_a_host() -> None:
    assert "HTTP_X_FORWARDED_HOST" not in seen("127.0.0.1", x_forwarded_host="evil.example")


def test_proxies_are_a_list_of_addresses_in_the_settings(tmp_path: Any) -> None:
    plain = {"CSP_WEB_DATA_DIR": str(tmp_path)}
    assert load({**plain, "CSP_WEB_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}).trusted_proxies == (
        "127.0.0.1",
        "10.0.0.0/8",
    )
    with pytest.raises(SettingsError, match=r"CSP_WEB_TRUSTED_PROXIES holds 'nginx'"):
        load({**plain, "CSP_WEB_TRUSTED_PROXIES": "nginx"})
