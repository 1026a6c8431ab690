"""The servers stand beside the tests: `from loopback_servers import ...`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="Contoso Trust")


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """The one authority that the machine trusts during a test."""
    with authority.cert_pem.tempfile() as path:
        monkeypatch.setenv("SSL_CERT_FILE", path)
        monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")
        yield authority
