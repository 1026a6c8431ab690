"""AWS, read only, through boto3: what `docs/iam/preflight.json` allows and nothing else.

boto3 comes with the extra `aws` and is imported when it is first asked. Endpoints, credentials and proxies are the
environment's (`AWS_ENDPOINT_URL`, `AWS_PROFILE`...), as with every AWS program.
"""

import datetime
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mailtls.discover.mail_names import ZoneRecord, joined
from mailtls.preflight.permissions import Question
from mailtls.preflight.quotas import QUOTAS
from mailtls.preflight.seen import (
    Certificates,
    Distributions,
    Identity,
    Limits,
    NotAsked,
    NotReceiving,
    NoZone,
    Permissions,
    Refused,
    RuleSets,
    SeveralZones,
    StateBucket,
    SubscriptionSeen,
    ZoneSeen,
)

GLOBAL_REGION = "us-east-1"
"""Where CloudFront takes certificates from, and where the quotas of global services are told."""
OUR_TOPICS = "reports-alerts-"
"""How the names of the alert topic begin."""
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 20, 3
MAX_PAGES = 1000
"""Of one list, of 100 to 300 entries each. What has more is told as not asked."""
_NO_LOGIN = frozenset(
    {
        *("InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException"),
        *("UnrecognizedClientException", "AuthFailure", "InvalidAccessKeyId"),
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})
_LONGEST_WORDS = 300

_T = TypeVar("_T")


class NoBoto3(Exception):
    """The extra `aws` is not installed."""


class _Many(Exception):
    """A list without an end in sight."""


@dataclass(frozen=True, slots=True)
class Aws:
    """The account that the environment leads to. region: of the platform. Raises NoBoto3 when made without boto3."""

    region: str
    _sessions: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)
    """The one session, made when it is first needed: a profile that does not exist shows then."""
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _making: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)
    """Clients are safe to share between threads, making them is not (boto3's guide, "Multithreading")."""

    def __post_init__(self) -> None:
        try:
            import boto3  # noqa: F401  # is it there?
        except ImportError as e:
            raise NoBoto3("AWS is asked through boto3, which is not installed: pip install 'mailtls[aws]'") from e

    def identity(self) -> Identity | Refused | NotAsked:
        import botocore.exceptions as faults

        no_login = (
            faults.NoCredentialsError,
            faults.PartialCredentialsError,
            faults.CredentialRetrievalError,
            faults.ProfileNotFound,
            faults.SSOError,
            faults.UnauthorizedSSOTokenError,
            faults.TokenRetrievalError,
        )

        def ask() -> Identity | Refused:
            try:
                said = self._client("sts").get_caller_identity()
            except no_login as e:
                return Refused(f"no login at AWS: {_words(e)}")
            except faults.ClientError as e:
                if _code(e) not in _NO_LOGIN:
                    raise
                return Refused(f"AWS does not take these credentials: {_words(e)}")
            return Identity(str(said["Account"]), str(said["Arn"]))

        return self._asked("sts:GetCallerIdentity", ask)

    def permissions(
        self, identity: Identity, documents: Sequence[str], questions: Iterable[Question]
    ) -> Permissions | NotAsked:
        """What the policy simulator says to `questions`, which come of `documents`."""
        if identity.is_root:
            return NotAsked("the root user may do everything, and the simulator does not take it")
        return self._asked(
            "iam:SimulatePrincipalPolicy and iam:GetRole", lambda: self._simulated(identity, documents, questions)
        )

    def _simulated(self, identity: Identity, documents: Sequence[str], questions: Iterable[Question]) -> Permissions:
        principal, asked, denied = self._principal(identity), 0, list[str]()
        for question in questions:
            context = [
                {
                    "ContextKeyName": key,
                    "ContextKeyValues": list(values),
                    "ContextKeyType": "stringList" if several else "string",
                }
                for key, values, several in question.context
            ]
            pages = self._pages(
                "iam",
                "simulate_principal_policy",
                PolicySourceArn=principal,
                ActionNames=list(question.actions),
                ResourceArns=list(question.resources),
                ContextEntries=context,
            )
            for page in pages:
                for result in page.get("EvaluationResults", ()):
                    asked += 1
                    if result.get("EvalDecision") != "allowed":
                        denied.append(f"{result.get('EvalActionName')} on {result.get('EvalResourceName', '*')}")
        return Permissions(asked, tuple(dict.fromkeys(denied)), tuple(documents))

    def _principal(self, identity: Identity) -> str:
        """The user or role whose policies count; of an assumed role the role itself (IAM knows its path)."""
        import botocore.exceptions as faults

        _, _, resource = identity.arn.partition(":assumed-role/")
        if not resource:
            return identity.arn
        name = resource.split("/")[0]
        try:
            arn: str = self._client("iam").get_role(RoleName=name)["Role"]["Arn"]
        except faults.ClientError as e:
            if _code(e) not in _DENIED:
                raise
            return f"arn:aws:iam::{identity.account}:role/{name}"
        return arn

    def limits(self) -> Limits | NotAsked:
        """The account's own quotas, those that were never raised included."""

        def ask() -> Limits:
            values: dict[str, int] = {}
            for service in sorted({quota.service for quota in QUOTAS}):
                for operation in ("list_aws_default_service_quotas", "list_service_quotas"):  # the later one counts
                    for page in self._pages("service-quotas", operation, GLOBAL_REGION, ServiceCode=service):
                        values |= _limits(service, page.get("Quotas", ()))
            return Limits(values)

        return self._asked("servicequotas:ListServiceQuotas and servicequotas:ListAWSDefaultServiceQuotas", ask)

    def distributions(self) -> Distributions | NotAsked:
        def ask() -> tuple[int, frozenset[str]]:
            total, aliases = 0, set[str]()
            for page in self._pages("cloudfront", "list_distributions", GLOBAL_REGION):
                for item in page["DistributionList"].get("Items", ()):
                    total += 1
                    aliases.update(name.lower() for name in item.get("Aliases", {}).get("Items", ()))
            return total, frozenset(aliases)

        found = self._asked("cloudfront:ListDistributions", ask)
        return found if isinstance(found, NotAsked) else Distributions(*found, self._access_controls())

    def _access_controls(self) -> int | NotAsked:
        def ask() -> int:
            pages = self._pages("cloudfront", "list_origin_access_controls", GLOBAL_REGION)
            return sum(len(page["OriginAccessControlList"].get("Items", ())) for page in pages)

        return self._asked("cloudfront:ListOriginAccessControls", ask)

    def certificates(self, now: datetime.datetime) -> Certificates | NotAsked:
        def ask() -> Certificates:
            # without key types ACM leaves out those with elliptic curves
            kinds = {"keyTypes": ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1"]}
            pages = self._pages("acm", "list_certificates", GLOBAL_REGION, Includes=kinds)
            items = [item for page in pages for item in page["CertificateSummaryList"]]
            year_ago = now - datetime.timedelta(days=365)
            last_year = sum(item.get("CreatedAt", now) > year_ago for item in items)
            return Certificates(len(items), last_year, frozenset(str(item.get("DomainName", "")) for item in items))

        return self._asked("acm:ListCertificates", ask)

    def rule_sets(self) -> RuleSets | NotReceiving | NotAsked:
        import botocore.exceptions as faults

        def ask() -> RuleSets | NotReceiving:
            try:
                # no paginator: botocore has none for it
                total = len(self._client("ses").list_receipt_rule_sets()["RuleSets"])
            except faults.ClientError as e:
                if _code(e) != "InvalidAction":
                    raise
                return NotReceiving(_words(e))
            active = self._client("ses").describe_active_receipt_rule_set()
            rules = active.get("Rules", ())
            recipients = [recipient for rule in rules for recipient in rule.get("Recipients", ())]
            return RuleSets(
                total,
                active.get("Metadata", {}).get("Name"),
                tuple(str(rule.get("Name")) for rule in rules),
                tuple(dict.fromkeys(recipients)),
            )

        return self._asked("ses:ListReceiptRuleSets and ses:DescribeActiveReceiptRuleSet", ask)

    def subscriptions(self) -> tuple[SubscriptionSeen, ...] | NotAsked:
        """Of the alert topics of mailtls in the region."""

        def ask() -> tuple[SubscriptionSeen, ...]:
            pages = self._pages("sns", "list_subscriptions", self.region)
            found = (item for page in pages for item in page["Subscriptions"])
            return tuple(
                SubscriptionSeen(topic, item["Protocol"], item["Endpoint"], item["SubscriptionArn"].startswith("arn:"))
                for item in found
                if (topic := item["TopicArn"].rpartition(":")[2]).startswith(OUR_TOPICS)
            )

        return self._asked("sns:ListSubscriptions", ask)

    def zone(self, name: str, zone_id: str | None) -> ZoneSeen | NoZone | SeveralZones | NotAsked:
        """The public zone of that name, or the one with that id."""
        import botocore.exceptions as faults

        def ask() -> ZoneSeen | NoZone | SeveralZones:
            ids = [zone_id] if zone_id else self._zone_ids(name)
            if len(ids) > 1:
                return SeveralZones(tuple(ids))
            if not ids:
                return NoZone()
            try:
                found = self._client("route53").get_hosted_zone(Id=ids[0])
            except faults.ClientError as e:
                if _code(e) != "NoSuchHostedZone":
                    raise
                return NoZone()
            servers = found.get("DelegationSet", {}).get("NameServers", ())
            private = bool(found["HostedZone"].get("Config", {}).get("PrivateZone"))
            return ZoneSeen(_zone_id(found["HostedZone"]), tuple(servers), private=private)

        return self._asked("route53:ListHostedZonesByName and route53:GetHostedZone", ask)

    def _zone_ids(self, name: str) -> list[str]:
        """Ids of the public zones of that very name: the list begins there and is sorted by name."""
        page = self._client("route53").list_hosted_zones_by_name(DNSName=name, MaxItems="100")
        return [
            _zone_id(zone)
            for zone in page["HostedZones"]
            if zone["Name"].removesuffix(".") == name and not zone.get("Config", {}).get("PrivateZone")
        ]

    def hosted_zones(self) -> dict[str, str] | NotAsked:
        """Every public zone of the account: id to name, without final dot."""

        def ask() -> dict[str, str]:
            return {
                _zone_id(zone): _name(zone["Name"])
                for page in self._pages("route53", "list_hosted_zones")
                for zone in page["HostedZones"]
                if not zone.get("Config", {}).get("PrivateZone")
            }

        return self._asked("route53:ListHostedZones", ask)

    def records(self, zone_id: str) -> list[ZoneRecord] | NotAsked:
        """All records of a zone. An alias of Route 53 has the type `ALIAS` and its target as value."""

        def ask() -> list[ZoneRecord]:
            pages = self._pages("route53", "list_resource_record_sets", HostedZoneId=zone_id)
            return [record for page in pages for one in page["ResourceRecordSets"] for record in _records(one)]

        return self._asked("route53:ListResourceRecordSets", ask)

    def state_bucket(self, name: str) -> StateBucket | NotAsked:
        import botocore.exceptions as faults

        def ask() -> StateBucket:
            try:
                self._client("s3").head_bucket(Bucket=name)
            except faults.ClientError as e:
                return StateBucket(name, False, why=_words(e))
            try:
                status = self._client("s3").get_bucket_versioning(Bucket=name).get("Status")
            except faults.ClientError:
                return StateBucket(name, True)
            return StateBucket(name, True, status == "Enabled")

        return self._asked("s3:ListBucket", ask)

    def _client(self, service: str, region: str | None = None) -> Any:
        import boto3
        from botocore.config import Config

        key = (service, region or self.region)
        with self._making:
            if key not in self._clients:
                patience = Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                    retries={"mode": "standard", "max_attempts": ATTEMPTS},
                )
                if not self._sessions:
                    self._sessions.append(boto3.session.Session())
                self._clients[key] = self._sessions[0].client(service, region_name=key[1], config=patience)
            return self._clients[key]

    def _pages(
        self, service: str, operation: str, region: str | None = None, **arguments: Any
    ) -> Iterator[Mapping[str, Any]]:
        paginator = self._client(service, region).get_paginator(operation)
        for number, page in enumerate(paginator.paginate(**arguments), 1):
            if number > MAX_PAGES:
                raise _Many(f"more than {MAX_PAGES} pages of {operation.replace('_', ' ')}")
            yield page

    def _asked(self, action: str, ask: Callable[[], _T]) -> _T | NotAsked:
        """What `ask` returns, or why there was no answer. action: the right that it needs."""
        import botocore.exceptions as faults

        try:
            return ask()
        except (faults.BotoCoreError, faults.ClientError) as e:
            return _not_asked(e, action)
        except _Many as e:
            return NotAsked(str(e))
        except (KeyError, TypeError, AttributeError) as e:  # an answer of another shape: not AWS, or a proxy's page
            return NotAsked(f"the answer is not one of AWS: {type(e).__name__} {e}"[:_LONGEST_WORDS])


def _limits(service: str, quotas: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return {
        known.key: int(quota["Value"])
        for quota in quotas
        for known in QUOTAS
        if known.service == service and known.name.fullmatch(str(quota.get("QuotaName", "")))
    }


def _not_asked(error: Exception, action: str) -> NotAsked:
    """The reason, and the right that would help where a right is what is missing."""
    if _code(error) in _DENIED:
        return NotAsked("AWS does not let this identity ask", f"allow it {action} (docs/iam/preflight.json)")
    return NotAsked(f"AWS: {_words(error)}")


def _code(error: Exception) -> str:
    return _said(error).get("Code", "")


def _said(error: Exception) -> Mapping[str, str]:
    """Code and Message of the service's own refusal; nothing for an error on the way there."""
    response = getattr(error, "response", None)
    said = response.get("Error", {}) if isinstance(response, dict) else {}
    return {key: str(value) for key, value in said.items()}


def _words(error: Exception) -> str:
    """One line: the service's code and the first line of its message, else what botocore says. What follows that line
    can be the request as it was signed, with the session's token in it."""
    said = _said(error)
    reason = said.get("Message", "").strip().partition("\n")[0]
    text = f"{said.get('Code', '')}: {reason or 'no reason given'}" if said else str(error)
    text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())[:_LONGEST_WORDS] or type(error).__name__


def _zone_id(zone: Mapping[str, Any]) -> str:
    return str(zone["Id"]).rpartition("/")[2]


def _name(text: str) -> str:
    """Route 53 writes the star of a wildcard as `\\052`."""
    return text.replace("\\052", "*").removesuffix(".").lower()


def _records(record_set: Mapping[str, Any]) -> Iterator[ZoneRecord]:
    name, kind = _name(record_set["Name"]), str(record_set["Type"])
    if target := record_set.get("AliasTarget", {}).get("DNSName"):
        yield ZoneRecord(name, "ALIAS", _name(target))
    for record in record_set.get("ResourceRecords", ()):
        value = str(record["Value"])
        yield ZoneRecord(name, kind, joined(value) if kind == "TXT" else value.removesuffix("."))
