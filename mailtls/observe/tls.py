"""TLS as a sender opens it (RFC 8461 sections 3.3, 4.2 and 7): by name, with the system's authorities, 1.2 or newer.

A certificate that is refused is looked at once more in a second session that checks nothing, because a refusing TLS
library does not hand it out. `Connect` makes the connection that TLS is spoken on, so the same look serves HTTPS and
SMTP after STARTTLS. The sessions are driven here, over asyncio's plain streams, and not by `start_tls`, which would
take what a server sent before the handshake for something that came inside it.
"""

import asyncio
import datetime
import functools
import os
import ssl
import warnings
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mailtls.observe.dial import NoConnection, Streams
from mailtls.observed import Certificate, TlsFault, TlsLook

MAX_HANDSHAKE = 262144
"""Octets that a server may send before a session stands. OpenSSL itself takes no chain above 100 kilobytes."""
MAX_RECORD = 16384 + 2048
"""Octets that are read from the network at once: one TLS record (RFC 5246 section 6.2.3)."""
MAX_NAME = 253
"""Characters of a name in a certificate: an issuer's, or a DNS name (RFC 1035 section 2.3.4)."""
ACCEPTED = ("TLSv1.2", "TLSv1.3")
"""RFC 8461 section 7.2."""

Connect = Callable[[], Awaitable[Streams]]
"""Opens a connection on which TLS comes next. Called once for each session. Raises NoConnection (or one of its kind),
which reaches the caller when it comes before the first session."""

_T = TypeVar("_T")
_FAULTS = {10: TlsFault.EXPIRED, 9: TlsFault.NOT_YET_VALID, 62: TlsFault.WRONG_NAME}
"""OpenSSL's X509_V_ERR_* (x509_vfy.h); every other code is about the chain. OpenSSL stops at the first fault: a chain
that leads nowhere, then the name, then the dates."""


class TlsStream:
    """A TLS session over a plain connection. Deadlines are the caller's (`asyncio.timeout`); so is closing it."""

    def __init__(self, streams: Streams, context: ssl.SSLContext, server_name: str) -> None:
        """Raises ValueError when `server_name` cannot stand in SNI."""
        self._reader, self._writer = streams
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._received = 0
        self._allowed: int | None = MAX_HANDSHAKE

    async def handshake(self) -> None:
        """Raises OSError (ssl.SSLError is one)."""
        await self._drive(self._tls.do_handshake)
        self._allowed = None

    @property
    def version(self) -> str:
        """`TLSv1.3`."""
        return self._tls.version() or ""

    def certificate(self) -> Certificate | None:
        """The server's own; None when it cannot be read."""
        der = self._tls.getpeercert(binary_form=True)
        if not der:
            return None
        decoded = self._tls.getpeercert()  # {} when it was not verified
        return _of_verified(decoded, der) if decoded else read_certificate(der)

    async def read(self, limit: int = MAX_RECORD) -> bytes:
        """Up to `limit` octets; b"" at the end, also where the server ends it without saying so. Raises OSError."""
        try:
            return await self._drive(lambda: self._tls.read(limit))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def write(self, data: bytes) -> None:
        """All of `data`. Raises OSError."""
        await self._drive(lambda: self._tls.write(data))

    def close(self) -> None:
        """At once, without waiting for the other side."""
        self._writer.transport.abort()

    async def _drive(self, step: Callable[[], _T]) -> _T:
        """Do `step`, moving octets between it and the network until it is done."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._send()
                await self._receive()
            except ssl.SSLError:
                await self._send()  # the alert that tells the server why
                raise
            else:
                await self._send()
                return result

    async def _send(self) -> None:
        if self._outgoing.pending:
            self._writer.write(self._outgoing.read())
            await self._writer.drain()

    async def _receive(self) -> None:
        data = await self._reader.read(MAX_RECORD)
        self._received += len(data)
        if self._allowed is not None and self._received > self._allowed:
            raise ConnectionAbortedError(f"the server sent more than {self._allowed} octets before a session stood")
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


async def open_tls(connect: Connect, server_name: str, *, patience: float) -> tuple[TlsLook, TlsStream | None]:
    """A session as a sender opens it, and what was seen of it. The stream is the caller's to close; None with a fault.

    server_name: for SNI and for the certificate. patience: seconds for each connection with its handshake.
    Raises what `connect` raises, and TimeoutError while it connects.
    """
    deadline = asyncio.get_running_loop().time() + patience
    async with asyncio.timeout_at(deadline):
        streams = await connect()
    try:
        async with asyncio.timeout_at(deadline):
            stream = await _session(streams, _verifying(), server_name)
    except ssl.SSLCertVerificationError as e:
        _, certificate = await _unverified(connect, server_name, patience)
        fault = _FAULTS.get(e.verify_code, TlsFault.UNTRUSTED)
        return TlsLook("", certificate, fault, e.verify_message.rstrip(".")), None
    except TimeoutError:
        return TlsLook("", None, TlsFault.HANDSHAKE, f"it was not done within {patience:g} s"), None
    except ValueError as e:
        return TlsLook("", None, TlsFault.WRONG_NAME, f"{server_name!a} is no host's name: {e}"), None
    except OSError as e:
        version, certificate = await _unverified(connect, server_name, patience)
        fault = TlsFault.TOO_OLD if version and version not in ACCEPTED else TlsFault.HANDSHAKE
        return TlsLook("", certificate, fault, _words(e)), None
    return TlsLook(stream.version, stream.certificate()), stream


async def old_versions(connect: Connect, server_name: str, *, patience: float) -> tuple[str, ...] | None:
    """The TLS versions below 1.2 that the server takes, newest first. One connection where it takes none.

    None where it did not answer, which says nothing: a firewall may drop what it takes for an attack.
    SSL 2 and 3 are not asked for: no TLS library of today speaks them.
    """
    try:
        version = await _old_version(connect, server_name, patience, ssl.TLSVersion.TLSv1_1)
        if version != "TLSv1.1":
            return (version,) if version else ()
        oldest = await _old_version(connect, server_name, patience, ssl.TLSVersion.TLSv1)
    except (NoConnection, TimeoutError):
        return None
    return (version, oldest) if oldest else (version,)


async def _old_version(connect: Connect, server_name: str, patience: float, newest: ssl.TLSVersion) -> str:
    """The version of a session up to `newest`; "" when the server refuses. Raises NoConnection, TimeoutError."""
    try:
        version, _ = await _look(connect, server_name, patience, _speaking(newest))
    except TimeoutError:
        raise
    except (OSError, ValueError):
        return ""
    return version


async def _session(streams: Streams, context: ssl.SSLContext, server_name: str) -> TlsStream:
    """Closes the connection when no session comes about. Raises OSError, ValueError."""
    try:
        stream = TlsStream(streams, context, server_name)
        await stream.handshake()
    except BaseException:  # a cancelled wait leaves no socket behind either
        streams[1].transport.abort()
        raise
    return stream


async def _unverified(connect: Connect, server_name: str, patience: float) -> tuple[str, Certificate | None]:
    """Version and certificate of a session that checks nothing; ("", None) when none comes about."""
    try:
        return await _look(connect, server_name, patience, _speaking(ssl.TLSVersion.TLSv1_3))
    except (OSError, ValueError, NoConnection):
        return "", None


async def _look(
    connect: Connect, server_name: str, patience: float, context: ssl.SSLContext
) -> tuple[str, Certificate | None]:
    """Version and certificate of a session that is closed at once. Raises OSError, ValueError, NoConnection."""
    async with asyncio.timeout(patience):
        stream = await _session(await connect(), context, server_name)
    stream.close()
    return stream.version, stream.certificate()


def _verifying() -> ssl.SSLContext:
    """Loading the authorities takes longer than a fetch, so it is done once for each bundle that is asked for."""
    return _verifying_with(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _verifying_with(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """OpenSSL reads the two variables by itself.

    Not `create_default_context`: from Python 3.13 on it refuses certificates that senders take (VERIFY_X509_STRICT).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # RFC 8461 sections 3.3 and 4.2: DNS-ID only
    return context


@functools.cache
def _speaking(newest: ssl.TLSVersion) -> ssl.SSLContext:
    """Checks nothing and takes any key, cipher and version from TLS 1.0 up to `newest`: to look, not to talk."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that these versions are old is what we look for
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
    return context


def _of_verified(decoded: dict[str, Any], der: bytes) -> Certificate:
    """From what `SSLObject.getpeercert` returns: a command that meets good certificates only loads nothing for them."""
    issuer = {name: value for attributes in decoded["issuer"] for name, value in attributes}
    return Certificate(
        tuple(value.lower() for kind, value in decoded.get("subjectAltName", ()) if kind == "DNS"),
        _time(decoded["notBefore"]),
        _time(decoded["notAfter"]),
        _shown(issuer.get("organizationName") or issuer.get("commonName") or ""),
        der,
    )


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(ssl.cert_time_to_seconds(text), datetime.UTC)


def read_certificate(der: bytes) -> Certificate | None:
    """From a certificate that nobody stands behind: whatever is wrong with it, it is told or it is None."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stranger's odd certificate is no message to the user of a library
            certificate = x509.load_der_x509_certificate(der)
            issuer = [
                attribute.value
                for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
                for attribute in certificate.issuer.get_attributes_for_oid(oid)
            ]
            try:
                names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
                dns_ids = tuple(_shown(name.lower()) for name in names.get_values_for_type(x509.DNSName))
            except x509.ExtensionNotFound:
                dns_ids = ()
            return Certificate(
                dns_ids,
                certificate.not_valid_before_utc,
                certificate.not_valid_after_utc,
                _shown(str(issuer[0]) if issuer else ""),
                der,
            )
    except (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None


def _shown(text: str) -> str:
    """A stranger's name for people's eyes: printable and short."""
    return "".join(character if character.isprintable() else "?" for character in text[:MAX_NAME])


def _words(error: OSError) -> str:
    """`unsupported protocol`, not `[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol (_ssl.c:992)`."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return error.strerror or str(error) or type(error).__name__
