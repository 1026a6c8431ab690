"""`python -m sandbox report`: a TLS report goes in as a signing sender would send it; what became of it is told."""

import email
import email.utils
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox import account
from sandbox.demo.reporting import Bucket, internet, messages, rua, sender_key, submit
from sandbox.demo.sample_mails import TEXT, SampleMail, failure, multipart, packed, part, policy, report
from sandbox.demo.scene import Scene, asking
from sandbox.demo.story import DemoError, Story
from sandbox.deployment import Deployment
from sandbox.endpoints import Endpoints
from sandbox.outsiders.submission import Signer, crlf
from sandbox.place import Place

SENDER = "big-mail.example"
SELECTOR = "sandbox"
SESSIONS, FAILED = 1000, 400
PATIENCE = 60
ALERT_PATIENCE = 5
"""Seconds after the disposition: the alert is published before it is written, and delivered a moment later."""


@dataclass(frozen=True, slots=True)
class Report:
    """domain: the report is about it, and its own record says where reports go.

    result_type: how sessions failed; None: none did.
    file: a mail of one's own in place of a made one; it is signed when its From is a sender of the sandbox.
    """

    domain: str
    result_type: str | None = None
    file: Path | None = None


def send(place: Place, endpoints: Endpoints, wanted: Report) -> Iterator[str]:
    """Lines for a person, as things happen. Raises DemoError, SubmissionError."""
    scene = Scene(
        Story(), place, endpoints, Deployment(endpoints.pulumi_env, place.logs / "pulumi.log"), place.keys, {}
    )
    bucket = Bucket(_bucket_name(endpoints), endpoints.aws)
    recipient = rua(scene, wanted.domain).removeprefix("mailto:")
    there, heard = set(bucket.keys("raw/")), len(messages(scene))
    if wanted.file is not None:
        yield _send_file(scene, wanted.file, recipient)
    else:
        submit(scene, f"by-hand-{uuid.uuid4()}", _made(scene, wanted), recipient)
        yield f"sent to {recipient}, signed by {SENDER}"
    mail_id = _stored(bucket, there)
    yield f"stored as raw/{mail_id}"
    yield from _disposition(bucket, mail_id)
    yield from _alerts(scene, heard)


def _bucket_name(endpoints: Endpoints) -> str:
    with asking("the bucket of reports"):
        names = [one["Name"] for one in account.client("s3", endpoints.aws).list_buckets()["Buckets"]]
    found = [name for name in names if name.startswith("reports-store-bucket-")]
    if len(found) != 1:
        raise DemoError(
            f"{len(found)} report pipelines are deployed in the sandbox; one is needed: run pulumi up first"
        )
    return str(found[0])


def _made(scene: Scene, wanted: Report) -> SampleMail:
    """About yesterday, under the policy that the domain serves now."""
    failed = FAILED if wanted.result_type else 0
    details = [failure(wanted.result_type, f"mx1.{wanted.domain}", failed)] if wanted.result_type else []
    row = policy(wanted.domain, SESSIONS - failed, failed, *details)
    if scene.txt(f"_mta-sts.{wanted.domain}"):
        row["policy"]["policy-string"] = scene.fetch(f"mta-sts.{wanted.domain}").splitlines()
    else:
        row["policy"] = {"policy-type": "no-policy-found", "policy-domain": wanted.domain}
    data = packed(report(SENDER, f"by-hand-{uuid.uuid4()}", row))
    attached = part("application/tlsrpt+gzip", "report.json.gz", data)
    return SampleMail("by hand", SENDER, multipart("report; report-type=tlsrpt", TEXT, attached))


def _send_file(scene: Scene, file: Path, recipient: str) -> str:
    try:
        mail = crlf(file.read_bytes())
    except OSError as e:
        raise DemoError(f"{file}: {e.strerror}") from e
    address = email.utils.parseaddr(str(email.message_from_bytes(mail)["From"] or ""))[1]
    domain = address.rpartition("@")[2]
    known = sorted(path.stem for path in scene.place.keys.glob("*.pem"))
    signed = domain in known
    if signed:
        mail = Signer(domain, SELECTOR, sender_key(scene, domain)).sign(mail)
    internet(scene).submit(mail, address or f"bounce@{SENDER}", recipient)
    if signed:
        return f"sent to {recipient}, signed by {domain}"
    return f"sent to {recipient} as it is, unsigned: senders with a key are {', '.join(known)}"


def _stored(bucket: Bucket, there: set[str]) -> str:
    """The id of the mail that is new. Who sends two at once may be told of the other one."""
    end = time.monotonic() + PATIENCE
    while not (new := sorted(set(bucket.keys("raw/")) - there)):
        if time.monotonic() > end:
            raise DemoError(f"taken by the MX, but not in the bucket after {PATIENCE} s (logs: build/sandbox/logs)")
        time.sleep(0.2)
    return new[0].removeprefix("raw/")


def _disposition(bucket: Bucket, mail_id: str) -> Iterator[str]:
    end = time.monotonic() + PATIENCE
    key = f"dispositions/{mail_id}.json"
    while key not in bucket.keys("dispositions/"):
        if time.monotonic() > end:
            raise DemoError(f"no disposition after {PATIENCE} s: {key} (logs: build/sandbox/logs)")
        time.sleep(0.2)
    told = bucket.json(key)
    yield f"became: {told['disposition']}" + (f", {told['reason']}: {told['detail']}" if told["reason"] else "")
    for kept in told["stored"]:
        yield f"ledger: {kept}"


def _alerts(scene: Scene, heard: int) -> Iterator[str]:
    end = time.monotonic() + ALERT_PATIENCE
    told = 0
    while time.monotonic() < end:
        for message in messages(scene)[heard + told :]:
            told += 1
            yield f"alert: {message.get('Subject') or message['Message'].splitlines()[0]}"
        time.sleep(0.2)
    if not told:
        yield f"no alert within {ALERT_PATIENCE} s"
