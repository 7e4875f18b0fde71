"""The reverse proxies in front: whose word is taken for where a request comes from."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_BY",
    "HTTP_FORWARDED",
)


class TrustedProxies:
    """Addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed; those of anybody else are cleared.

    The client is the last address on the way that is no trusted proxy, so nobody gains by writing the header himself.

    Raises:
        ValueError: not an address or network.
    """

    def __init__(self, addresses: Iterable[str]) -> None:
        self.networks: tuple[Network, ...] = tuple(ipaddress.ip_network(text, strict=False) for text in addresses)

    def in_front_of(self, app: WSGIApplication) -> WSGIApplication:
        """The application as it is seen through the proxies."""

        def seen(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            self._translate(environ)
            return app(environ, start_response)

        seen.body_limit = getattr(app, "body_limit", None)  # type: ignore[attr-defined]
        return seen

    def _translate(self, environ: dict[str, Any]) -> None:
        said = {name: environ.pop(name, "") for name in FORWARDED}
        peer = _address(environ.get("REMOTE_ADDR", ""))
        if peer is None or not self._trusts(peer):
            return
        environ["REMOTE_ADDR"] = str(self._client(peer, said["HTTP_X_FORWARDED_FOR"]))
        scheme = said["HTTP_X_FORWARDED_PROTO"].rpartition(",")[2].strip().lower()
        if scheme in {"http", "https"}:
            environ["wsgi.url_scheme"] = scheme

    def _client(self, peer: Address, forwarded_for: str) -> Address:
        """The nearest on the way that is not trusted; what stands before it, or before rubbish, anybody may have written."""
        client = peer
        for text in reversed(forwarded_for.split(",")):
            address = _address(text)
            if address is None:
                break
            client = address
            if not self._trusts(address):
                break
        return client

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self.networks if network.version == address.version)


def _address(text: str) -> Address | None:
    """An address, with or without a port; IPv4 in the clothes of IPv6 is IPv4."""
    plain = text.strip()
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
