"""Who watches the pipeline: eight alarms, whatever the number of domains, and the certificates' expiry events.

A ninth watches the controller, where a setting says that it runs.

Alarms are about the pipeline; alerts about domains come from the Lambda and cost nothing per domain. AWS bills them by
metric: the eight look at ten, $1.00 a month at the list price, and the first ten of an account are free.
"""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.certificate_events import CertificateEvents
from components.report_queue import (
    DEAD_LETTER_RETENTION,
    FUNCTION_TIMEOUT,
    MAX_RECEIVE_COUNT,
    RETENTION,
    VISIBILITY_TIMEOUT,
)
from mailtls.tls_rpt.contract import (
    MAILS_QUARANTINED,
    MAILS_RECEIVED,
    MAILS_WITHOUT_DISPOSITION,
    NAMESPACE,
    RECONCILE_RUNS,
    REPORTS_STORED,
    Prefix,
)

MINUTE, HOUR, DAY = 60, 3_600, 86_400
SILENT_DAYS = 7
"""The longest that a plain alarm can look back: period times periods is seven days at most."""
TOO_OLD = 40 * MINUTE
"""Age of the oldest message: two tries have failed by then, and three are left."""
QUARANTINE_SHARE = 50
"""Per cent of a day's mail. Junk alone reaches it only where hardly any report comes."""
QUARANTINE_LEAST = 10
"""Mails in a day below which a share says nothing."""
LEAST_LEFT = 3 * DAY
"""What is left at least when the second call for dead letters comes: a weekend."""
DEAD_TOO_LONG = DEAD_LETTER_RETENTION - RETENTION - LEAST_LEFT
"""Age of the oldest dead letter. SQS counts it from the move there, but drops the message by its first arrival, and up
to RETENTION may have passed in between."""
ALARM_COUNT = 8
UNCOUNTED_HOURS = 3
"""Dead letters that were put back are on their way again for up to two hours, and no dead letters meanwhile."""
PAGE = "docs/mail-not-taken-in.md"


class ReportAlarmsArgs(TypedDict):
    """
    region: of everything below; an alarm notifies topics of its own region only.
    topic_arn: who is told. A subscription that filters by owner or severity never gets these.
    bucket_name: for the commands in the alarms' texts.
    files_url: where people read the repository's files; left out, the texts name a page by its path.
    controller_hours: after so many hours without a run of the controller somebody is told; left out, nobody is.
    """

    region: str
    account_id: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    bucket_name: pulumi.Input[str]
    queue_name: pulumi.Input[str]
    dead_letter_queue_name: pulumi.Input[str]
    dead_letter_queue_arn: pulumi.Input[str]
    function_name: pulumi.Input[str]
    function_arn: pulumi.Input[str]
    files_url: NotRequired[str | None]
    controller_hours: NotRequired[int | None]


class ReportAlarms(pulumi.ComponentResource):
    """No outputs: what it has to say goes to the topic."""

    def __init__(self, name: str, args: ReportAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:ReportAlarms", name, {}, opts)
        self._name = name
        self._args = args
        files_url = args.get("files_url")
        self._page = f"{files_url}/{PAGE}" if files_url else PAGE
        self._watch_queues()
        self._watch_function()
        self._watch_mail()
        self._watch_accounting()
        if hours := args.get("controller_hours"):
            self._watch_controller(hours)
        CertificateEvents(
            f"{name}-certificates",
            {
                "region": args["region"],
                "account_id": args["account_id"],
                "function_name": args["function_name"],
                "function_arn": args["function_arn"],
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})

    def _watch_queues(self) -> None:
        args = self._args
        self._alarm(
            "dead-letters",
            pulumi.Output.concat(
                f"Raw mail could not be dealt with in {MAX_RECEIVE_COUNT} tries and waits in the dead-letter queue, "
                f"for {DEAD_LETTER_RETENTION // DAY} days at most. No report is lost: the mail lies in the bucket. No "
                "all-clear will be sent: one would come too when the queue drops the messages. DO 1 Find the cause in "
                'the function\'s log (event "failed"). 2 Deploy what mends it. 3 Put the messages back: '
                "aws sqs start-message-move-task --source-arn ",
                args["dead_letter_queue_arn"],
                f" 4 See that nothing is left: {self._page}",
            ),
            tells_end=False,
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": args["dead_letter_queue_name"]},
            statistic="Maximum",
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            period=5 * MINUTE,
            evaluation_periods=1,
            # SQS stops measuring a queue that nobody has used for hours; an empty one is the good case
            treat_missing_data="notBreaching",
        )
        self._alarm(
            "dead-letters-end",
            pulumi.Output.concat(
                f"Raw mail has been among the dead letters for {DEAD_TOO_LONG // DAY} days. In {LEAST_LEFT // DAY} to "
                f"{(LEAST_LEFT + RETENTION) // DAY} days SQS drops it from the queue, and nothing will announce it "
                "again: the mail stays in the bucket, without a disposition, and its reports count for nothing. No "
                "all-clear will be sent. DO 1 Mend what the alarm for dead letters told of. 2 Put the messages back: "
                "aws sqs start-message-move-task --source-arn ",
                args["dead_letter_queue_arn"],
                f" 3 Too late? Find the mail and have it read again: {self._page}",
            ),
            tells_end=False,
            namespace="AWS/SQS",
            metric_name="ApproximateAgeOfOldestMessage",
            dimensions={"QueueName": args["dead_letter_queue_name"]},
            statistic="Maximum",
            comparison_operator="GreaterThanThreshold",
            threshold=DEAD_TOO_LONG,
            period=HOUR,
            evaluation_periods=1,
            # no measurement, no message
            treat_missing_data="notBreaching",
        )
        self._alarm(
            "oldest-message",
            f"Raw mail waits for more than {TOO_OLD // MINUTE} minutes: the function fails on it, or is not invoked. "
            f"Mail that fails {MAX_RECEIVE_COUNT} times, {VISIBILITY_TIMEOUT // MINUTE} minutes apart, joins the dead "
            "letters. DO 1 The alarms for errors and throttles beside this one tell which. 2 With neither: is the "
            "function's event source mapping enabled, and does its role still hold its policy? What waits for "
            f"{RETENTION // DAY} days is dropped: {self._page}",
            namespace="AWS/SQS",
            metric_name="ApproximateAgeOfOldestMessage",
            dimensions={"QueueName": args["queue_name"]},
            statistic="Maximum",
            comparison_operator="GreaterThanThreshold",
            threshold=TOO_OLD,
            period=5 * MINUTE,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            # the same: no measurement, no message
            treat_missing_data="notBreaching",
        )

    def _watch_function(self) -> None:
        function = {"FunctionName": self._args["function_name"]}
        self._alarm(
            "function-errors",
            pulumi.Output.concat(
                f"The report function died three times in a quarter of an hour: out of {FUNCTION_TIMEOUT} seconds, out "
                "of memory, or an error that it does not know. Alerts may be late; mail is kept and tried again. DO 1 "
                "Read its log: aws logs tail --since 1h /aws/lambda/",
                self._args["function_name"],
                " 2 Since a deployment? Deploy the one before.",
            ),
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions=function,
            statistic="Sum",
            comparison_operator="GreaterThanOrEqualToThreshold",
            # one is retried and forgotten; a run of the schedule that fails for good counts three
            threshold=3,
            period=15 * MINUTE,
            evaluation_periods=1,
            # no invocation, no error
            treat_missing_data="notBreaching",
        )
        self._alarm(
            "function-throttles",
            "AWS refuses to run the report function: other functions use up the account's concurrency. Mail waits, and "
            f"after {MAX_RECEIVE_COUNT} refusals joins the dead letters. DO 1 Find who uses it (Lambda console, "
            "ConcurrentExecutions by function). 2 Cap that one, or ask AWS for a higher quota.",
            namespace="AWS/Lambda",
            metric_name="Throttles",
            dimensions=function,
            statistic="Sum",
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            period=5 * MINUTE,
            evaluation_periods=3,
            # a burst is over by itself; two of three periods are not
            datapoints_to_alarm=2,
            treat_missing_data="notBreaching",
        )

    def _watch_mail(self) -> None:
        self._alarm(
            "no-mail",
            f"No report came in for {SILENT_DAYS} days; other mail does not count. No report is no evidence of health: "
            "the way in may be broken, and failures of TLS would go unseen. A new platform is in this state until its "
            "first report. DO 1 Does the MX record of the reports domain name this region's SES? 2 Is our receipt rule "
            "in the active rule set (aws ses describe-active-receipt-rule-set)? Someone else's tool may have activated "
            "another. 3 Do the domains still publish _smtp._tls? 4 Send a mail to the address: it has to show up as "
            "quarantined (metric MailsQuarantined).",
            namespace=NAMESPACE,
            metric_name=REPORTS_STORED.name,  # any spam is a mail
            statistic="Sum",
            comparison_operator="LessThanThreshold",
            threshold=1,
            period=DAY,
            evaluation_periods=SILENT_DAYS,
            datapoints_to_alarm=SILENT_DAYS,
            # the function counts what comes, so silence is missing data
            treat_missing_data="breaching",
        )
        self._alarm(
            "quarantine-share",
            pulumi.Output.concat(
                f"More than {QUARANTINE_SHARE} % of the last day's mail was kept apart, of {QUARANTINE_LEAST} mails or "
                "more. Either somebody floods the address, or our reader rejects true reports since a deployment or "
                "since a reporter changed its form. DO 1 Reasons: the metric MailsQuarantined by Reason. 2 Look at "
                "some: aws s3 ls --recursive s3://",
                self._args["bucket_name"],
                f"/{Prefix.QUARANTINE} 3 Google, Microsoft among them? Then it is us. Nothing is lost meanwhile.",
            ),
            metric_queries=[
                _sum_per_day("quarantined", MAILS_QUARANTINED.name),
                _sum_per_day("received", MAILS_RECEIVED.name),
                {
                    "id": "share",
                    "label": "per cent quarantined",
                    "expression": f"IF(received >= {QUARANTINE_LEAST}, 100 * quarantined / received, 0)",
                    "return_data": True,
                },
            ],
            comparison_operator="GreaterThanThreshold",
            threshold=QUARANTINE_SHARE,
            evaluation_periods=1,
            # nothing was kept apart, or nothing came, which is the other alarm's matter
            treat_missing_data="notBreaching",
        )

    def _watch_accounting(self) -> None:
        args = self._args
        self._alarm(
            "mail-unaccounted",
            pulumi.Output.concat(
                f"For {UNCOUNTED_HOURS} hours there has been raw mail older than two hours that has no disposition and "
                "is no dead letter: nothing announces it any more, and its reports count for nothing. It lies in the "
                "bucket for its 90 days. INSUFFICIENT_DATA says that the hourly look itself does not come to its end. "
                'DO 1 See which: the event "accounting" of the log names some: '
                "aws logs tail --since 2h /aws/lambda/",
                args["function_name"],
                f" 2 Have it read: {self._page} 3 See that S3 still notifies the queue: aws s3api "
                "get-bucket-notification-configuration --bucket ",
                args["bucket_name"],
            ),
            insufficient_data_actions=[args["topic_arn"]],
            metric_queries=[
                {
                    "id": "missing",
                    "metric": {
                        "namespace": NAMESPACE,
                        "metric_name": MAILS_WITHOUT_DISPOSITION.name,
                        "period": HOUR,
                        "stat": "Maximum",
                    },
                },
                {
                    "id": "dead",
                    "metric": {
                        "namespace": "AWS/SQS",
                        "metric_name": "ApproximateNumberOfMessagesVisible",
                        "dimensions": {"QueueName": args["dead_letter_queue_name"]},
                        "period": HOUR,
                        "stat": "Maximum",
                    },
                },
                {
                    "id": "unaccounted",
                    "label": "raw mail that nothing announces",
                    # SQS stops measuring a queue that nobody has used for hours: it is empty then
                    "expression": "missing - FILL(dead, 0)",
                    "return_data": True,
                },
            ],
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            evaluation_periods=UNCOUNTED_HOURS,
            datapoints_to_alarm=UNCOUNTED_HOURS,
            # the look that does not come is told by the state INSUFFICIENT_DATA
            treat_missing_data="missing",
        )

    def _watch_controller(self, hours: int) -> None:
        self._alarm(
            "no-reconcile",
            f"No run of the controller (mailtls reconcile --heartbeat) came to its end for {hours} hours. Mail goes on "
            "as before, but what is due is not proposed, urgent changes among it. DO 1 Look at the scheduled job of "
            "the repository: a forge may switch off the schedule of a repository that rests. 2 Is it red? Its last "
            "lines say why: a token that is over, a right that is missing. 3 Start it by hand; the all-clear comes "
            "within the hour.",
            namespace=NAMESPACE,
            metric_name=RECONCILE_RUNS.name,
            statistic="Sum",
            comparison_operator="LessThanThreshold",
            threshold=1,
            period=HOUR,
            evaluation_periods=hours,
            datapoints_to_alarm=hours,
            # a run that did not come is missing data
            treat_missing_data="breaching",
        )

    def _alarm(self, key: str, description: pulumi.Input[str], *, tells_end: bool = True, **measure: Any) -> None:
        """One alarm that tells of its beginning. tells_end: and of its end, where that can only be a good one."""
        topic = [self._args["topic_arn"]]
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-{key}",
            region=self._args["region"],
            alarm_description=description,
            alarm_actions=topic,
            ok_actions=topic if tells_end else None,
            opts=pulumi.ResourceOptions(parent=self),
            **measure,
        )


def _sum_per_day(query_id: str, metric_name: str) -> aws.cloudwatch.MetricAlarmMetricQueryArgsDict:
    return {
        "id": query_id,
        "metric": {"namespace": NAMESPACE, "metric_name": metric_name, "period": DAY, "stat": "Sum"},
    }
