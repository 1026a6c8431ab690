"""The unzipped archive at work: a process that sees nothing else of ours, with boto3 against an S3 and an SNS on
loopback that speak HTTP as AWS does."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import boto3
import pytest

from mailtls.tls_rpt.contract import OwnDomain, render_domain_list
from stacks.lambda_archive import lambda_files

ROOT = Path(__file__).parents[2]
BUCKET = "reports-bucket"
POLICIES = "policy-bucket"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
SITE_PACKAGES = Path(boto3.__file__).parents[1]
RUN = """
import json, sys
sys.path[:0] = [sys.argv[1]]
sys.path.append(sys.argv[2])  # the runtime's boto3; without .pth files, so none of ours is found there
import report_lambda.handler
import mailtls.names
assert report_lambda.handler.__file__.startswith(sys.argv[1])
assert mailtls.names.__file__.startswith(sys.argv[1])
assert "boto3" not in sys.modules

class Context:
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    get_remaining_time_in_millis = staticmethod(lambda: 180_000)

for event in json.load(sys.stdin):
    answer = report_lambda.handler.handle(event, Context())
    print(json.dumps({"answer": answer}))
print(json.dumps({"clients": sorted(name for name in sys.modules if name in ("boto3", "pulumi", "yaml", "dns"))}))
"""


class FakeAws:
    """objects: of the one bucket. published: the form of each Publish. requests: (method, path, condition)."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.published: list[dict[str, str]] = []
        self.versions: dict[str, tuple[datetime, bytes]] = {}
        self.version_requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = parse_qs(url.query)
                if "list-type" in query:
                    self._answer(200, outer.listing(query))
                    return
                if url.path.startswith(f"/{POLICIES}"):
                    outer.version_requests.append(self.path)
                    version = query.get("versionId")
                    self._answer(200, outer.versions[version[0]][1] if version else outer.version_listing())
                    return
                body = outer.objects.get(unquote(url.path).removeprefix(f"/{BUCKET}/"))
                if body is None:
                    self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
                else:
                    self._answer(200, body, etag(body))

            def do_PUT(self) -> None:
                key = unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}/")
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                source = self.headers.get("x-amz-copy-source")
                there = outer.objects.get(key)
                if self.headers.get("If-None-Match") == "*" and there is not None:
                    self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                    return
                wanted = self.headers.get("If-Match")
                if wanted is not None and (there is None or etag(there) != wanted):
                    self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                    return
                if source is not None:
                    outer.objects[key] = outer.objects[unquote(source).removeprefix(f"{BUCKET}/")]
                    self._answer(200, b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>")
                    return
                outer.objects[key] = body
                self._answer(200, b"", etag(body))

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                outer.published.append({name: value for name, [value] in form.items()})
                self._answer(
                    200,
                    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
                    b"<MessageId>1</MessageId></PublishResult></PublishResponse>",
                )

            def _answer(self, status: int, body: bytes, tag: str = "") -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if tag:
                    self.send_header("ETag", tag)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def listing(self, query: dict[str, list[str]]) -> bytes:
        after = query.get("start-after", [""])[0]
        keys = sorted(key for key in self.objects if key.startswith(query["prefix"][0]) and key > after)
        contents = "".join(
            f"<Contents><Key>{quote(key)}</Key><ETag>{etag(self.objects[key])}</ETag>"
            f"<Size>{len(self.objects[key])}</Size><LastModified>{datetime.now(UTC):%FT%T}.000Z</LastModified></Contents>"
            for key in keys[: int(query["max-keys"][0])]
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()

    def version_listing(self) -> bytes:
        versions = "".join(
            f"<Version><Key>contoso.example/.well-known/mta-sts.txt</Key><VersionId>{version}</VersionId>"
            f"<Size>{len(body)}</Size><LastModified>{written:%FT%T}.000Z</LastModified></Version>"
            for version, (written, body) in self.versions.items()
        )
        return f"<ListVersionsResult><IsTruncated>false</IsTruncated>{versions}</ListVersionsResult>".encode()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    there = FakeAws()
    yield there
    there.close()


@pytest.fixture(scope="module")
def unzipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the runtime lays out the archive that the program deploys."""
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(folder / "function.zip", "w") as packed:
        for name in lambda_files():
            packed.write(ROOT / name, name)
    with zipfile.ZipFile(folder / "function.zip") as packed:
        packed.extractall(folder / "code")
    return folder / "code"


def invoke(unzipped: Path, aws: FakeAws, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """Hand the events to one warm process; its output lines."""
    environment = {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "MAILTLS_BUCKET": BUCKET,
        "MAILTLS_TOPIC_ARN": TOPIC,
        "MAILTLS_POLICY_BUCKET": POLICIES,
        "MAILTLS_PER_DOMAIN_METRICS": "false",
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUN, str(unzipped), str(SITE_PACKAGES)],
        input=json.dumps(events),
        capture_output=True,
        text=True,
        env=environment,
        cwd=unzipped.parent,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_policy_of_the_past_is_known_by_its_version(unzipped, aws, mails):
    """The report names two MX, of which one was taken out this very hour; each version is read once."""
    aws.objects["domains/test.json"] = render_domain_list(
        [OwnDomain("contoso.example", "enforce", ("mx1.contoso.example",))]
    ).encode()
    two = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.contoso.example\r\nmx: mx2.contoso.example\r\nmax_age: 604800"
    now = datetime.now(UTC)
    aws.versions = {"v2": (now, two.replace(b"mx: mx2.contoso.example\r\n", b"")), "v1": (now - timedelta(30), two)}
    for name in ("one", "two"):
        report = mails.report(mails.policy(9, (mails.failure(3),)), day=mails.yesterday(), report_id=name)
        aws.objects[f"raw/{name}"] = mails.mail(report)
    event = mails.payload("sqs_s3_object_created")
    [record] = event["Records"]
    event["Records"] = [{**record, "body": record["body"].replace("o3vrnil0e2ic28tr", n)} for n in ("one", "two")]

    invoke(unzipped, aws, event)

    assert aws.published[0]["Subject"].startswith("[critical] contoso.example")
    assert [urlsplit(path).query.count("versionId") for path in aws.version_requests].count(1) == 2
    assert all("contoso.example" in path for path in aws.version_requests)


def test_a_report_and_junk_go_their_ways(unzipped, aws, mails):
    own = OwnDomain("contoso.example", "enforce", ("mx1.contoso.example", "mx2.contoso.example"), "mail-team")
    aws.objects["domains/test.json"] = render_domain_list([own]).encode()
    yesterday = mails.report(mails.policy(9, (mails.failure(3),)), day=mails.yesterday())
    aws.objects["raw/good"] = mails.mail(yesterday)
    aws.objects["raw/junk"] = mails.mail(text="spam", headers=mails.ses_headers() + mails.sender_headers()[:-2])
    event = mails.payload("sqs_s3_object_created")
    [record] = event["Records"]
    event["Records"] = [
        {**record, "messageId": name, "body": record["body"].replace("o3vrnil0e2ic28tr", name)}
        for name in ("good", "junk", "gone")
    ]

    lines = invoke(unzipped, aws, event, event, mails.payload("eventbridge_schedule"))

    again = {"answer": {"batchItemFailures": [{"itemIdentifier": "gone"}]}}
    assert [line for line in lines if "answer" in line] == [again, again, {"answer": None}]
    assert lines[-1] == {"clients": ["boto3"]}
    assert [line["event"] for line in lines if "event" in line] == [
        *("stored", "quarantined", "failed"),
        *("seen before", "seen before", "failed"),
        "accounting",
    ]
    assert {key.rpartition("/")[0] for key in aws.objects} == {
        *(
            "raw",
            "domains",
            "dispositions",
            "quarantine/not-a-report",
            "alerts/contoso.example",
            "hours",
            "reporters",
            "hosts",
            "accounting",
        ),
        f"reports/contoso.example/{mails.yesterday()}",
    }
    assert aws.objects["quarantine/not-a-report/junk.eml"] == aws.objects["raw/junk"]
    [message] = aws.published
    assert message["TopicArn"] == TOPIC
    assert message["Subject"].startswith("[critical] contoso.example: certificate of mx2.contoso.example expired")
    assert sum(line.get("MailsReceived", 0) for line in lines) == 2
