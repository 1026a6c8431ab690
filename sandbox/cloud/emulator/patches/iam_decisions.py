"""May a role, a service, or the caller of this request do something? Asked by the patches of other services.

The evaluation is the emulator's own; what is ours is that it is asked at all. The administrator (the account's root)
may do everything, as in the emulator.
"""

from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam


@dataclass(frozen=True, slots=True)
class Source:
    """On whose behalf a service acts: `aws:SourceArn` and `aws:SourceAccount`."""

    arn: str
    account: str

    def context(self) -> dict[str, str]:
        """Condition keys; `aws:SourceOwner` is the old name that SNS's default policy uses."""
        return {"aws:sourcearn": self.arn, "aws:sourceaccount": self.account, "aws:sourceowner": self.account}


@dataclass(frozen=True, slots=True)
class ResourcePolicy:
    """A resource's own policy. decisive: without an Allow in it nobody may, as with KMS keys."""

    text: str | None
    decisive: bool = False


NO_POLICY = ResourcePolicy(None)


def role(arn: str) -> dict[str, Any] | None:
    """The account's role of that ARN."""
    name = arn.rsplit("/", 1)[-1]
    found: dict[str, Any] | None = iam._roles.get(name)
    return found if found is not None and found["Arn"] == arn else None


def role_may(arn: str, action: str, resource: str, policy: ResourcePolicy = NO_POLICY) -> bool:
    """Whether the role's policies and boundary, and the resource's own policy, let it."""
    found = role(arn)
    if found is None:
        return False
    account, name = get_account_id(), found["RoleName"]
    session = f"arn:aws:sts::{account}:assumed-role/{name}/session"
    policies = iam_evaluator._gather_role_policies(name, account)
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    return _allowed(_context(session, "AssumedRole", account, action, resource), policies, limits, policy)


def caller_may(action: str, resource: str, policy: ResourcePolicy = NO_POLICY) -> bool:
    """The same for whoever signed this request."""
    caller = iam_evaluator.caller_arn()
    if ":assumed-role/" in caller:
        name = caller.split(":assumed-role/", 1)[1].split("/", 1)[0]
        return role_may((iam._roles.get(name) or {}).get("Arn", ""), action, resource, policy)
    if ":user/" in caller:
        account, name = get_account_id(), caller.rsplit("/", 1)[-1]
        policies = iam_evaluator._gather_user_policies(name, account)
        limits = iam_evaluator._permissions_boundary(iam._users, name, account)
        return _allowed(_context(caller, "User", account, action, resource), policies, limits, policy)
    return str(caller).endswith(":root")


def service_may(text: str | None, service: str, action: str, resource: str, source: Source) -> bool:
    """Whether a resource's policy lets an AWS service (`events.amazonaws.com`) act on it for `source`."""
    context = _context("*", "Service", "", action, resource, source)
    found: str = iam_evaluator.evaluate_resource_policy(text, context, service=service).decision
    return found == "Allow"


def service_may_assume(arn: str, service: str, source: Source) -> bool:
    """Whether the role exists and its trust policy lets the service take it on."""
    found = role(arn)
    return found is not None and service_may(found["AssumeRolePolicyDocument"], service, "sts:AssumeRole", arn, source)


def _context(principal: str, kind: str, account: str, action: str, resource: str, source: Source | None = None) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type=kind,
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context=source.context() if source else {},
    )


def _allowed(context: Any, policies: Any, limits: Any, policy: ResourcePolicy) -> bool:
    result = iam_evaluator.evaluate(context, policies, *limits)
    if policy.text is not None:
        result = iam_evaluator.combine_resource_policy(
            result, context, policy.text, get_account_id(), required=policy.decisive, limits=limits
        )
    found: str = result.decision
    return found == "Allow"
