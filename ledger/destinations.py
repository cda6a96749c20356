"""Where we may send to when a client says where: public addresses, by https, exactly as he wrote them.

Whoever can make a server call an address of his choosing can make it call its own network. So the form of
the address is strict, the name is looked up once, every address behind it must be public, and the
connection goes to the very address that was looked at: a name that means something else a moment later
changes nothing. ``BURSAR_WEBHOOK_NETWORKS`` names networks of one's own that may be sent to nonetheless,
by http as well; link-local addresses, where clouds keep their credentials, are refused even then.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from ledger.refusals import InvalidInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST = 500
NAME = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
OF_THIS_HOUSE = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa")
UNICAST_V6 = ipaddress.ip_network("2000::/3")
# Addresses of another kind that carry an IPv4 address inside, or that lead to one.
TUNNELS = tuple(ipaddress.ip_network(net) for net in ("2002::/16", "2001::/23", "2001:db8::/32"))


class RefusedDestination(InvalidInput):
    """Nothing is sent to this address."""

    code = "destination_refused"
    title = "Destination refused"


@dataclass(frozen=True, slots=True)
class Destination:
    """An address that may be sent to: what the client wrote, its parts, and whether TLS is spoken."""

    url: str
    host: str
    port: int
    path: str
    tls: bool

    @property
    def authority(self) -> str:
        """What the ``Host`` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def read_destination(url: str) -> Destination:
    """Return the parts of an address whose form is acceptable; raise ``RefusedDestination`` on ``url``.

    Nothing is looked up. Refused are other schemes than https, a name or password in it, a fragment,
    numbers that are IP addresses in disguise, and literal addresses that are not public.
    """
    parts = _split(url)
    host = (parts.hostname or "").lower()
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise _refused("This port is not a number from 1 to 65535.") from None
    literal = _literal(host, bracketed="[" in parts.netloc)
    if literal is None:
        _require_name(host)
    else:
        require_allowed(literal)
    if parts.scheme == "http" and not (_networks() if literal is None else _is_ours(literal)):
        raise _refused("An address begins with https://.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(url, host, port, path, parts.scheme == "https")


def require_allowed(address: Address) -> None:
    """Raise ``RefusedDestination`` unless the address is public or in a network that the settings name."""
    plain = _unmapped(address)
    if plain.is_link_local or plain.is_multicast or plain.is_unspecified:
        raise _refused("This address is not public.")
    if not (_is_ours(plain) or _is_public(plain)):
        raise _refused("This address is not public.")


async def look_up(destination: Destination) -> Address:
    """Return the one address to connect to; raise ``RefusedDestination`` if any behind the name is refused.

    Raises ``OSError`` when the name is not known.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses:
        raise OSError("The name has no address.")
    for address in addresses:
        require_allowed(address)
    if not destination.tls and not all(_is_ours(_unmapped(one)) for one in addresses):
        raise _refused("An address begins with https://.")
    return addresses[0]


def _split(url: str) -> SplitResult:
    if (
        len(url) > LONGEST
        or not url.isascii()
        or not url.isprintable()
        or set(url) & set(' \\"<>^`{|}')
    ):
        raise _refused("This is not an address, such as https://example.com/bursar.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _refused("This is not an address, such as https://example.com/bursar.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _refused("An address begins with https:// and names a host.")
    if "@" in parts.netloc:
        raise _refused("No name or password stands in the address.")
    if "#" in url:
        raise _refused("The address has no fragment.")
    return parts


def _literal(host: str, *, bracketed: bool) -> Address | None:
    """The IP address that the host is, written as one writes it; None where it is a name."""
    try:
        return ipaddress.IPv6Address(host) if bracketed else ipaddress.IPv4Address(host)
    except ValueError:
        if bracketed:
            raise _refused("This is not an IP address.") from None
        return None


def _require_name(host: str) -> None:
    bare = host.removesuffix(".")
    last = bare.rpartition(".")[2]
    if not NAME.fullmatch(bare) or NUMBER.fullmatch(last):
        raise _refused("This is not the name of a host.")
    if last in OF_THIS_HOUSE and not _networks():
        raise _refused("This name is not public.")


def _unmapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that merely carries it."""
    inside = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return inside or address


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (
        address not in UNICAST_V6 or any(address in net for net in TUNNELS)
    ):
        return False
    return address.is_global and not address.is_reserved


def _is_ours(address: Address) -> bool:
    return any(address in ipaddress.ip_network(net) for net in _networks())


def _networks() -> Sequence[str]:
    networks: Sequence[str] = settings.BURSAR_WEBHOOK_NETWORKS
    return networks


def _refused(message: str) -> RefusedDestination:
    return RefusedDestination.on("url", message, code="destination_refused")
