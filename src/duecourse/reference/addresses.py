"""Which addresses on the net are strangers', and which are a firm's own? One rule for everything that is sent out or fetched.  出站地址规则"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def may_reach(address: Address, scheme: str, networks: Iterable[str] = ()) -> bool:
    """A public address over https, or one of a network that was allowed by name.

    networks  in CIDR form, allowed over http too: whoever runs the server named them. Source: IANA special-purpose address registries.

    >>> may_reach(ipaddress.ip_address("10.0.0.1"), "https")
    False
    """
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if mapped is not None:
        return may_reach(mapped, scheme, networks)
    if any(address in ipaddress.ip_network(network, strict=False) for network in networks):
        return True
    return scheme == "https" and address.is_global and not address.is_multicast and not address.is_reserved
