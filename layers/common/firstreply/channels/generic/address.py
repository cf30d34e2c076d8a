"""Where an answer may go: its address came with a message, so it is held for a stranger's.

A name is resolved once, and connected to at the very address that was found to be public: what it
leads to a moment later makes no difference. TLS still asks for the name.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from firstreply.errors import Refuse, TryLater

if TYPE_CHECKING:
    import httpx

    from firstreply.secrets import Section

_HTTPS = 443
# Printable ASCII; a backslash is a slash to some.
_PLAIN = re.compile(r"https://[!-\[\]-~]+", re.IGNORECASE)
# Of several labels, the last one beginning with a letter: no number, in whatever notation.
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{4,253}}\Z)(?:{_LABEL}\.)+(?=[a-z]){_LABEL}")
_INSIDE = re.compile(r"(?:.*\.)?(?:localhost|localdomain|local|internal|lan|home\.arpa)")
# The addresses that are given out; an IPv4 address in disguise is in none of them.
_GIVEN_OUT = ip_network("2000::/3")


@dataclass(frozen=True, slots=True)
class Destination:
    """`url` has the address for a host; `headers` and `extensions` are httpx's, with the name."""

    url: str
    headers: Mapping[str, str]
    extensions: Mapping[str, Any]


def destination(address: str, secret: Section) -> Destination:
    """Where to connect to. Refuse if nobody outside would have such an address, TryLater if its
    name cannot be resolved now. The reasons name neither: an address may carry a secret."""
    url = _url(address)
    host, port = url.raw_host.decode(), _HTTPS if url.port is None else url.port
    if port not in _ports(secret):
        raise Refuse("reply_url: only port 443, or one of reply_ports in the secret")
    if not _NAME.fullmatch(host) or _INSIDE.fullmatch(host):
        raise Refuse("reply_url: its host is no name on the internet")
    return Destination(
        str(url.copy_with(host=_public_address(host, port))),
        # Closed afterwards: a connection is known by its address alone, and two names may share it.
        {"host": url.netloc.decode(), "connection": "close"},
        {"sni_hostname": host},
    )


def _url(address: str) -> httpx.URL:
    """Read by who will connect to it: two parsers may disagree about what the host is."""
    import httpx

    try:
        url = httpx.URL(address if _PLAIN.fullmatch(address) else "")
    except httpx.InvalidURL:
        raise Refuse("reply_url: not an address") from None
    if url.scheme != "https":
        raise Refuse("reply_url: not an https address")
    if url.userinfo:
        raise Refuse("reply_url: it holds credentials")
    return url


def _ports(secret: Section) -> tuple[object, ...]:
    more = secret.get("reply_ports")
    return (_HTTPS, *(more if isinstance(more, list) else ()))


def _public_address(host: str, port: int) -> str:
    """IPv4 if there is one: where functions run, IPv6 may lead nowhere."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TryLater(f"reply_url: not resolved: {type(error).__name__}") from None
    addresses = {ip_address(str(socket_address[0])) for *_, socket_address in found}
    if not addresses or not all(is_public(one) for one in addresses):
        raise Refuse("reply_url: its host is not on the internet")
    return str(min(addresses, key=lambda one: (one.version, int(one))))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is one machine on the internet, and none of our own network."""
    if isinstance(address, IPv6Address) and address not in _GIVEN_OUT:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
