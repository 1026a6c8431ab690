"""What a request counts as: as one over TLS, and as signed now."""

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack import app
from ministack.core import iam_actions, iam_evaluator, sigv4

from sandbox import account
from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.iam_proofs import (
    Session,
    document,
    role_for_proofs,
    session_client,
    session_of,
    statement,
)
from sandbox.cloud.emulator.probe import Probe

_FAR = 3 * 3600
_WHO = b"Action=GetCallerIdentity&Version=2011-06-15"


def _count_as_tls() -> None:
    replace(
        app,
        "pin_request_origin",
        lambda pin: lambda ip, _secure: pin(ip, True),
        takes=("source_ip", "secure_transport"),
    )
    # of what services do among themselves, outside any request
    replace(iam_evaluator, "_request_origin", lambda _: ContextVar("request_origin", default=("127.0.0.1", True)))


def _prove_tls(probe: Probe) -> None:
    sqs = probe.client("sqs")
    url = sqs.create_queue(QueueName=probe.name())["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn}
    insecure = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    secure = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    role = role_for_proofs(probe, statement("sqs:SendMessage", arn))
    client = session_client(probe, role, "sqs")
    _set_policy(sqs, url, insecure)
    client.send_message(QueueUrl=url, MessageBody="as if over TLS")
    _set_policy(sqs, url, secure)
    probe.refused("AccessDenied", client.send_message, QueueUrl=url, MessageBody="the condition is looked at")


def _set_policy(sqs: Any, url: str, statement: dict[str, Any]) -> None:
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(statement)})


def _both_clocks() -> None:
    """Functions live on the emulator's clock and sign with it, all other clients on the real one."""

    def made(old: Any) -> Any:
        def request_time_failure(signature: Any, *, now: Any = None) -> Any:
            failure = old(signature, now=now)
            if failure is not None and now is None and CLOCK.offset:
                failure = old(signature, now=datetime.fromtimestamp(CLOCK.now(), UTC))
            return failure

        return request_time_failure

    replace(sigv4, "request_time_failure", made, takes=("signature", "now"))


def _prove_both_clocks(probe: Probe) -> None:
    # the administrator's signatures are not looked at, those of roles are
    session = session_of(probe, role_for_proofs(probe))
    probe.holds(_signed_ahead(probe, session, 0) == 200, "the real time is taken")
    probe.holds(_signed_ahead(probe, session, _FAR) == 403, "hours ahead is refused while the clock is the real one")
    probe.move_clock(_FAR)
    probe.holds(_signed_ahead(probe, session, 0) == 200, "the real time is taken after the clock was moved")
    probe.holds(_signed_ahead(probe, session, _FAR) == 200, "the moved time is taken")


def _signed_ahead(probe: Probe, session: Session, seconds: float) -> int:
    """The status of a request that was signed so many seconds ahead of the real time."""
    request = AWSRequest("POST", f"{probe.endpoint}/", data=_WHO)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    request.context["timestamp"] = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime(SIGV4_TIMESTAMP)
    auth = SigV4Auth(Credentials(session.key, session.secret, session.token), "sts", account.REGION)
    auth._modify_request_before_signing(request)
    to_sign = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(to_sign, request))
    return probe.request("POST", "/", _WHO, dict(request.prepare().headers.items())).status


def _name_log_streams() -> None:
    def made(old: Any) -> Any:
        def extract(service: str, method: str, path: str, headers: Any, body: bytes, *more: Any) -> Any:
            arn = old(service, method, path, headers, body, *more)
            stream = iam_actions._safe_json_field(body, "logStreamName") if service == "logs" else ""
            return f"{arn}:log-stream:{stream}" if stream else arn

        return extract

    takes = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")
    replace(iam_actions, "extract_resource_arn", made, takes=takes)


def _prove_log_streams(probe: Probe) -> None:
    group = probe.name("group")
    probe.client("logs").create_log_group(logGroupName=group)
    place = f"arn:aws:logs:{account.REGION}:{account.ACCOUNT_ID}:log-group:{group}"
    for resource, may in ((f"{place}:*", True), (place, False)):
        client = session_client(probe, role_for_proofs(probe, statement("logs:CreateLogStream", resource)), "logs")
        create = partial(client.create_log_stream, logGroupName=group, logStreamName=probe.name("stream"))
        if may:
            create()
        else:
            probe.refused("AccessDeniedException", lambda create=create: create())


PATCHES: tuple[Patch, ...] = (
    Patch(
        "plain-http-counts-as-tls",
        "Every request and every delivery between services counts as unencrypted, so a policy that denies clear text "
        "denies everything, and one that only serves TLS was never tried.",
        _count_as_tls,
        _prove_tls,
    ),
    Patch(
        "signatures-on-both-clocks",
        "A function on a moved clock could not sign any request.",
        _both_clocks,
        _prove_both_clocks,
    ),
    Patch(
        "log-streams-have-names-of-their-own",
        "Writing to a log stream is decided by the log group's ARN, which the policies in use do not name.",
        _name_log_streams,
        _prove_log_streams,
    ),
)
