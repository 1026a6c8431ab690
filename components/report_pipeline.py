"""Reports from the internet to the ledger: a complete way in for TLS-RPT (RFC 8460).

    sender -> MX -> SES receipt rule -> bucket -> queue (+ dead letters) -> Lambda -> ledger, metrics, alerts

One per account and region, because SES has one active receipt rule set there.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from components.alert_topic import AlertTopic, SubscriptionArgs
from components.dns_zones.zone import DnsZone
from components.physical_names import physical_name
from components.report_function import ReportFunction
from components.report_https import ReportHttps, ReportHttpsArgs
from components.report_intake import ReportIntake, RuleSet, RuleSetChoice, live_rule_set
from components.report_queue import ReportQueue
from components.report_store import Lifetimes, ReportStore, ReportStoreArgs


class ReportPipelineArgs(TypedDict):
    """
    region: of the whole pipeline. SES receives in some regions only.
    account_id: the account that it lives in; resource policies let in nobody else's services.
    reports_domain: A-labels, a name that takes no other mail: its MX record becomes SES's. local_part: of the address.
    rule_set: `own`, `join:<name>` (a rule of ours in a set that is active already) or `external` (identity, DNS records
    and rule are kept elsewhere; the rule has to write to the bucket under `raw/`).
    activate: with `own`, make our set the active one. This silences the set that was active, with all its rules; and
    when this stack is destroyed, no set is active and SES refuses all mail in the region.
    active_rule_set: the live set, as report_intake.active_rule_set has found it; None with `own`.
    zone: holds reports_domain.
    policy_bucket: name of the policy store's bucket; the function reads there what was served.
    code: the Lambda's archive, made of report_lambda/MANIFEST.
    subscriptions: who is told. At least one without owner and severity, else nobody hears of the pipeline's own faults.
    heard_elsewhere: see alert_topic.AlertTopicArgs.
    alert_limits: of reports/alert_limits.py, rendered; left out, its defaults.
    https_code: the archive of report_lambda/https_rua/MANIFEST: reports are taken in by HTTPS POST too; None or left
    out: by mail alone.
    digest: when the weekly message is due; see report_function.
    per_domain_metrics: costs up to $2.40 a domain and month; see report_function.METRICS_PER_DOMAIN.
    lifetimes: days that mail and ledger are kept; what is deleted is gone.
    force_destroy: let `pulumi destroy` delete all reports. For throw-away stacks only.
    """

    region: str
    account_id: pulumi.Input[str]
    reports_domain: str
    local_part: str
    rule_set: str
    activate: bool
    active_rule_set: str | None
    zone: DnsZone
    policy_bucket: pulumi.Input[str]
    code: pulumi.Archive
    subscriptions: NotRequired[Sequence[SubscriptionArgs]]
    heard_elsewhere: NotRequired[bool]
    alert_limits: NotRequired[str]
    per_domain_metrics: NotRequired[bool]
    digest: NotRequired[str | None]
    https_code: NotRequired[pulumi.Archive | None]
    lifetimes: NotRequired[Lifetimes]
    force_destroy: NotRequired[bool]


class ReportPipeline(pulumi.ComponentResource):
    """route: what `_smtp._tls` has to wait for; asking for reports before they can arrive would lose the first ones.

    rua_https: None where reports come by mail alone.
    """

    bucket_name: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]
    rua: pulumi.Output[str]
    rua_https: pulumi.Output[str] | None
    queue_url: pulumi.Output[str]
    queue_name: pulumi.Output[str]
    dead_letter_queue_url: pulumi.Output[str]
    dead_letter_queue_arn: pulumi.Output[str]
    dead_letter_queue_name: pulumi.Output[str]
    function_name: pulumi.Output[str]
    function_arn: pulumi.Output[str]
    rule_set_name: pulumi.Output[str]
    topic_arn: pulumi.Output[str]
    route: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: ReportPipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        rule_set = RuleSetChoice.parse(args["rule_set"])
        # before anything is registered
        rule_set.check(activate=args["activate"])
        live_rule_set(rule_set, args["active_rule_set"], args["region"])
        super().__init__("mailtls:index:ReportPipeline", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        region, account_id = args["region"], args["account_id"]
        own_rule_set = rule = physical_name(name)

        topic = AlertTopic(
            f"{name}-alerts",
            {
                "region": region,
                "account_id": account_id,
                "subscriptions": args.get("subscriptions", ()),
                "heard_elsewhere": args.get("heard_elsewhere", False),
            },
            child,
        )
        store_args: ReportStoreArgs = {
            "region": region,
            "account_id": account_id,
            "receipt_rule": receipt_rule_arn(region, account_id, rule_set, own_rule_set, rule),
            "lifetimes": args.get("lifetimes", {}),
            "force_destroy": args.get("force_destroy", False),
        }
        store = ReportStore(f"{name}-store", store_args, child)
        queue = ReportQueue(
            f"{name}-queue",
            {
                "region": region,
                "account_id": account_id,
                "bucket_name": store.bucket_name,
                "bucket_arn": store.bucket_arn,
            },
            child,
        )
        function = ReportFunction(
            f"{name}-function",
            {
                "region": region,
                "account_id": account_id,
                "code": args["code"],
                "bucket_name": store.bucket_name,
                "bucket_arn": store.bucket_arn,
                "policy_bucket": args["policy_bucket"],
                "queue_arn": queue.queue_arn,
                "topic_arn": topic.topic_arn,
                "topic_key_arn": topic.key_arn,
                "alert_limits": args.get("alert_limits", "{}"),
                "per_domain_metrics": args.get("per_domain_metrics", False),
                "digest": args.get("digest"),
            },
            child,
        )
        intake = ReportIntake(
            f"{name}-intake",
            {
                "region": region,
                "reports_domain": args["reports_domain"],
                "local_part": args["local_part"],
                "rule_set": rule_set,
                "activate": args["activate"],
                "active_rule_set": args["active_rule_set"],
                "rule_set_name": own_rule_set,
                "rule_name": rule,
                "zone": args["zone"],
                "bucket_name": store.bucket_name,
                "ready": [store.bucket_policy, queue.notification],
            },
            child,
        )

        https_code = args.get("https_code")
        https_args: ReportHttpsArgs | None = None
        if https_code is not None:
            https_args = {
                "region": region,
                "code": https_code,
                "bucket_name": store.bucket_name,
                "bucket_arn": store.bucket_arn,
            }
        # what is stored before the queue is told of it would wait for a person
        after = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[queue.notification]))
        https = ReportHttps(f"{name}-https", https_args, after) if https_args else None

        self.bucket_name, self.bucket_arn = store.bucket_name, store.bucket_arn
        self.rua = pulumi.Output.from_input(f"mailto:{args['local_part']}@{args['reports_domain']}")
        self.rua_https = https.rua if https else None
        self.queue_url, self.queue_name = queue.queue_url, queue.queue_name
        self.dead_letter_queue_url = queue.dead_letter_queue_url
        self.dead_letter_queue_arn = queue.dead_letter_queue_arn
        self.dead_letter_queue_name = queue.dead_letter_queue_name
        self.function_name, self.function_arn = function.function_name, function.function_arn
        self.rule_set_name, self.topic_arn = intake.rule_set_name, topic.topic_arn
        self.route = (*intake.route, *(https.ready if https else ()))
        self.register_outputs(
            {
                "bucket_name": self.bucket_name,
                "rua": self.rua,
                **({"rua_https": self.rua_https} if self.rua_https is not None else {}),
                "queue_url": self.queue_url,
                "dead_letter_queue_url": self.dead_letter_queue_url,
                "function_name": self.function_name,
                "rule_set_name": self.rule_set_name,
                "topic_arn": self.topic_arn,
            }
        )


def receipt_rule_arn(
    region: str, account_id: pulumi.Input[str], rule_set: RuleSetChoice, own_rule_set: str, rule: str
) -> pulumi.Output[str]:
    """ARN of the rule that may write raw mail, from names: the bucket policy has to stand before the rule does.

    With `external` the rule's name is not known here, so it is a pattern for all rules of the account in the region.
    """
    names = {
        RuleSet.OWN: (own_rule_set, rule),
        RuleSet.JOIN: (rule_set.name, rule),
        RuleSet.EXTERNAL: ("*", "*"),
    }
    set_name, rule_name = names[rule_set.kind]
    return pulumi.Output.concat(
        f"arn:aws:ses:{region}:", account_id, f":receipt-rule-set/{set_name}:receipt-rule/{rule_name}"
    )
