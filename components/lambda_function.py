"""A function of ours with what every one has: a log with an end, and a role that may do what its policy says alone.

A plain function, no component: the resources belong to the component that asks for them.
"""

from collections.abc import Callable, Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.physical_names import physical_name
from components.policy_documents import Statement, allow, trust


class FunctionArgs(TypedDict):
    """
    may: what the role is for, in words, for its description. policy: from the ARN of the log group to the document.
    code: the archive made of a MANIFEST. timeout: seconds. concurrency: reserved; left out: what the account has.
    """

    region: str
    description: str
    may: str
    policy: Callable[[pulumi.Output[str]], pulumi.Output[str]]
    code: pulumi.Archive
    handler: str
    memory_mb: int
    timeout: int
    concurrency: NotRequired[int]
    log_days: int
    environment: Mapping[str, pulumi.Input[str]]


def python_function(name: str, args: FunctionArgs, parent: pulumi.Resource) -> aws.lambda_.Function:
    """Named after `name`. Its outputs are known once the role may do its work."""
    child = pulumi.ResourceOptions(parent=parent)
    region, function_name = args["region"], physical_name(name)
    # made here, before the function, with an end: Lambda would make one that keeps everything for ever
    log_group = aws.cloudwatch.LogGroup(
        f"{name}-logs",
        region=region,
        name=f"/aws/lambda/{function_name}",
        retention_in_days=args["log_days"],
        opts=child,
    )
    role = aws.iam.Role(
        f"{name}-role",
        description=f"mailtls: what {args['may']} may do",
        assume_role_policy=trust("lambda.amazonaws.com"),
        opts=child,
    )
    rights = aws.iam.RolePolicy(f"{name}-rights", role=role.name, policy=args["policy"](log_group.arn), opts=child)
    return aws.lambda_.Function(
        f"{name}-function",
        region=region,
        name=function_name,
        description=f"mailtls: {args['description']}",
        role=role.arn,
        runtime="python3.13",
        architectures=["arm64"],
        handler=args["handler"],
        code=args["code"],
        memory_size=args["memory_mb"],
        timeout=args["timeout"],
        reserved_concurrent_executions=args.get("concurrency"),
        environment={"variables": dict(args["environment"])},
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[log_group, rights], delete_before_replace=True),
    )


def write_logs(log_group_arn: pulumi.Input[str]) -> Statement:
    """In the policy of each: it writes into its own log."""
    lines = pulumi.Output.concat(log_group_arn, ":*")
    return allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], lines)
