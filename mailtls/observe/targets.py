"""Which addresses may be connected to. A name that somebody typed, or a record of theirs, leads to addresses that they
choose: without this, a check would be a way to knock on doors inside our own network."""

import errno
import ipaddress
import socket

_NO_WAY = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether `address` is one of the public internet, also by the IPv4 address that is wrapped up in it."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def has_route(address: str) -> bool:
    """Whether this machine has any way to `address`: without IPv6 it has none to half the internet, which is no fault
    of the other side. The system is asked; nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((address, 9))
    except OSError as e:
        return e.errno not in _NO_WAY
    return True
