"""The platform: policy bucket, report pipeline, alerts. One per account and region, or all of a small team's `all`."""

import hashlib
from dataclasses import dataclass, fields

import pulumi

from components.alert_delivery import AlertDelivery, AlertDeliveryArgs
from components.alert_topic import SubscriptionArgs
from components.look_up import LookUpFailed, account_id, answer
from components.policy_store import PolicyStore
from components.report_alarms import ReportAlarms
from components.report_dashboard import ReportDashboard
from components.report_intake import RuleSetChoice, active_rule_set
from components.report_pipeline import ReportPipeline
from components.report_queries import ReportQueries, ReportQueriesArgs
from stacks.lambda_archive import DELIVERY_MANIFEST, HTTPS_MANIFEST, lambda_archive
from stacks.settings import DELIVERED, Settings, Subscription


@dataclass(frozen=True, slots=True)
class Platform:
    """What domains need of the platform, and what people need to find it. Every field but `route` is an output.

    rua: `mailto:` URI of the pipeline. rua_https: the other one; None, or "" from another
    stack, where reports come by mail alone.
    rule_set_name: the SES rule set that takes reports in, ours or the active one of others.
    route: what `_smtp._tls` records must come after; () when the platform is another stack's, and so there already.
    """

    policy_bucket: pulumi.Output[str]
    policy_bucket_regional_domain_name: pulumi.Output[str]
    reports_bucket: pulumi.Output[str]
    rua: pulumi.Output[str]
    topic_arn: pulumi.Output[str]
    queue_url: pulumi.Output[str]
    dead_letter_queue_url: pulumi.Output[str]
    function_name: pulumi.Output[str]
    rule_set_name: pulumi.Output[str]
    rua_https: pulumi.Output[str] | None = None
    route: tuple[pulumi.Resource, ...] = ()

    @property
    def ruas(self) -> tuple[pulumi.Output[str], ...]:
        """What `_smtp._tls` names where a spec names nothing itself."""
        return (self.rua, self.rua_https) if self.rua_https is not None else (self.rua,)

    def outputs(self) -> dict[str, pulumi.Output[str]]:
        """By output name, as the stack exports them. rua is told once reports arrive there."""
        told = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "route"}
        told = {name: value for name, value in told.items() if value is not None}
        arrives = [resource.id for resource in self.route if isinstance(resource, pulumi.CustomResource)]
        for key in {"rua", "rua_https"} & told.keys():
            told[key] = pulumi.Output.all(told[key], *arrives).apply(lambda values: str(values[0]))
        return told


def deploy_platform(settings: Settings) -> Platform:
    """Register the platform of this account and region. Raises NoRoute before anything is registered, ValueError for
    kind domains, which has none."""
    reports = settings.reports
    if reports is None:
        raise ValueError(f"kind {settings.kind} has no platform of its own")
    live = active_rule_set(RuleSetChoice.parse(reports.rule_set), settings.region)
    account = account_id()
    # live domains, of this stack and of others, stand on it; alarms and subscriptions are people's to change
    keep = pulumi.ResourceOptions(protect=not settings.allow_destroy)
    store = PolicyStore("policy-store", {"account_id": account, "force_destroy": settings.allow_destroy}, keep)
    pipeline = ReportPipeline(
        "reports",
        {
            "region": settings.region,
            "account_id": account,
            "reports_domain": reports.domain,
            "local_part": reports.local_part,
            "rule_set": reports.rule_set,
            "activate": reports.activate,
            "active_rule_set": live,
            "zone": settings.zones.zone_for(reports.domain),
            "policy_bucket": store.bucket,
            "code": lambda_archive(),
            "subscriptions": [_subscription(one) for one in settings.subscriptions if one.protocol not in DELIVERED],
            "heard_elsewhere": any(one.hears_all for one in settings.subscriptions if one.protocol in DELIVERED),
            "alert_limits": settings.alerts.render(),
            "per_domain_metrics": settings.per_domain_metrics,
            "lifetimes": settings.retention,
            "digest": settings.digest,
            "https_code": lambda_archive(manifest=HTTPS_MANIFEST) if reports.https else None,
            "force_destroy": settings.allow_destroy,
        },
        keep,
    )
    ReportAlarms(
        "report-alarms",
        {
            "region": settings.region,
            "account_id": account,
            "topic_arn": pipeline.topic_arn,
            "bucket_name": pipeline.bucket_name,
            "queue_name": pipeline.queue_name,
            "dead_letter_queue_name": pipeline.dead_letter_queue_name,
            "dead_letter_queue_arn": pipeline.dead_letter_queue_arn,
            "function_name": pipeline.function_name,
            "controller_hours": settings.controller_hours,
            "function_arn": pipeline.function_arn,
            "files_url": settings.files_url,
        },
    )
    if settings.athena:
        queries: ReportQueriesArgs = {
            "region": settings.region,
            "bucket_name": pipeline.bucket_name,
            "force_destroy": settings.allow_destroy,
        }
        ReportQueries("report-queries", queries)
    if settings.cloudwatch_dashboard:
        ReportDashboard(
            "report-dashboard",
            {
                "region": settings.region,
                "function_name": pipeline.function_name,
                "queue_name": pipeline.queue_name,
                "dead_letter_queue_name": pipeline.dead_letter_queue_name,
                "has_controller": settings.controller_hours is not None,
            },
        )
    for subscription in settings.subscriptions:
        if subscription.protocol in DELIVERED:
            _deliver(subscription, settings.region, account, pipeline.topic_arn)
    return Platform(
        policy_bucket=store.bucket,
        policy_bucket_regional_domain_name=store.bucket_regional_domain_name,
        reports_bucket=pipeline.bucket_name,
        rua=pipeline.rua,
        rua_https=pipeline.rua_https,
        topic_arn=pipeline.topic_arn,
        queue_url=pipeline.queue_url,
        dead_letter_queue_url=pipeline.dead_letter_queue_url,
        function_name=pipeline.function_name,
        rule_set_name=pipeline.rule_set_name,
        route=pipeline.route,
    )


def _subscription(subscription: Subscription) -> SubscriptionArgs:
    args: SubscriptionArgs = {"protocol": subscription.protocol, "endpoint": subscription.endpoint}
    if subscription.owner is not None:
        args["owner"] = subscription.owner
    if subscription.severity:
        args["severity"] = subscription.severity
    return args


def _deliver(subscription: Subscription, region: str, account: pulumi.Input[str], topic_arn: pulumi.Input[str]) -> None:
    """Named by what it is for, not by its place in the list: a line put in above replaces none below it."""
    told = f"{subscription.secret} {subscription.endpoint}"
    args: AlertDeliveryArgs = {
        "region": region,
        "account_id": account,
        "topic_arn": topic_arn,
        "code": lambda_archive(manifest=DELIVERY_MANIFEST),
        "form": subscription.protocol,
        "secret": subscription.secret or "",
        "severity": subscription.severity,
    }
    if subscription.endpoint:
        args["url"] = subscription.endpoint
    if subscription.owner is not None:
        args["owner"] = subscription.owner
    AlertDelivery(f"alert-{subscription.protocol}-{hashlib.sha256(told.encode()).hexdigest()[:8]}", args)


def refer_to_platform(settings: Settings) -> Platform:
    """The platform that another stack deployed, by its outputs. Raises LookUpFailed; ValueError where the settings name
    none."""
    if settings.platform is None:
        raise ValueError(f"kind {settings.kind} refers to no other platform")
    account_id()  # asks whether AWS lets us in, before anything is registered
    _check_platform(settings.platform)
    stack = pulumi.StackReference(settings.platform)
    return Platform(
        policy_bucket=stack.require_output("policy_bucket"),
        policy_bucket_regional_domain_name=stack.require_output("policy_bucket_regional_domain_name"),
        reports_bucket=stack.require_output("reports_bucket"),
        rua=stack.require_output("rua"),
        rua_https=stack.get_output("rua_https").apply(lambda uri: str(uri or "")),  # an older platform has none
        topic_arn=stack.require_output("topic_arn"),
        queue_url=stack.require_output("queue_url"),
        dead_letter_queue_url=stack.require_output("dead_letter_queue_url"),
        function_name=stack.require_output("function_name"),
        rule_set_name=stack.require_output("rule_set_name"),
    )


def _check_platform(name: str) -> None:
    """Raises LookUpFailed when there is no such stack, or when it is no platform."""
    asked = "pulumi:pulumi:readStackOutputs"  # what a StackReference asks too, but its failure cannot be caught
    found = answer(
        lambda: pulumi.runtime.invoke(asked, {"name": name}).value,
        lambda words: LookUpFailed(
            f"mailtls:platform: the stack {name} cannot be read: {words}; name the platform's stack in full "
            '("pulumi stack ls --all" shows them), or deploy it first'
        ),
    )
    missing = sorted({field.name for field in fields(Platform)} - {"route", "rua_https", *found["outputs"]})
    if missing:
        raise LookUpFailed(
            f"mailtls:platform: the stack {name} has no output {', '.join(missing)}: it is no platform, or was never "
            f'deployed whole; run "pulumi up" on it first, or name another one'
        )
