"""The HTTPS edge: serves what the deployed state entitles it to, and nothing else. Judged by ssl and OpenSSL."""

import itertools
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from deployed import access_control, distribution_config, issued_certificate, policy_bucket
from edge_callers import POLICY_PATH, address, get, handshake, hung_up, names_in_certificate, s_client

from sandbox import account
from sandbox.cloud.emulator.name_server import NameServer
from sandbox.cloud.start import Emulator
from sandbox.edges import deployed as deployed_state
from sandbox.edges.certificates import Authority, Kind
from sandbox.edges.connections import Listener
from sandbox.edges.distributions import OWN_NAME, UNKNOWN, Distributions, Presence
from sandbox.edges.faults import Faults
from sandbox.edges.http_message import Answer, serve_requests
from sandbox.edges.https import ALERTS_HOST, HttpsEdge
from sandbox.edges.webhook import Webhook

EDGE = "*.cloudfront.net"
PATIENCE = 20
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(autouse=True)
def no_faults(faults: Faults) -> Iterator[None]:
    yield
    faults.clear()


@pytest.fixture(scope="module")
def where(emulator: Emulator, authority: Authority, faults: Faults) -> Iterator[str]:
    """The edge's address."""
    edge = HttpsEdge(authority, faults, lambda: emulator.endpoint, Webhook(lambda: emulator.endpoint))
    yield edge.start()
    edge.stop()


@dataclass
class Deployment:
    """One policy host as the program deploys it."""

    aws: Callable[..., Any]
    host: str
    bucket: str
    id: str
    domain_name: str

    def put(self, text: str) -> str:
        """Version of the new object."""
        return str(
            self.aws("s3").put_object(
                Bucket=self.bucket,
                Key=f"{self.host}{POLICY_PATH}",
                Body=text.encode(),
                ContentType="text/plain; charset=utf-8",
            )["VersionId"]
        )

    def change(self, **members: Any) -> None:
        """Members of the distribution's configuration."""
        cloudfront = self.aws("cloudfront")
        found = cloudfront.get_distribution_config(Id=self.id)
        config = found["DistributionConfig"] | members
        cloudfront.update_distribution(Id=self.id, IfMatch=found["ETag"], DistributionConfig=config)


@pytest.fixture(scope="module")
def deploy(aws: Callable[..., Any], names: NameServer) -> Callable[[], Deployment]:
    def deployed() -> Deployment:
        name = f"edge-https-{next(_numbers)}"
        host = f"mta-sts.{name}.example"
        bucket = policy_bucket(aws, name)
        config = distribution_config(
            name,
            aliases=(host,),
            certificate=issued_certificate(aws, names, host),
            bucket=bucket,
            folder=f"/{host}",
            access=access_control(aws, name),
        )
        made = aws("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
        deployment = Deployment(aws, host, bucket, made["Id"], made["DomainName"])
        deployment.put("one")
        return deployment

    return deployed


@pytest.fixture(scope="module")
def shared(deploy: Callable[[], Deployment]) -> Deployment:
    """For tests that change nothing."""
    return deploy()


# ------------------------------------------------------------------------------------------------ what is deployed


def test_a_deployed_host_is_served_with_a_certificate_for_its_name(
    where: str, authority: Authority, deploy: Callable[[], Deployment]
) -> None:
    deployment = deploy()
    version = deployment.put("version: STSv1\r\n")
    answer = get(where, deployment.host, authority.ca)
    assert (answer.status, answer.text) == (200, "version: STSv1\r\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-amz-version-id"] == version
    assert names_in_certificate(where, deployment.host, authority.ca) == [deployment.host]


def test_a_change_of_the_object_is_live_at_once(
    where: str, authority: Authority, deploy: Callable[[], Deployment]
) -> None:
    deployment = deploy()
    for text in ("two", "three", "four"):
        deployment.put(text)
        assert get(where, deployment.host, authority.ca).text == text


def test_the_distributions_own_name_has_the_edges_certificate(
    where: str, authority: Authority, shared: Deployment
) -> None:
    assert get(where, shared.domain_name, authority.ca).text == "one"
    assert names_in_certificate(where, shared.domain_name, authority.ca) == [EDGE]


def test_head_tells_the_length_and_sends_no_body(where: str, authority: Authority, shared: Deployment) -> None:
    answer = get(where, shared.host, authority.ca, method="HEAD")
    assert (answer.status, answer.headers["Content-Length"], answer.text) == (200, "3", "")


def test_what_is_not_readable_through_the_bucket_policy_is_refused(
    where: str, authority: Authority, deploy: Callable[[], Deployment]
) -> None:
    deployment = deploy()
    deployment.aws("s3").delete_bucket_policy(Bucket=deployment.bucket)
    assert get(where, deployment.host, authority.ca).status == 403


def test_the_viewers_protocol_is_the_edges_to_say(where: str, authority: Authority, shared: Deployment) -> None:
    answer = get(where, shared.host, authority.ca, headers={"x-sandbox-viewer-protocol": "http"})
    assert answer.status == 200


def test_several_requests_on_one_connection(where: str, authority: Authority, shared: Deployment) -> None:
    request = f"GET {POLICY_PATH} HTTP/1.1\r\nHost: {shared.host}\r\n"
    with handshake(where, shared.host, authority.ca) as secured:
        secured.sendall(f"{request}\r\n{request}Connection: close\r\n\r\n".encode())
        answers = b"".join(iter(lambda: secured.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 200 OK") == 2


# -------------------------------------------------------------------------------------------- what is not deployed


@pytest.mark.parametrize("host", ["mta-sts.never-deployed.example", "d0000000000000.cloudfront.net"])
def test_an_unknown_name_meets_the_edges_certificate_and_a_refusal(where: str, authority: Authority, host: str) -> None:
    assert names_in_certificate(where, host, authority.ca) == [EDGE]
    assert get(where, host, None).status == 403


def test_openssl_says_that_the_name_does_not_match(where: str, authority: Authority) -> None:
    said = s_client(where, "mta-sts.never-deployed.example", "-CAfile", str(authority.ca))
    assert "hostname mismatch" in said.lower()


def test_a_client_without_sni_gets_the_edges_certificate(where: str, authority: Authority, shared: Deployment) -> None:
    context = ssl.create_default_context(cafile=str(authority.ca))
    context.check_hostname = False
    with socket.create_connection(address(where), 10) as connection, context.wrap_socket(connection) as secured:
        found = secured.getpeercert() or {}
    assert found["subjectAltName"] == (("DNS", EDGE),)


def test_a_host_other_than_the_connections_is_misdirected(where: str, authority: Authority, shared: Deployment) -> None:
    assert get(where, shared.host, authority.ca, sni=shared.domain_name).status == 421


def test_a_disabled_distribution_is_no_longer_served(
    where: str, authority: Authority, deploy: Callable[[], Deployment]
) -> None:
    deployment = deploy()
    assert names_in_certificate(where, deployment.host, authority.ca) == [deployment.host]
    deployment.change(Enabled=False)
    assert names_in_certificate(where, deployment.host, authority.ca) == [EDGE]
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        get(where, deployment.host, authority.ca)


def test_a_name_that_its_distribution_gave_up_is_no_longer_served(
    where: str, authority: Authority, deploy: Callable[[], Deployment]
) -> None:
    deployment = deploy()
    assert names_in_certificate(where, deployment.host, authority.ca) == [deployment.host]
    deployment.change(Aliases={"Quantity": 0})
    assert names_in_certificate(where, deployment.host, authority.ca) == [EDGE]


def test_the_distribution_says_how_old_a_protocol_may_be(where: str, deploy: Callable[[], Deployment]) -> None:
    deployment = deploy()
    old = ("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert "alert protocol version" in s_client(where, deployment.host, *old)
    assert "New, TLSv1.2" in s_client(where, deployment.host, "-tls1_2")
    found = deployment.aws("cloudfront").get_distribution_config(Id=deployment.id)["DistributionConfig"]
    viewer = found["ViewerCertificate"]
    deployment.change(ViewerCertificate=viewer | {"MinimumProtocolVersion": "TLSv1.3_2025"})
    assert "alert protocol version" in s_client(where, deployment.host, "-tls1_2")
    deployment.change(ViewerCertificate=viewer | {"MinimumProtocolVersion": "TLSv1.1_2016"})
    assert "New, TLSv1" in s_client(where, deployment.host, *old)


# The emulator refuses a distribution with such a certificate, so what follows is asked of the reading alone, with the
# answers that boto3 would give.

HOST = "mta-sts.contoso.example"


def account_with(monkeypatch: pytest.MonkeyPatch, certificate: dict[str, Any], **distribution: Any) -> Distributions:
    arn = f"arn:aws:acm:us-east-1:{account.ACCOUNT_ID}:certificate/1"
    listed = {
        "Id": "E1",
        "DomainName": "d1.cloudfront.net",
        "Enabled": True,
        "Aliases": {"Quantity": 1, "Items": [HOST]},
        "ViewerCertificate": {"ACMCertificateArn": arn, "MinimumProtocolVersion": "TLSv1.2_2021"},
    }
    listed |= distribution
    found = {"DomainName": HOST, "Status": "ISSUED"} | certificate

    class Client:
        class exceptions:
            class ResourceNotFoundException(Exception): ...

            class NoSuchDistribution(Exception): ...

        def get_paginator(self, _: str) -> "Client":
            return self

        def paginate(self) -> list[dict[str, Any]]:
            return [{"DistributionList": {"Quantity": 0}}, {"DistributionList": {"Items": [listed]}}]

        def get_distribution(self, Id: str) -> dict[str, Any]:
            assert Id == listed["Id"]
            return {"Distribution": {"DomainName": listed["DomainName"], "DistributionConfig": listed}}

        def describe_certificate(self, CertificateArn: str) -> dict[str, Any]:
            if CertificateArn.rpartition("/")[2] != "1":
                raise self.exceptions.ResourceNotFoundException
            return {"Certificate": found}

    monkeypatch.setattr(deployed_state.account, "client", lambda *_: Client())
    return Distributions(lambda: "http://127.0.0.1:1")


def test_an_issued_certificate_for_the_name_entitles(monkeypatch: pytest.MonkeyPatch) -> None:
    read = account_with(monkeypatch, {})
    assert read.presence(HOST) == Presence(HOST, Kind.GOOD, ssl.TLSVersion.TLSv1_2, serves=True)
    assert read.presence("d1.cloudfront.net") == OWN_NAME
    assert read.presence("mta-sts.other.example") == UNKNOWN


@pytest.mark.parametrize(
    ("certificate", "distribution"),
    [
        ({"Status": "PENDING_VALIDATION"}, {}),
        ({"Status": "VALIDATION_TIMED_OUT"}, {}),
        ({"DomainName": "mta-sts.other.example"}, {}),
        ({"DomainName": "*.mta-sts.contoso.example"}, {}),
        ({}, {"Enabled": False}),
        ({}, {"Aliases": {"Quantity": 0}}),
        ({}, {"ViewerCertificate": {"CloudFrontDefaultCertificate": True}}),
        ({}, {"ViewerCertificate": {"ACMCertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}}),
        ({}, {"ViewerCertificate": {"ACMCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/2"}}),
    ],
)
def test_anything_less_does_not(
    monkeypatch: pytest.MonkeyPatch, certificate: dict[str, Any], distribution: dict[str, Any]
) -> None:
    assert account_with(monkeypatch, certificate, **distribution).presence(HOST) == UNKNOWN


def test_who_looks_away_from_the_certificate_is_refused_all_the_same(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    account_with(monkeypatch, {"Status": "PENDING_VALIDATION"})
    origin = Listener("origin", lambda connection: serve_requests(connection, lambda _: Answer.text(200, "policy")))
    endpoint = f"http://{origin.start()}"
    edge = HttpsEdge(authority, Faults(), lambda: endpoint, Webhook(lambda: None))
    where = edge.start()
    try:
        assert get(where, "d1.cloudfront.net", authority.ca).text == "policy"
        assert get(where, HOST, None).status == 403
    finally:
        edge.stop()
        origin.stop()


def test_a_wildcard_certificate_covers_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"DomainName": "contoso.example", "SubjectAlternativeNames": ["contoso.example", "*.Contoso.example"]}
    assert account_with(monkeypatch, names).presence(HOST).serves


def test_an_expired_certificate_is_still_presented(monkeypatch: pytest.MonkeyPatch) -> None:
    assert account_with(monkeypatch, {"Status": "EXPIRED"}).presence(HOST).kind is Kind.EXPIRED


# ------------------------------------------------------------------------------------------- hosts of other people


def outside(name: str) -> str:
    return f"mta-sts.{name}.outside.example"


@pytest.mark.parametrize("name", ["good", "twotxt", "notxt"])
def test_an_outside_host_in_order(where: str, authority: Authority, name: str) -> None:
    answer = get(where, outside(name), authority.ca)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain")
    assert "mode: testing\r\nmx: mx.outside.example\r\n" in answer.text
    assert get(where, outside(name), authority.ca, path="/").status == 404


def test_an_outside_host_with_a_certificate_for_another_name(where: str, authority: Authority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        get(where, outside("badcert"), authority.ca)
    assert get(where, outside("badcert"), None).status == 200


def test_an_outside_host_that_redirects_to_a_good_policy(where: str, authority: Authority) -> None:
    answer = get(where, outside("redirect"), authority.ca)
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{outside('good')}{POLICY_PATH}")


def test_an_outside_host_with_a_web_page(where: str, authority: Authority) -> None:
    answer = get(where, outside("html"), authority.ca)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_the_webhook_has_a_name_of_its_own(where: str, authority: Authority) -> None:
    assert get(where, ALERTS_HOST, authority.ca, path="/messages").text == "[]"


# ---------------------------------------------------------------------------------------------------------- faults


def test_a_held_edge_keeps_what_it_gave_out_and_is_mended(
    where: str, authority: Authority, faults: Faults, deploy: Callable[[], Deployment]
) -> None:
    deployment = deploy()  # nobody has asked this edge for it before the fault
    faults.set("hold-edge", deployment.host)
    deployment.put("two")
    for _ in range(3):
        assert get(where, deployment.host, authority.ca).text == "one"
    faults.clear(deployment.host)
    assert get(where, deployment.host, authority.ca).text == "two"


def test_a_held_edge_has_nothing_but_the_policy(
    where: str, authority: Authority, faults: Faults, shared: Deployment
) -> None:
    faults.set("hold-edge", shared.host)
    assert get(where, shared.host, authority.ca, path="/other").status == 504
    assert get(where, shared.host, authority.ca, method="HEAD").headers["Content-Length"] == "3"


def test_a_held_edge_never_learns_of_a_new_distribution(
    where: str, authority: Authority, faults: Faults, deploy: Callable[[], Deployment]
) -> None:
    number = next(_numbers) + 1  # of the next deployment
    host = f"mta-sts.edge-https-{number}.example"
    faults.set("hold-edge", host)
    assert deploy().host == host
    assert names_in_certificate(where, host, authority.ca) == [EDGE]
    assert get(where, host, None).status == 403
    faults.clear()
    assert get(where, host, authority.ca).text == "one"


def test_a_held_edge_goes_on_when_the_distribution_is_gone(
    where: str, authority: Authority, faults: Faults, deploy: Callable[[], Deployment]
) -> None:
    deployment = deploy()
    faults.set("hold-edge", deployment.host)
    deployment.change(Enabled=False)
    assert get(where, deployment.host, authority.ca).text == "one"


def test_a_slow_edge_gives_the_old_policy_first_and_then_only_the_new_one(
    where: str, authority: Authority, faults: Faults, deploy: Callable[[], Deployment]
) -> None:
    deployment = deploy()
    faults.set("slow-edge", deployment.host, 0.5)
    deployment.put("two")
    seen = [get(where, deployment.host, authority.ca).text]
    assert seen == ["one"]  # noticed by this very request
    end = time.monotonic() + PATIENCE
    while seen.count("two") < 5:
        assert time.monotonic() < end
        seen.append(get(where, deployment.host, authority.ca).text)
    assert seen == sorted(seen)  # one…, two…: it never goes back


def test_an_edge_that_was_held_and_is_slow_now_goes_on_from_what_it_held(
    where: str, authority: Authority, faults: Faults, deploy: Callable[[], Deployment]
) -> None:
    deployment = deploy()
    faults.set("hold-edge", deployment.host)
    deployment.put("two")
    faults.set("slow-edge", deployment.host, 600)
    assert get(where, deployment.host, authority.ca).text == "one"


def test_without_its_certificate_a_host_presents_the_edges(
    where: str, authority: Authority, faults: Faults, shared: Deployment
) -> None:
    faults.set("no-certificate", shared.host)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        get(where, shared.host, authority.ca)
    assert get(where, shared.host, None).text == "one"
    faults.clear()
    assert get(where, shared.host, authority.ca).text == "one"


def test_a_fault_of_one_host_is_no_fault_of_another(
    where: str, authority: Authority, faults: Faults, shared: Deployment, deploy: Callable[[], Deployment]
) -> None:
    faults.set("hold-edge", shared.host)
    faults.set("no-certificate", shared.host)
    assert get(where, deploy().host, authority.ca).status == 200


def test_hosts_of_other_people_are_not_held(faults: Faults, where: str) -> None:
    with pytest.raises(ValueError, match="somebody else's"):
        faults.set("hold-edge", outside("good"))
    assert faults.active() == []


# -------------------------------------------------------------------------------------------------- rude clients


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        ("GET / HTTP/1.1\r\nHost: HOST\r\nX: " + "x" * 8200, 431),
        ("GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n", 400),
        ("GET / HTTP/2\r\nHost: HOST\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: HOST\r\n no-name\r\n\r\n", 400),
        ("\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        ("POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 99999999\r\n\r\n", 413),
    ],
)
def test_a_request_that_is_none_gets_one_answer_and_the_end(
    where: str, authority: Authority, request_head: str, status: int
) -> None:
    host = outside("good")
    with handshake(where, host, authority.ca) as secured:
        secured.sendall(request_head.replace("HOST", host).encode())
        answer = b"".join(iter(lambda: secured.recv(65536), b""))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.count(b"HTTP/1.1 ") == 1 + answer.count(b"no HTTP/1.1 request")


def test_garbage_and_silence_disturb_nobody_else(where: str, authority: Authority) -> None:
    rude = [socket.create_connection(address(where), 10) for _ in range(20)]
    try:
        for number, connection in enumerate(rude):
            if number % 2:
                connection.sendall(bytes(range(256)))
        assert get(where, outside("good"), authority.ca).status == 200
        assert all(hung_up(connection) for connection in rude[1::2])
    finally:
        for connection in rude:
            connection.close()


def test_an_edge_without_an_emulator_serves_nothing_deployed(authority: Authority) -> None:
    faults = Faults()
    edge = HttpsEdge(authority, faults, lambda: None, Webhook(lambda: None))
    where = edge.start()
    try:
        assert get(where, outside("good"), authority.ca).status == 200
        with pytest.raises(OSError, match=r"EOF|reset"):
            get(where, HOST, authority.ca)
        with pytest.raises(ValueError, match="cannot look"):
            faults.set("hold-edge", HOST)
    finally:
        edge.stop()


def test_a_stopped_edge_has_closed_its_port_and_its_connections(authority: Authority) -> None:
    edge = HttpsEdge(authority, Faults(), lambda: None, Webhook(lambda: None))
    where = edge.start()
    with handshake(where, outside("good"), authority.ca) as idle:
        edge.stop()
        assert hung_up(idle)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(where), 5)
