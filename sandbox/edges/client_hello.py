"""Which host a TLS client asks for, learnt before the handshake begins.

The protocol versions that a server takes are settled before OpenSSL tells it the name, so a context that is chosen by
name has to be chosen earlier: the ClientHello is looked at where it lies in the socket's buffer, and left there.
"""

import socket
import ssl
import time

LARGEST_HELLO = 16384
PAUSE_SECONDS = 0.005
"""Between two looks at a ClientHello that has not come whole."""


class NoHello(OSError):
    """No TLS client speaks here, or too slowly."""


def server_name(connection: socket.socket, seconds: float) -> str | None:
    """The name of the client's SNI extension in lower case; None: it sends none. Raises NoHello, OSError."""
    end = time.monotonic() + seconds
    seen = 0
    while (left := end - time.monotonic()) > 0:
        connection.settimeout(left)
        waiting = connection.recv(LARGEST_HELLO, socket.MSG_PEEK)
        if len(waiting) > seen:
            seen = len(waiting)
            whole, name = _look(waiting)
            if whole:
                return name.lower() if name else None
        elif not waiting or seen >= LARGEST_HELLO:
            break
        time.sleep(PAUSE_SECONDS)
    raise NoHello("no ClientHello came in time")


def _look(octets: bytes) -> tuple[bool, str | None]:
    """Whether these octets decide it, and the name. OpenSSL reads them: a handshake that ends at the name."""
    names: list[str | None] = []

    def stop(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> int:
        names.append(name)
        return int(ssl.ALERT_DESCRIPTION_USER_CANCELLED)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.sni_callback = stop
    incoming = ssl.MemoryBIO()
    incoming.write(octets)
    try:
        context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True).do_handshake()
    except ssl.SSLWantReadError:
        return False, None
    except ssl.SSLError as e:
        if not names:
            raise NoHello(f"this is no TLS: {e.reason}") from e
    return True, names[0] if names else None
