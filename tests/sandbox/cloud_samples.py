"""Roles, functions, queues and topics that tests of the AWS stand-in put together."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from deployed import Clients

from sandbox import account
from sandbox.cloud.start import Emulator

Unique = Callable[..., str]
Statement = Mapping[str, Any]
IAM = Path(__file__).parents[2] / "docs" / "iam"
RECEIVE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def by_service(service: str, action: str, resource: str, source: str) -> dict[str, Any]:
    """The service may, on behalf of the one source."""
    condition = {"ArnEquals": {"aws:SourceArn": source}}
    return allow(action, resource, Principal={"Service": service}, Condition=condition)


def trust(service: str) -> str:
    """The service may take the role on, and the administrator, for `as_role`."""
    principal = {"Service": service, "AWS": account.ACCOUNT_ID}
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def make_role(aws: Clients, name: str, *statements: Statement, service: str = "lambda.amazonaws.com") -> str:
    """The ARN of a role with these rights."""
    iam = aws("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document(*statements))
    return arn


def _credentials(aws: Clients, role: str) -> dict[str, Any]:
    return dict(aws("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"])


def environment_of_role(emulator: Emulator, aws: Clients, name: str, policy: str) -> dict[str, str]:
    """What a command finds around it that may do what docs/iam/`policy`.json allows, and nothing else. name: of the
    role that is made."""
    rights = json.loads((IAM / f"{policy}.json").read_text())
    given = _credentials(aws, make_role(aws, name, *rights["Statement"]))
    as_role = {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }
    return account.environment(emulator.endpoint) | as_role


def as_role(emulator: Emulator, aws: Clients, role: str, service: str) -> Any:
    """A client that has taken the role on."""
    given = _credentials(aws, role)
    return boto3.client(
        service,
        region_name=account.REGION,
        endpoint_url=emulator.endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def zipped(code: str) -> bytes:
    """A deployment package with the module `index`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code)
    return packed.getvalue()


def make_function(aws: Clients, name: str, role: str, code: str, **more: Any) -> str:
    """The ARN of a function `index.handle`."""
    given = {"Runtime": "python3.13", "Handler": "index.handle", "Timeout": 10} | more
    answer = aws("lambda").create_function(FunctionName=name, Role=role, Code={"ZipFile": zipped(code)}, **given)
    return str(answer["FunctionArn"])


def invoke(aws: Clients, name: str, event: object = None) -> Any:
    """What it returns, or the error that it ended with."""
    answer = aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def logging(name: str) -> dict[str, Any]:
    """The right to write the function's log, as the program gives it."""
    group = f"arn:aws:logs:{account.REGION}:{account.ACCOUNT_ID}:log-group:/aws/lambda/{name}:*"
    return allow(["logs:CreateLogStream", "logs:PutLogEvents"], group)


def make_queue(aws: Clients, name: str, region: str = account.REGION, **attributes: str) -> tuple[str, str]:
    """URL and ARN."""
    sqs = aws("sqs", region)
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def let_in(aws: Clients, url: str, *statements: Statement, region: str = account.REGION) -> None:
    aws("sqs", region).set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(*statements)})


def bodies(aws: Clients, url: str, region: str = account.REGION) -> list[str]:
    """Of the messages that can be received now; they are taken out."""
    sqs = aws("sqs", region)
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


def listening_queue(aws: Clients, name: str, topic: str) -> str:
    """The URL of a queue that gets what the topic sends."""
    url, arn = make_queue(aws, name)
    let_in(aws, url, by_service("sns.amazonaws.com", "sqs:SendMessage", arn, topic))
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def metric_sum(aws: Clients, namespace: str, metric: str, ahead: float = 0, **dimensions: str) -> float:
    """Of all values within two days of now. ahead: of the emulator's clock."""
    now = time.time() + ahead
    points = aws("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - 86_400,
        EndTime=now + 86_400,
        Period=86_400,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def soon(holds: Callable[[], object], seconds: float = 30) -> bool:
    """Whether it comes to hold: what the emulator does on its own takes a moment."""
    return any(holds() for _ in _until(seconds))


def _until(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.05)
