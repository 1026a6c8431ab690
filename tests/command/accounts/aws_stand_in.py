"""AWS as one who may do little sees it: every service on one address, told apart by how it is called.

The emulator of the sandbox is the judge of what AWS answers when all is allowed (tests/end_to_end); this stands for
what it cannot play: quotas, the simulator's contexts and pages, refusals of every kind.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from stand_ins import Answer, Request

IDENTITY = """\
<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>210987654321</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
ROLE = """\
<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role>
<Path>/ci/</Path><RoleName>deployer</RoleName><RoleId>AROA</RoleId><CreateDate>2026-01-01T00:00:00Z</CreateDate>
<Arn>arn:aws:iam::210987654321:role/ci/deployer</Arn></Role></GetRoleResult></GetRoleResponse>"""
SIMULATED = """\
<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult>
<IsTruncated>{more}</IsTruncated>{marker}<EvaluationResults>{results}</EvaluationResults>
</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"""
DECISION = """\
<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>
<EvalDecision>{decision}</EvalDecision></member>"""
DENIED_XML = """\
<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"""

Call = Mapping[str, list[str]]
"""The parameters of one call in the query protocol."""


@dataclass(slots=True)
class AwsStandIn:
    """denied: actions of the simulated principal. answers: by operation, in place of AccessDenied. calls: those of the
    simulator."""

    arn: str = "arn:aws:sts::210987654321:assumed-role/deployer/ci"
    denied: frozenset[str] = frozenset()
    answers: Mapping[str, Callable[[Call], Answer]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        target = request.headers.get("X-Amz-Target", "")
        parameters = parse_qs(request.body.decode("latin-1")) if not target else {}
        operation = target.rpartition(".")[2] or parameters.get("Action", [request.path])[0]
        if operation in self.answers:
            return self.answers[operation](parameters)
        if operation == "GetCallerIdentity":
            return Answer(200, [IDENTITY.format(arn=self.arn).encode()])
        if operation == "GetRole":
            return Answer(200, [ROLE.encode()])
        if operation == "SimulatePrincipalPolicy":
            return self._simulated(parameters)
        return refused(bool(target), "AccessDenied", "User: deployer is not authorized")

    def _simulated(self, parameters: Call) -> Answer:
        """One page an action, so that a caller who takes the first page alone misses most of them."""
        self.calls.append(parameters)
        actions = [values[0] for name, values in parameters.items() if name.startswith("ActionNames.member.")]
        resources = [values[0] for name, values in parameters.items() if name.startswith("ResourceArns.member.")]
        page = int(parameters.get("Marker", ["0"])[0])
        decision = "implicitDeny" if actions[page] in self.denied else "allowed"
        results = "".join(
            DECISION.format(action=actions[page], resource=resource, decision=decision) for resource in resources
        )
        more = page + 1 < len(actions)
        marker = f"<Marker>{page + 1}</Marker>" if more else ""
        return Answer(200, [SIMULATED.format(more=str(more).lower(), marker=marker, results=results).encode()])


def refused(as_json: bool, code: str, message: str, status: int = 403) -> Answer:
    if as_json:
        body = json.dumps({"__type": code, "message": message})
        return Answer(status, [body.encode()], {"Content-Type": "application/x-amz-json-1.1"})
    return Answer(status, [DENIED_XML.format(code=code, message=message).encode()])


def said(value: object) -> Callable[[Call], Answer]:
    """An answer of a service that speaks JSON."""
    body = json.dumps(value).encode()
    return lambda _: Answer(200, [body], {"Content-Type": "application/x-amz-json-1.1"})
