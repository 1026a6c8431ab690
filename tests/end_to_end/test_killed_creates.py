"""Whatever a create can meet that an earlier run made and never noted down: the next `up` names the one command that
takes it over, and that command does.

An answer is lost after the cloud has made the thing, which leaves the same as a kill; for one of them it is a kill.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from components.failed_create import LEFT_OVER, TAKE_OVER
from sandbox.deployment import Deployment, PulumiFailed
from sandbox.endpoints import Endpoints
from sandbox.providers.protocol.lost_answer import DROPPED, VARIABLE

pytestmark = pytest.mark.engine

SPEC = "policy_domain: {}\nmta_sts: {{mode: testing, mx: [mx1.mailhost.example]}}\nowner: mail-team\n"
ROUNDS = [
    {
        "reports-function-logs": "aws:cloudwatch/logGroup:LogGroup",
        "reports-intake-rule-set": "aws:ses/receiptRuleSet:ReceiptRuleSet",
        "northwind.example-validation": "aws:route53/record:Record",
        "tailspin.example-validation": "cloudflare:index/dnsRecord:DnsRecord",
    },
    {
        "reports-function-function": "aws:lambda/function:Function",
        "reports-intake-rule": "aws:ses/receiptRule:ReceiptRule",
        "northwind.example-distribution": "aws:cloudfront/distribution:Distribution",
        "tailspin.example-mta-sts-cname": "cloudflare:index/dnsRecord:DnsRecord",
    },
    {
        "reports-function-mails": "aws:lambda/eventSourceMapping:EventSourceMapping",
        "northwind.example-mta-sts-cname": "aws:route53/record:Record",
    },
]
"""Resources and their types; a later round needs what an earlier one has made."""
AWS = '''#!{python} -I
"""As much of the AWS CLI as the commands use: `aws SERVICE OPERATION --query … --output text [--parameter VALUE …]`."""
import sys
import boto3
import jmespath
service, operation, *rest = sys.argv[1:]
given = dict(zip(rest[::2], rest[1::2]))
query, region = given.pop("--query"), given.pop("--region", None)
assert given.pop("--output") == "text"
client = boto3.client(service, region_name=region or "us-east-1")
names = {{name.lower(): name for name in client.meta.service_model.operation_model(
    client.meta.method_to_api_mapping[operation.replace("-", "_")]).input_shape.members}}
parameters = {{names[flag[2:].replace("-", "")]: value for flag, value in given.items()}}
print("\\t".join(jmespath.search(query, getattr(client, operation.replace("-", "_"))(**parameters)) or []))
'''


def test_everything_that_can_be_in_the_way_is_taken_over_by_the_command_that_is_told(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints, tmp_path: Path
) -> None:
    assert {kind for round_ in ROUNDS for kind in round_.values()} == set(LEFT_OVER)
    (specs / "one.yaml").write_text(SPEC.format("northwind.example"))
    (specs / "two.yaml").write_text(SPEC.format("tailspin.example"))
    own = stack("test-killed-creates")
    taken_over: list[str] = []

    def up(*options: str, **environment: str) -> None:
        replace(own, env={**own.env, TAKE_OVER: " ".join(taken_over), **environment}).up(*options)

    with pytest.raises(PulumiFailed):  # one at a time, so that nothing else is cut off
        up("--parallel", "1", **{VARIABLE: "create reports-function-logs kill"})
    own.unlock()
    for names in ROUNDS:
        with pytest.raises(PulumiFailed) as cut_off:
            up(**{VARIABLE: "; ".join(f"create {name} drop" for name in names)})
        assert DROPPED in cut_off.value.output
        with pytest.raises(PulumiFailed) as refused:
            up()
        assert "Traceback" not in refused.value.output
        told = dict(re.findall(rf'^ +{TAKE_OVER}="([^=]+)=(.+)" pulumi up ', refused.value.output, re.MULTILINE))
        assert set(told) == set(names), refused.value.output
        taken_over += [f"{name}={in_a_shell(identity, endpoints, tmp_path)}" for name, identity in told.items()]
    up()
    assert set(own.outputs()["policy_ids"]) == {"northwind.example", "tailspin.example"}
    assert "unchanged" in own.up("--expect-no-changes").changes


def in_a_shell(text: str, endpoints: Endpoints, folder: Path) -> str:
    """What a shell makes of `text` between double quotes; its commands meet the sandbox's clouds."""
    aws = folder / "aws"
    if not aws.exists():
        aws.write_text(AWS.format(python=sys.executable))
        aws.chmod(0o755)
    here = text.replace("https://api.cloudflare.com/client/v4", endpoints.cloudflare)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-euc", f'printf %s "{here}"'],
        env={**os.environ, **endpoints.pulumi_env, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
