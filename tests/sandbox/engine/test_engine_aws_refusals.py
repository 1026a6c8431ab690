"""What the plugins refuse, hide and give up, as the user of the real CLI sees it."""

import os
import signal
from collections.abc import Callable

import pulumi
import pulumi_aws
import pytest
from engine_program import Program, Running, wait_until_gone
from inline_stack import InlineStack

from sandbox import account
from sandbox.cloud.start import Emulator

SECRET = "4dabf18193072939515e22adb298388d"


@pytest.fixture
def aws_environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in account.environment(emulator.endpoint).items():
        monkeypatch.setenv(name, value)


def test_a_misspelled_property_is_an_error_that_names_it(program: Program, aws_environment: None) -> None:
    inputs = {"name": "one", "visibilityTimeoutSecond": 60}
    program.write(f"import pulumi\npulumi.CustomResource('aws:sqs/queue:Queue', 'queue', {inputs})\n")
    said = program.run("preview").stdout
    assert "visibilityTimeoutSecond is no property of it (did you mean 'visibilityTimeoutSeconds'?)" in said
    assert "aws:sqs:Queue (queue)" in said


def test_a_type_that_there_is_no_stand_in_for_is_an_error(program: Program, aws_environment: None) -> None:
    program.write("import pulumi\npulumi.CustomResource('aws:ec2/vpc:Vpc', 'vpc', {'cidrBlock': '10.0.0.0/16'})\n")
    assert "the stand-in for aws has no resource type aws:ec2/vpc:Vpc" in program.run("preview").stdout


def test_an_endpoint_elsewhere_is_refused(
    program: Program, aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1:4566")
    program.write("import pulumi\npulumi.CustomResource('aws:sqs/queue:Queue', 'queue', {})\n")
    assert "it talks to this machine only" in program.fails()


def test_an_interrupt_ends_a_wait(program: Program, aws_environment: None, start: Callable[..., Running]) -> None:
    """Somebody's Ctrl-C while SES looks for a record that is not there."""
    program.write(
        """
        import pulumi

        domain = {"domain": "waits-for-ever.example"}
        identity = pulumi.CustomResource("aws:ses/domainIdentity:DomainIdentity", "identity", domain)
        opts = pulumi.ResourceOptions(depends_on=[identity])
        pulumi.CustomResource(
            "aws:ses/domainIdentityVerification:DomainIdentityVerification", "verification", domain, opts
        )
        """
    )
    running = start("up", "--yes", "--skip-preview")
    running.wait_for("verification creating")
    family = running.family()
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.wait() != 0
    assert "cancelled while waiting for SES to verify waits-for-ever.example (last state: 'Pending')" in running.said
    assert wait_until_gone(family) == []
    program.destroy()


def test_secrets_are_encrypted_in_the_state_wherever_they_go(stack: InlineStack) -> None:
    def program() -> None:
        queue = pulumi_aws.sqs.Queue("queue", tags={"token": pulumi.Output.secret("hush-hush")})
        pulumi.export("arn", queue.arn)

    stack.up(program)
    stack.assert_settled()
    queue = stack.state()["queue"]
    assert queue["inputs"]["tags"]["token"][SECRET]
    assert queue["outputs"]["tags"][SECRET]
    assert queue["outputs"]["tagsAll"][SECRET]
    assert isinstance(queue["outputs"]["arn"], str)


def test_sixty_four_resources_are_made_at_once(program: Program, aws_environment: None) -> None:
    program.write(
        """
        import pulumi

        for number in range(64):
            pulumi.CustomResource("aws:sqs/queue:Queue", f"queue-{number}", {})
        """
    )
    assert "+ 65 created" in program.up("--parallel", "64")
    assert "- 65 deleted" in program.destroy()
