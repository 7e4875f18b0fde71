"""Binding the one socket that all processes accept from."""

from __future__ import annotations

import errno
import socket

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - only when asked for

# How much the kernel keeps for a client that does not take it. Its own choice is megabytes: memory for every slow
# client, and a client that leaves at once would count as one who took them. Throughput is the same.
UNSENT_BYTES = 128 * 1024


class CannotListen(Exception):
    """The address cannot be used; the text says why and what to do."""


def listen(host: str, port: int, *, backlog: int = 1024) -> socket.socket:
    """A listening socket. An empty host or ``*`` means every address of the machine; port 0 means a free port.

    Raises:
        CannotListen: the port is taken or reserved, or the address is not this machine's.
    """
    if not 0 <= port <= 65535:  # the resolver would silently take the remainder
        raise CannotListen(f"{port} is not a port: choose one from 1 to 65535.")
    try:
        made = _bind(host, port, backlog)
    except OSError as error:
        raise CannotListen(_sentence(error, host or "*", port)) from error
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # the sockets that are accepted inherit it
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    return made


def _bind(host: str, port: int, backlog: int) -> socket.socket:
    if host in {"", "*", "::"} and socket.has_dualstack_ipv6():
        return socket.create_server(("::", port), family=socket.AF_INET6, backlog=backlog, dualstack_ipv6=True)
    family, address = _resolve(EVERY_ADDRESS if host in {"", "*"} else host, port)
    return socket.create_server(address, family=family, backlog=backlog)


def _resolve(host: str, port: int) -> tuple[int, tuple[str, int]]:
    """The first address of a name, IPv4 before IPv6: ``localhost`` means 127.0.0.1 to most people and proxies."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _type, _protocol, _name, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, (str(address[0]), int(address[1]))


def _sentence(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror):
        return f"Cannot listen on {host}: no such address is known. Choose 127.0.0.1, or 0.0.0.0 for every address."
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program: stop that one, or choose another port."
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for the administrator of this machine: choose one above 1023."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine: choose 127.0.0.1, or 0.0.0.0 for every address."
    return f"Cannot listen on {host}, port {port}: {error.strerror or error}."
