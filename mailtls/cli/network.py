"""The options by which a command reaches the network, and the Network that they make."""

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.observe.domain import Network

_MOST_FILES = 65536
_FILES_KEPT = 64
"""For all that is no connection: code that is still to be imported, specs, pipes."""
_FILES_EACH = 16
"""Connections that one domain has open at once, as a rule: questions to DNS, policy host, mail hosts."""

_F = TypeVar("_F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--resolver", metavar="ADDRESS[:PORT]", help="Ask this resolver, not the system's. [MAILTLS_RESOLVER]"
    ),
    click.option("--proxy", metavar="URL", help="Fetch policies through this HTTP proxy. [MAILTLS_PROXY]"),
    click.option("--allow-private", is_flag=True, help="Connect to private and loopback addresses too."),
    click.option(
        "--timeout",
        type=click.FloatRange(0.1, 120),
        default=10,
        show_default=True,
        help="Seconds for one fetch; half of it for one DNS question.",
    ),
    click.option(
        "--at-once", type=click.IntRange(1, 500), default=50, show_default=True, help="Domains looked at together."
    ),
)


def network_options(function: _F) -> _F:
    """Adds the options. A command takes their values as `**ways_out` and hands them to `network` as they are."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def network(resolver: str | None, proxy: str | None, allow_private: bool, timeout: float, at_once: int) -> "Network":
    """The ways out that the options ask for. Raises Trouble."""
    from mailtls.observe.dns import Resolver
    from mailtls.observe.domain import Network
    from mailtls.observe.https import Way
    from mailtls.observe.recursive import Recursive, system_resolvers

    resolver = resolver or os.environ.get("MAILTLS_RESOLVER") or None
    proxy = proxy or os.environ.get("MAILTLS_PROXY") or None
    if proxy and (urlsplit(proxy).scheme != "http" or not urlsplit(proxy).hostname):
        raise Trouble(f"{proxy!r} is no proxy; write http://192.0.2.80:3128")
    try:
        walk = Resolver.at(resolver, timeout / 2) if resolver else Resolver(timeout=timeout / 2)
    except ValueError as e:
        raise Trouble(f"--resolver: {e}") from e
    addresses = (walk.address,) if walk.address else system_resolvers()
    if not addresses:
        raise Trouble("this machine has no DNS resolver configured; name one: --resolver 192.0.2.53")
    at_once = min(at_once, max(1, (_open_files() - _FILES_KEPT) // _FILES_EACH))
    return Network(
        Recursive(addresses, walk.port, timeout / 2, 4 * at_once),
        Resolver(walk.address, walk.port, walk.timeout, private_servers=allow_private or walk.address is not None),
        Way(proxy, timeout=timeout),
        allow_private=allow_private,
        at_once=at_once,
    )


def _open_files() -> int:
    """How many files and connections this process may have open, after it has asked for as many as it may ask for:
    some systems begin at 256, and what fails for want of one looks like a fault of the other side."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return _MOST_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):  # macOS refuses more than its kernel's own limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return most
    return _MOST_FILES if soft == resource.RLIM_INFINITY else soft
