"""Which addresses may be sent to: those of the public internet, and those of networks that a setting names.

A name is resolved here, and what it resolves to is what is connected to: a name that changes in between leads nowhere else.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) -> its addresses."""
_NAT64 = ip_network("64:ff9b::/96")


class AddressRefused(Exception):  # noqa: N818 - it is named for the state it tells of
    """The receiver's address may not be sent to, or its name has none."""


def may_reach(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address may be sent to: it is public, whatever it is wrapped in, or in one of the networks."""
    found = _unwrapped(ip_address(address.partition("%")[0]))
    if any(found.version == network.version and found in network for network in networks):
        return True
    return found.is_global and not found.is_multicast and not found.is_reserved


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the address of version 4 that one of version 6 stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo is not None else address)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as the system knows them. Each has a thread of its own, for which nobody waits at the end.

    Raises:
        AddressRefused: It knows none.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Sequence[str]] = loop.create_future()

    def tell(addresses: Sequence[str]) -> None:
        if not found.done():
            found.set_result(addresses)

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            rows = []
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, list(dict.fromkeys(str(row[4][0]) for row in rows)))

    threading.Thread(target=ask, name="ordre-names", daemon=True).start()
    addresses = await found
    if not addresses:
        raise AddressRefused(f"no address is known by the name {host}")
    return addresses


class Guarded(AsyncNetworkBackend):
    """Connects to addresses that may be reached, and to no others. One name is resolved at a time."""

    def __init__(self, networks: Sequence[Network], resolve: Resolve = resolve) -> None:
        self._networks, self._resolve = networks, resolve
        self._inner = httpcore.AnyIOBackend()
        self._one = asyncio.Lock()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as the library has it
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to the first address of a host that may be reached and answers.

        Raises:
            AddressRefused: None may be reached.
        """
        async with self._one:
            found = await self._resolve(host, port)
        reachable = [address for address in found if may_reach(address, self._networks)]
        if not reachable:
            raise AddressRefused(f"{host} is at {found[0]}, which is not on the public internet (see ORDRE_HOOK_NETWORKS)")
        *others, last = reachable
        for address in others:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(last, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - as the library has it
        socket_options: Iterable[SOCKET_OPTION] | None = None,  # noqa: ARG002 - as above
    ) -> AsyncNetworkStream:
        """Refuse: no receiver is a file."""
        raise AddressRefused(f"{path} is no address")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
