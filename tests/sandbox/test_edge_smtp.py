"""The SMTP edge: takes what the deployed rules take, says of DKIM what is true, and stores it under SES's headers."""

import base64
import email
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from deployed import document
from edge_callers import address, hung_up

from mailtls.reports.authenticity import judge
from sandbox import account
from sandbox.cloud.emulator.name_server import NameServer
from sandbox.cloud.start import Emulator
from sandbox.edges.certificates import Authority
from sandbox.edges.receipt_rules import Rule
from sandbox.edges.smtp import SmtpEdge

REGION = "eu-west-2"
"""Not the platform's, so that no other test's active rule set is in the way."""
EXCHANGER = f"inbound-smtp.{REGION}.amazonaws.com"
SENDER = "sender-one.test"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def where(emulator: Emulator, names: NameServer, authority: Authority) -> Iterator[str]:
    edge = SmtpEdge(authority, lambda: emulator.endpoint, names.address, REGION)
    yield edge.start()
    edge.stop()


@pytest.fixture(scope="module")
def key(names: NameServer) -> bytes:
    """SENDER's private key; its public half is in DNS."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = base64.b64encode(made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    names.add(f"s1._domainkey.{SENDER}", "TXT", f'"v=DKIM1; k=rsa; " "p={public[:200]}" "{public[200:]}"')
    names.add(SENDER, "TXT", '"v=spf1 ip4:127.0.0.1 -all"')
    names.add(f"_dmarc.{SENDER}", "TXT", '"v=DMARC1; p=reject"')
    return made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@dataclass
class Intake:
    """A reports domain with all that it takes to receive. rules: of the active set."""

    aws: Callable[..., Any]
    names: NameServer
    domain: str
    bucket: str
    rule_set: str

    @property
    def address(self) -> str:
        return f"tlsrpt@{self.domain}"

    @property
    def ses(self) -> Any:
        return self.aws("ses", REGION)

    def allow(self) -> None:
        """The bucket policy of the program: SES may write for the rules of this set."""
        arn = f"arn:aws:ses:{REGION}:{account.ACCOUNT_ID}:receipt-rule-set/{self.rule_set}:receipt-rule/*"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "ses.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/*",
            "Condition": {"ArnLike": {"aws:SourceArn": arn}},
        }
        self.aws("s3").put_bucket_policy(Bucket=self.bucket, Policy=document(statement))

    def add_rule(self, name: str = "store", prefix: str = "raw/", stop: bool = False, **members: Any) -> None:
        """At the end of the set."""
        known = self.ses.describe_receipt_rule_set(RuleSetName=self.rule_set)["Rules"]
        after = {"After": known[-1]["Name"]} if known else {}
        actions: list[Any] = [{"S3Action": {"BucketName": self.bucket, "ObjectKeyPrefix": prefix}}]
        actions += [{"StopAction": {"Scope": "RuleSet"}}] if stop else []
        rule = {"Name": name, "Enabled": True, "Recipients": [self.address], "ScanEnabled": True, "Actions": actions}
        self.ses.create_receipt_rule(RuleSetName=self.rule_set, Rule=rule | members, **after)

    def stored(self, prefix: str = "raw/") -> list[bytes]:
        """What came in; SES's own test object is left out."""
        s3 = self.aws("s3")
        listed = s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", ())
        keys = [one["Key"] for one in listed if not one["Key"].endswith("AMAZON_SES_SETUP_NOTIFICATION")]
        return [s3.get_object(Bucket=self.bucket, Key=name)["Body"].read() for name in keys]


@pytest.fixture
def intake(aws: Callable[..., Any], names: NameServer, unique: Callable[..., str]) -> Iterator[Intake]:
    name = unique("intake")
    made = Intake(aws, names, f"reports.{name}.test", name, name)
    token = made.ses.verify_domain_identity(Domain=made.domain)["VerificationToken"]
    names.add(f"_amazonses.{made.domain}", "TXT", f'"{token}"')
    names.add(made.domain, "MX", f"10 {EXCHANGER}.")
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.REGION})
    made.allow()
    made.ses.create_receipt_rule_set(RuleSetName=name)
    made.ses.set_active_receipt_rule_set(RuleSetName=name)
    yield made
    made.ses.set_active_receipt_rule_set()


@pytest.fixture
def ready(intake: Intake) -> Intake:
    """With one rule, as the program's."""
    intake.add_rule()
    return intake


class Session(smtplib.SMTP):
    """With the MX host under its own name, at the edge's port."""

    def __init__(self, where: str) -> None:
        self._where = where
        super().__init__(EXCHANGER, 25, local_hostname=f"mta.{SENDER}", timeout=20)

    def _get_socket(self, *_: Any) -> socket.socket:
        return socket.create_connection(address(self._where), 20)


@pytest.fixture
def session(where: str, authority: Authority) -> Iterator[Session]:
    """Over TLS, certificate verified for the MX."""
    with Session(where) as session:
        session.starttls(context=ssl.create_default_context(cafile=str(authority.ca)))
        session.ehlo()
        yield session


def mail(to: str, body: str = "{}", author: str = f"tls-reports@{SENDER}") -> bytes:
    lines = (f"From: <{author}>", f"To: <{to}>", "Subject: Report Domain: contoso.example", "", body, ".dot", "")
    return "\r\n".join(lines).encode()


def signed(key: bytes, data: bytes, domain: str = SENDER, **settings: Any) -> bytes:
    signature: bytes = dkim.sign(
        data, b"s1", domain.encode(), key, include_headers=[b"from", b"to", b"subject"], **settings
    )
    return signature + data


def top(stored: bytes) -> list[tuple[str, str]]:
    """The header fields, unfolded."""
    found = email.message_from_bytes(stored)
    return [(name, " ".join(str(value).split())) for name, value in found.items()]


def results(stored: bytes) -> str:
    return next(value for name, value in top(stored) if name == "Authentication-Results")


# ------------------------------------------------------------------------------------------------------ a mail in


def test_the_endpoint_calls_itself_what_ses_does(where: str) -> None:
    with socket.create_connection(address(where), 10) as connection:
        assert connection.recv(200).startswith(f"220 {EXCHANGER} ESMTP SimpleEmailService".encode())


def test_a_signed_mail_is_stored_as_it_came_under_the_headers_of_ses(
    ready: Intake, session: Session, key: bytes
) -> None:
    data = signed(key, mail(ready.address))
    session.sendmail(f"bounce@{SENDER}", [ready.address], data)
    (stored,) = ready.stored()
    assert stored.endswith(b"\r\n" + data)
    assert [name for name, _ in top(stored)] == [
        *("Return-Path", "Received", "X-SES-Spam-Verdict", "X-SES-Virus-Verdict", "Received-SPF"),
        *("Authentication-Results", "X-SES-RECEIPT", "X-SES-DKIM-SIGNATURE"),
        *("DKIM-Signature", "From", "To", "Subject"),
    ]
    fields = dict(top(stored))
    assert fields["Return-Path"] == f"<bounce@{SENDER}>"
    assert f"by {EXCHANGER} with SMTP id" in fields["Received"]
    assert (fields["X-SES-Spam-Verdict"], fields["X-SES-Virus-Verdict"]) == ("PASS", "PASS")
    assert results(stored) == (
        f"amazonses.com; spf=pass (spfCheck: domain of {SENDER} designates 127.0.0.1 as permitted sender) "
        f"client-ip=127.0.0.1; envelope-from=bounce@{SENDER}; helo=mta.{SENDER}; "
        f"dkim=pass header.i=@{SENDER}; dmarc=pass header.from={SENDER};"
    )


def test_the_function_that_reads_these_headers_believes_them(ready: Intake, session: Session, key: bytes) -> None:
    session.sendmail(f"bounce@{SENDER}", [ready.address], signed(key, mail(ready.address)))
    (stored,) = ready.stored()
    verdict = judge(top(stored))
    assert (verdict.reason, verdict.signer) == (None, SENDER)


def test_the_object_is_named_by_the_message_id_that_the_sender_is_told(ready: Intake, session: Session) -> None:
    session.mail(f"a@{SENDER}")
    session.rcpt(ready.address)
    code, said = session.data(mail(ready.address))
    assert (code, said[:3]) == (250, b"OK ")
    listed = ready.aws("s3").list_objects_v2(Bucket=ready.bucket, Prefix=f"raw/{said[3:].decode()}")
    assert listed["KeyCount"] == 1


def test_a_mail_without_tls_is_taken_when_the_rule_lets_it(ready: Intake, where: str) -> None:
    with Session(where) as session:
        session.sendmail("", [ready.address], mail(ready.address))
    (stored,) = ready.stored()
    assert dict(top(stored))["Return-Path"] == "<>"
    assert f"envelope-from=postmaster@mta.{SENDER};" in results(stored)


def test_without_scanning_there_are_no_verdicts(intake: Intake, session: Session) -> None:
    intake.add_rule(ScanEnabled=False)
    session.sendmail("", [intake.address], mail(intake.address))
    (stored,) = intake.stored()
    assert "Verdict" not in stored.decode()


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("EICAR-STANDARD-ANTIVIRUS-" + "TEST-FILE", "X-SES-Virus-Verdict: FAIL"),
        ("GTUBE-STANDARD-ANTI-UBE-" + "TEST-EMAIL", "X-SES-Spam-Verdict: FAIL"),
    ],
)
def test_scanners_find_their_test_texts(ready: Intake, session: Session, text: str, verdict: str) -> None:
    session.sendmail("", [ready.address], mail(ready.address, text))
    (stored,) = ready.stored()
    assert verdict in stored.decode()


# ----------------------------------------------------------------------------------------------------------- DKIM


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda data: data.replace(b"{}", b"{ }"), f"dkim=fail header.i=@{SENDER};"),
        (lambda data: data.replace(b"contoso", b"fabrikam"), f"dkim=fail header.i=@{SENDER};"),
        (lambda data: data.replace(b"s=s1", b"s=s2"), f"dkim=permerror header.i=@{SENDER};"),
        (lambda data: data.replace(b"a=rsa-sha256", b"a=rsa-sha999"), f"dkim=permerror header.i=@{SENDER};"),
        (lambda data: data.replace(b"bh=", b"xh="), f"dkim=permerror header.i=@{SENDER};"),
        (lambda data: data[data.index(b"From:") :], "dkim=none;"),
    ],
)
def test_what_is_said_of_a_signature_is_true(
    ready: Intake, session: Session, key: bytes, spoil: Callable[[bytes], bytes], expected: str
) -> None:
    session.sendmail("", [ready.address], spoil(signed(key, mail(ready.address))))
    (stored,) = ready.stored()
    assert expected in results(stored)
    assert "dkim=pass" not in results(stored)
    assert judge(top(stored)).reason is not None


def test_every_signature_has_its_own_clause(ready: Intake, session: Session, key: bytes) -> None:
    data = signed(key, signed(key, mail(ready.address)), "nobody.test")
    session.sendmail("", [ready.address], data)
    (stored,) = ready.stored()
    assert f"dkim=permerror header.i=@nobody.test; dkim=pass header.i=@{SENDER};" in results(stored)


def test_a_signature_over_a_part_of_the_body_passes(ready: Intake, session: Session, key: bytes) -> None:
    data = signed(key, mail(ready.address), length=True) + b"and more\r\n"
    session.sendmail("", [ready.address], data)
    (stored,) = ready.stored()
    assert "dkim=pass" in results(stored)


def test_what_the_sender_calls_itself_stands_there_as_it_came_and_is_not_believed(ready: Intake, where: str) -> None:
    with Session(where) as session:
        session.ehlo(f"x;dkim=pass;header.i=@{SENDER}")
        session.sendmail("", [ready.address], b"DKIM-Signature: d=nobody.test\r\n" + mail(ready.address))
    (stored,) = ready.stored()
    assert f"helo=x;dkim=pass;header.i=@{SENDER};" in results(stored)
    assert judge(top(stored)).reason is not None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b" folded: from the start\r\n",
        b"no header at all\r\n",
        b"DKIM-Signature: \r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; b=!!; bh=!!; d=\xff; s=\xff; h=from\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; b=AAAA; bh=AAAA; d=a..b; s=s1; h=from; l=99999999999999999999\r\n",
        b"DKIM-Signature: v=1; a=ed25519-sha256; b=AAAA; bh=AAAA; d=sender-one.test; s=s1; h=from\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; c=nonsense; b=AAAA; bh=AAAA; d=sender-one.test; s=s1; h=from\r\n",
        b"From: =?utf-8?b?4oiA?= <@>\r\nFrom: two\r\n",
    ],
)
def test_a_hostile_head_is_stored_like_any_other(ready: Intake, session: Session, key: bytes, head: bytes) -> None:
    data = head + b"\r\nbody\r\n"
    session.sendmail("", [ready.address], data)
    (stored,) = ready.stored()
    assert stored.endswith(data)
    assert stored.startswith(b"Return-Path: <>\r\n")
    assert b"dkim=pass" not in stored.partition(b"X-SES-RECEIPT")[0]


# ------------------------------------------------------------------------------------------------- what is refused


def refused(session: Session, recipient: str) -> tuple[int, bytes]:
    session.ehlo_or_helo_if_needed()
    session.mail(f"a@{SENDER}")
    return session.rcpt(recipient)


def test_only_the_rules_recipient_is_taken(ready: Intake, session: Session) -> None:
    assert refused(session, ready.address)[0] == 250
    assert session.rcpt(ready.address.upper())[0] == 250
    for other in (f"other@{ready.domain}", f"tlsrpt+x@{ready.domain}", f"tlsrpt@sub.{ready.domain}"):
        code, said = session.rcpt(other)
        assert (code, said[:6]) == (550, b"5.1.1 ")


def test_the_mx_in_dns_must_lead_here(ready: Intake, session: Session) -> None:
    for exchangers in ([f"10 inbound-smtp.{account.REGION}.amazonaws.com."], ["10 mx.elsewhere.test."]):
        ready.names.add(ready.domain, "MX", *exchangers)
        assert refused(session, ready.address)[0] == 550
        session.rset()
    ready.names.remove(ready.domain, "MX")
    assert refused(session, ready.address)[0] == 550
    session.rset()
    ready.names.add(ready.domain, "MX", "5 mx.elsewhere.test.", f"20 {EXCHANGER}.")
    assert refused(session, ready.address)[0] == 250


def test_the_domain_must_be_a_verified_identity(ready: Intake, session: Session) -> None:
    ready.ses.delete_identity(Identity=ready.domain)
    assert refused(session, ready.address)[0] == 550
    ready.ses.verify_domain_identity(Domain=ready.domain)
    session.rset()
    assert refused(session, ready.address)[0] == 250


def test_a_rule_set_must_be_active(ready: Intake, session: Session) -> None:
    ready.ses.set_active_receipt_rule_set()
    assert refused(session, ready.address)[0] == 550


def test_a_rule_must_be_enabled(intake: Intake, session: Session) -> None:
    intake.add_rule(Enabled=False)
    assert refused(session, intake.address)[0] == 550


def test_a_rule_may_want_tls(intake: Intake, session: Session, where: str) -> None:
    intake.add_rule(TlsPolicy="Require")
    assert refused(session, intake.address)[0] == 250
    with Session(where) as plain:
        assert refused(plain, intake.address)[0] == 530


def test_a_bucket_that_is_closed_to_ses_makes_the_mail_bounce(
    ready: Intake, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    ready.aws("s3").delete_bucket_policy(Bucket=ready.bucket)
    with pytest.raises(smtplib.SMTPDataError) as caught:
        session.sendmail("", [ready.address], mail(ready.address))
    assert caught.value.smtp_code == 451
    assert ready.stored() == []
    assert "does not let ses.amazonaws.com put" in caplog.text


def test_a_mail_that_is_too_large_is_refused_before_it_is_sent(ready: Intake, session: Session) -> None:
    assert session.mail("a@b.test", [f"SIZE={40 * 1024 * 1024 + 1}"])[0] == 552


def test_a_hundred_recipients_are_enough(intake: Intake, session: Session) -> None:
    intake.add_rule(Recipients=[intake.domain])
    session.mail("a@b.test")
    codes = [session.rcpt(f"r{number}@{intake.domain}")[0] for number in range(101)]
    assert codes == [250] * 100 + [452]


def test_an_edge_without_an_emulator_asks_to_try_again(authority: Authority, names: NameServer) -> None:
    names.add("waiting.test", "MX", f"10 {EXCHANGER}.")
    edge = SmtpEdge(authority, lambda: None, names.address, REGION)
    try:
        with Session(edge.start()) as session:
            assert refused(session, "a@waiting.test")[0] == 451
    finally:
        edge.stop()


def test_a_stopped_edge_has_ended_its_sessions(authority: Authority, names: NameServer) -> None:
    edge = SmtpEdge(authority, lambda: None, names.address, REGION)
    where = edge.start()
    with socket.create_connection(address(where), 10) as connection:
        assert connection.recv(200)
        edge.stop()
        assert hung_up(connection)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(where), 5)


# ---------------------------------------------------------------------------------------------------- several rules


def test_every_rule_that_matches_stores_until_one_stops(intake: Intake, session: Session) -> None:
    intake.add_rule("first", "first/")
    intake.add_rule("other", "other/", Recipients=[f"other@{intake.domain}"])
    intake.add_rule("second", "second/", stop=True, ScanEnabled=False)
    intake.add_rule("third", "third/")
    session.sendmail("", [intake.address], mail(intake.address))
    assert [len(intake.stored(f"{name}/")) for name in ("first", "other", "second", "third")] == [1, 0, 1, 0]
    assert b"X-SES-Virus-Verdict" in intake.stored("first/")[0]
    assert b"X-SES-Virus-Verdict" not in intake.stored("second/")[0]


def test_a_mail_for_two_recipients_is_one_object(intake: Intake, session: Session) -> None:
    intake.add_rule(Recipients=[intake.domain])
    session.sendmail("", [intake.address, f"other@{intake.domain}"], mail(intake.address))
    (stored,) = intake.stored()
    assert f"for {intake.address}, other@{intake.domain};" in dict(top(stored))["Received"]


@pytest.mark.parametrize(
    ("conditions", "taken", "not_taken"),
    [
        (("tls@a.test",), {"tls@a.test", "TLS@A.test"}, {"x@a.test", "tls+x@a.test", "tls@b.a.test"}),
        (("a.test",), {"x@a.test"}, {"x@b.a.test", "x@aa.test"}),
        ((".a.test",), {"x@b.a.test", "x@c.b.a.test"}, {"x@a.test", "x@ba.test"}),
        (("b.test", ".a.test"), {"x@b.test", "x@b.a.test"}, {"x@a.test"}),
        ((), {"x@any.test"}, set()),
    ],
)
def test_a_recipient_condition(conditions: tuple[str, ...], taken: set[str], not_taken: set[str]) -> None:
    rule = Rule("r", "arn", conditions, False, False, ())
    assert {one for one in taken | not_taken if rule.matches(one)} == taken
