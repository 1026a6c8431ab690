"""One internet for all cases, and what each judge says about them, asked once.

The judges are slow to start, so all of them are asked at the same time, the first time that a test wants an answer.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "looks")]

import judges  # noqa: E402  it stands beside this file
from local_internet import Certificates, Internet, PolicyServer  # noqa: E402
from mail_cases import ADDRESSES, COVERAGE, SMTP  # noqa: E402
from policy_cases import CASES  # noqa: E402

POLICY_DOMAINS = [case.domain for case in [*CASES, *COVERAGE]]


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    return Certificates()


@pytest.fixture(scope="session")
def ca(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one authority that every judge trusts."""
    path = tmp_path_factory.mktemp("judges") / "ca.pem"
    certificates.trusted.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def internet(certificates: Certificates) -> Iterator[Internet]:
    records: dict[tuple[str, str], list[str]] = {}
    policy_handlers, mail_handlers = {}, {}
    for policy_case in CASES:
        records |= policy_case.records()
        name = f"mta-sts.{policy_case.domain}"
        context = policy_case.tls(certificates, name)
        policy_handlers[name] = PolicyServer(context, policy_case.http(), policy_case.silence).handle
    for coverage_case in COVERAGE:
        records |= coverage_case.records()
        name = f"mta-sts.{coverage_case.domain}"
        policy_handlers[name] = PolicyServer(certificates.good(name), coverage_case.http()).handle
    for smtp_case in SMTP:
        records |= smtp_case.records()
        name = f"mta-sts.{smtp_case.domain}"
        policy_handlers[name] = PolicyServer(certificates.good(name), smtp_case.http()).handle
        for address, server in zip(ADDRESSES[smtp_case.domain], smtp_case.servers, strict=True):
            if server is not None:
                mail_handlers[address] = server(certificates, smtp_case.host).handle
    running = Internet(records, policy_handlers, mail_handlers)
    yield running
    running.close()


@pytest.fixture(scope="session")
def asked(internet: Internet, ca: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Any]]:
    """What every judge says, ours among them, by name: each is asked in a thread beside the others."""
    postfix = judges.posttls_finger()
    looks = [(address, case.host) for case in SMTP for address in ADDRESSES[case.domain]]
    with ThreadPoolExecutor() as pool:
        answers = {
            "ours": pool.submit(judges.ask_us, internet, ca, POLICY_DOMAINS),
            "ours on port 25": pool.submit(judges.ask_us_on_port_25, internet, ca, [case.domain for case in SMTP]),
            "client": pool.submit(judges.ask_client, internet, ca, [case.domain for case in CASES]),
            "checkdmarc": pool.submit(judges.ask_checkdmarc, internet, ca, POLICY_DOMAINS),
        }
        if postfix is not None:
            folder = tmp_path_factory.mktemp("postfix")
            answers["postfix"] = pool.submit(judges.ask_postfix, postfix, folder, ca, internet.smtp_port, looks)
    return answers


@pytest.fixture(scope="session")
def postfix(asked: dict[str, Future[Any]]) -> dict[str, str]:
    """Its lines by address. Skips where it is not installed."""
    if "postfix" not in asked:
        pytest.skip("posttls-finger is not installed: make programs, or apt-get install postfix")
    answers: dict[str, str] = asked["postfix"].result()
    return answers
