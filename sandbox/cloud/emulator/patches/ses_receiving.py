"""SES inbound: rules that could receive nothing are refused, and the calls that the emulator lacks are added.

(SES API reference, CreateReceiptRule; developer guide, "Giving permissions to Amazon SES for email receiving",
"Service quotas")
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

from ministack.core.responses import get_account_id, get_region
from ministack.services import ses, sns

from sandbox import account
from sandbox.cloud.emulator.patch import Patch, Probe, replace
from sandbox.cloud.emulator.patches.iam_proofs import document, statement
from sandbox.cloud.emulator.patches.ses_identities import is_verified, operation, verified_domain
from sandbox.cloud.emulator.service_objects import NotAllowed, Writer

_REGIONS = """
us-east-1 us-east-2 us-west-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-northeast-1 ca-central-1
eu-central-1 eu-west-1 eu-west-2
"""
RECEIVING_REGIONS = frozenset(_REGIONS.split())
SETUP_NOTIFICATION = "AMAZON_SES_SETUP_NOTIFICATION"
LARGEST_ACTIONS = 10
LARGEST_RECIPIENTS = 100
LARGEST_RULES = 200
LARGEST_RULE_SETS = 40
_EXECUTED = ("S3Action", "StopAction")
_NOT_EXECUTED = ("TopicArn", "KmsKeyArn", "IamRoleArn")
"""What the sandbox's SMTP edge does, and what of it it does not. A rule that asks for more is refused, not taken in
silence."""

Rule = dict[str, Any]
Parameters = dict[str, list[str]]
Answer = tuple[int, dict[str, Any], bytes]
Fault = tuple[str, str]
"""Code and message."""


def rule_arn(rule_set: str, rule: str) -> str:
    return f"arn:aws:ses:{get_region()}:{get_account_id()}:receipt-rule-set/{rule_set}:receipt-rule/{rule}"


# ------------------------------------------------------------------------------------------------------ regions


def _only_where_mail_is_received() -> None:
    takes = ("method", "path", "headers", "body", "query_params")
    replace(ses, "handle_request", _dispatched, takes=takes)


def _dispatched(stock: Any) -> Any:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        name = operation(body, query_params)
        if "Receipt" in name and get_region() not in RECEIVING_REGIONS:
            return ses._error("InvalidAction", "Unavailable Operation", 400)
        if (ours := _ADDED.get(name)) is not None:
            return ours(dict(query_params) | parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True))
        return await stock(method, path, headers, body, query_params)

    return handle_request


def _prove_regions(probe: Probe) -> None:
    api = probe.client("ses", "eu-north-1")
    message = probe.refused("InvalidAction", api.create_receipt_rule_set, RuleSetName=probe.name())
    probe.holds(message == "Unavailable Operation", "the region's refusal has SES's words")


# -------------------------------------------------------------------------------------------------------- rules


def _check_rules() -> None:
    replace(ses, "_create_receipt_rule", _checked_creation, takes=("params",))
    replace(ses, "_create_receipt_rule_set", _checked_set, takes=("params",))


def _refusal(fault: Fault) -> Answer:
    answer: Answer = ses._receipt_error(*fault)
    return answer


def _checked_set(stock: Callable[[Parameters], Answer]) -> Callable[[Parameters], Answer]:
    def create_receipt_rule_set(params: Parameters) -> Answer:
        name = ses._p(params, "RuleSetName")
        if "." in name:
            return _refusal(("InvalidParameterValue", f"Not a valid ruleSetName: {name}"))
        if name not in ses._receipt_rule_sets and len(ses._receipt_rule_sets) >= LARGEST_RULE_SETS:
            return _refusal(("LimitExceeded", "The limit of receipt rule sets per account was exceeded"))
        return stock(params)

    return create_receipt_rule_set


def _checked_creation(stock: Callable[[Parameters], Answer]) -> Callable[[Parameters], Answer]:
    def create_receipt_rule(params: Parameters) -> Answer:
        rule, name = ses._receipt_rule_from_params(params), ses._p(params, "RuleSetName")
        rules = ses._receipt_rule_sets.get(name, {}).get("Rules", [])
        known = {one["Name"] for one in rules}
        after = ses._p(params, "After")
        # what the stock handler refuses must not write a test object first
        sound = (
            name in ses._receipt_rule_sets
            and rule["Name"] not in known
            and (not after or after in known)
            and ses._receipt_rule_error(rule) is None
        )
        if sound:
            if len(rules) >= LARGEST_RULES:
                return _refusal(("LimitExceeded", f"A rule set holds at most {LARGEST_RULES} rules"))
            for fault in _faults(name, rule):
                return _refusal(fault)
        return stock(params)

    return create_receipt_rule


def _faults(rule_set: str, rule: Rule) -> Iterator[Fault]:
    """What SES finds wrong with a rule that is well-formed. Ends with the test objects that SES writes."""
    if len(rule["Actions"]) > LARGEST_ACTIONS:
        yield "LimitExceeded", f"A rule holds at most {LARGEST_ACTIONS} actions"
    recipients = rule.get("Recipients") or []
    if len(recipients) > LARGEST_RECIPIENTS:
        yield "LimitExceeded", f"A rule holds at most {LARGEST_RECIPIENTS} recipients"
    for recipient in recipients:
        domain = recipient.rpartition("@")[2].removeprefix(".")
        if not is_verified(domain):
            # SES itself takes such a rule and receives nothing by it.
            yield (
                "InvalidParameterValue",
                f"{domain} is not a verified identity in {get_region()}: nothing would arrive",
            )
    arn = rule_arn(rule_set, rule["Name"])
    for action in rule["Actions"]:
        yield from _action_faults(action, arn)
    for action in rule["Actions"]:
        if "S3Action" in action:
            yield from _write_faults(action["S3Action"], arn)


def _action_faults(action: dict[str, dict[str, str]], arn: str) -> Iterator[Fault]:
    for kind, members in action.items():
        if kind not in _EXECUTED:
            yield "InvalidParameterValue", f"{kind} is not emulated by the sandbox"
        topic = members.get("TopicArn")
        if topic and not _may_publish(topic, arn):
            yield "InvalidSnsTopic", f"Invalid SNS topic: {topic}"
        for member in _NOT_EXECUTED:
            if members.get(member):
                yield "InvalidParameterValue", f"{member} of {kind} is not emulated by the sandbox"


def _may_publish(topic: str, arn: str) -> bool:
    here = topic.startswith(f"arn:aws:sns:{get_region()}:")
    return here and bool(sns.topic_policy_allows(topic, "ses.amazonaws.com", arn, get_account_id()))


def _write_faults(action: dict[str, str], arn: str) -> Iterator[Fault]:
    bucket, prefix = action.get("BucketName", ""), action.get("ObjectKeyPrefix", "")
    note = f"Subject: Amazon SES Setup Notification\r\n\r\nSES may write here for {arn}.\r\n"
    try:
        Writer("ses.amazonaws.com", arn).put(bucket, f"{prefix}{SETUP_NOTIFICATION}", note.encode())
    except NotAllowed:
        yield "InvalidS3Configuration", f"Could not write to bucket: {bucket}"


def _update_rule(params: Parameters) -> Answer:
    rule, name = ses._receipt_rule_from_params(params), ses._p(params, "RuleSetName")
    if name not in ses._receipt_rule_sets:
        return _answer(ses._receipt_missing_set(name))
    if (malformed := ses._receipt_rule_error(rule)) is not None:
        return _answer(malformed)
    rules = ses._receipt_rule_sets[name]["Rules"]
    place = _place(rules, rule["Name"])
    if place is None:
        return _refusal(("RuleDoesNotExist", f"Rule does not exist: {rule['Name']}"))
    for fault in _faults(name, rule):
        return _refusal(fault)
    rules[place] = rule
    return _answer(ses._receipt_result("UpdateReceiptRule"))


def _set_position(params: Parameters) -> Answer:
    name, moved, after = (ses._p(params, key) for key in ("RuleSetName", "RuleName", "After"))
    if name not in ses._receipt_rule_sets:
        return _answer(ses._receipt_missing_set(name))
    rules = ses._receipt_rule_sets[name]["Rules"]
    for wanted in (moved, *([after] if after else [])):
        if _place(rules, wanted) is None:
            return _refusal(("RuleDoesNotExist", f"Rule does not exist: {wanted}"))
    if moved != after:
        rule = rules.pop(_place(rules, moved))
        before = _place(rules, after)
        rules.insert(0 if before is None else before + 1, rule)
    return _answer(ses._receipt_result("SetReceiptRulePosition"))


def _place(rules: list[Rule], name: str) -> int | None:
    return next((place for place, rule in enumerate(rules) if rule["Name"] == name), None)


def _answer(made: Any) -> Answer:
    answer: Answer = made
    return answer


_ADDED: dict[str, Callable[[Parameters], Answer]] = {
    "UpdateReceiptRule": _update_rule,
    "SetReceiptRulePosition": _set_position,
}


# ------------------------------------------------------------------------------------------------------- proofs


def _prove_rules(probe: Probe) -> None:
    api, s3, rule_set = probe.client("ses"), probe.client("s3"), probe.name("rules")
    api.create_receipt_rule_set(RuleSetName=rule_set)
    domain, bucket = verified_domain(probe), probe.name("mail")

    def rule(recipient: str = domain) -> Rule:
        store = {"S3Action": {"BucketName": bucket, "ObjectKeyPrefix": "raw/"}}
        return {"Name": "store", "Enabled": True, "Recipients": [recipient], "Actions": [store]}

    def refused(code: str, wanted: Rule) -> None:
        probe.refused(code, api.create_receipt_rule, RuleSetName=rule_set, Rule=wanted)

    refused("InvalidS3Configuration", rule())
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": account.REGION})
    refused("InvalidS3Configuration", rule())
    arn = f"arn:aws:ses:{account.REGION}:{account.ACCOUNT_ID}:receipt-rule-set/{rule_set}:receipt-rule/store"
    allow = statement(
        "s3:PutObject",
        f"arn:aws:s3:::{bucket}/raw/*",
        Principal={"Service": "ses.amazonaws.com"},
        Condition={"StringEquals": {"aws:SourceAccount": account.ACCOUNT_ID, "aws:SourceArn": arn}},
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=document(allow))
    refused("InvalidParameterValue", rule("unverified.example"))
    api.create_receipt_rule(RuleSetName=rule_set, Rule=rule())
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    probe.holds(keys == [f"raw/{SETUP_NOTIFICATION}"], "SES leaves its test object")
    api.update_receipt_rule(RuleSetName=rule_set, Rule=rule(f"tls@{domain}"))
    found = api.describe_receipt_rule(RuleSetName=rule_set, RuleName="store")["Rule"]
    probe.holds(found["Recipients"] == [f"tls@{domain}"], "UpdateReceiptRule changes the rule")


PATCHES = (
    Patch(
        "ses-checks-receipt-rules",
        "A receipt rule took a bucket that is missing or closed to SES, and recipients of domains that are not"
        " verified; SES wrote no test object; UpdateReceiptRule was missing.",
        _check_rules,
        _prove_rules,
    ),
    Patch(
        "ses-receives-in-its-regions",
        "Mail was received in every region.",
        _only_where_mail_is_received,
        _prove_regions,
    ),
)
