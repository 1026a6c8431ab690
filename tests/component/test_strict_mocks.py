"""The harness itself: an accepting mock would prove nothing, so each refusal is shown."""

import pulumi
import pulumi_aws as aws
import pytest
from strict_mocks import Recording, StrictMockError, UnknownCall, assert_well_formed, run


def refused(program) -> str:
    with pytest.raises(StrictMockError) as caught:
        run(program)
    return str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "finding"),
    [
        ({"name": 7}, "expected str, got 7"),
        ({"tags": {"team": 1}}, "expected str, got 1"),
        ({"visibility_timeout_seconds": "300"}, "expected int, got '300'"),
        ({"sqs_managed_sse_enabled": "yes"}, "expected bool, got 'yes'"),
    ],
)
def test_refuses_wrong_types(inputs, finding):
    assert finding in refused(lambda: aws.sqs.Queue("queue", **inputs) and None)


def test_refuses_a_misspelled_key_in_a_nested_dict():
    def program():
        aws.ses.ReceiptRule(
            "rule", rule_set_name="set", s3_actions=[{"bucket_name": "b", "position": 1, "objekt_key_prefix": "raw/"}]
        )

    assert "objekt_key_prefix: ReceiptRuleS3ActionArgs knows no such property" in refused(program)


def test_refuses_a_missing_key_in_a_nested_dict():
    def program():
        aws.ses.ReceiptRule("rule", rule_set_name="set", s3_actions=[{"bucket_name": "b"}])

    assert "position: ReceiptRuleS3ActionArgs needs it" in refused(program)


def test_refuses_two_resources_of_one_urn():
    def program():
        aws.sqs.Queue("queue")
        aws.sqs.Queue("queue")

    assert "two resources are urn:pulumi:" in refused(program)


def test_refuses_a_provider_function_that_nobody_answers():
    with pytest.raises(Exception, match="nobody answers the provider function aws:index/getArn"):
        run(lambda: aws.get_arn_output(arn="arn:aws:s3:::b").partition)


def test_refuses_two_hooks_of_one_name():
    def program():
        for name in ("one", "two"):
            hook = pulumi.ResourceHook("gate", lambda args: None)
            binding = pulumi.ResourceHookBinding(before_create=[hook])
            aws.sqs.Queue(name, opts=pulumi.ResourceOptions(hooks=binding))

    assert "two hooks are named gate" in refused(program)


def test_an_error_of_the_program_comes_out_as_it_is():
    def program():
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run(program)


class Pair(pulumi.ComponentResource):
    def __init__(self, name, *, kind="mailtls:index:Pair", outputs=True, parented=True):
        super().__init__(kind, name, {}, None)
        child = pulumi.ResourceOptions(parent=self if parented else None)
        first = aws.sqs.Queue(f"{name}-first", opts=child)
        aws.sqs.Queue(f"{name}-second", name=first.name.apply(lambda text: text + "-2"), opts=child)
        if outputs:
            self.register_outputs({"url": first.url})


def test_records_dependencies_hooks_parents_and_outputs():
    def program():
        pair = Pair("pair")
        hook = pulumi.ResourceHook("gate", lambda args: None)
        binding = pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])
        opts = pulumi.ResourceOptions(parent=pair, hooks=binding, protect=True)
        return aws.sqs.Queue("pair-third", opts=opts).url

    recording = run(program)
    first, second, third = (recording.one("aws:sqs/queue:Queue", f"pair-{n}") for n in ("first", "second", "third"))
    assert recording.comes_after(second, first)
    assert not recording.comes_after(first, second)
    assert second.property_dependencies["name"] == {first.urn}
    assert third.protect
    assert third.hooks == {"before_create": ("gate",), "before_update": ("gate",)}
    assert len(recording.hooks_of(third, "before_create")) == 1
    assert recording.by_urn(first.parent).type == "mailtls:index:Pair"
    assert recording.result.startswith("https://sqs.")
    assert recording.one("mailtls:index:Pair").outputs == {
        "url": "https://sqs.eu-west-1.amazonaws.com/123456789012/pair-first-0123456"
    }
    assert_well_formed(recording)


@pytest.mark.parametrize(
    ("wrong", "finding"),
    [
        ({"outputs": False}, "never called register_outputs"),
        ({"parented": False}, "is a child of no component"),
        ({"kind": "mailtls:pair"}, "not a token of the form"),
    ],
)
def test_an_ill_formed_component_is_told(wrong, finding):
    def program():
        Pair("pair", **wrong)

    with pytest.raises(AssertionError, match=finding):
        assert_well_formed(run(program))


def test_in_a_preview_outputs_are_unknown():
    seen = []

    def program():
        aws.sqs.Queue("queue").arn.apply(seen.append)

    recording: Recording = run(program, preview=True)
    assert seen == []
    assert recording.one("aws:sqs/queue:Queue").name == "queue"


def test_an_unknown_call_is_an_assertion():
    assert issubclass(UnknownCall, AssertionError)
