"""A domain whose spec lies in a real repository: each day it is looked at, and what the controller decides is written
into the files, judged as a pull request is, merged and deployed."""

import datetime
from dataclasses import dataclass, field
from pathlib import Path

from sample_rollout import DAY, NOW, evidence, failure, look, row
from spec_repository import SpecRepository

from mailtls.lint.findings import Finding
from mailtls.lint.specs import survey_findings
from mailtls.lint.transition_rules import transition_findings
from mailtls.mta_sts.policy import Policy
from mailtls.observe.spec_history import compare_with
from mailtls.propose.decided import decided_edit
from mailtls.propose.spec_edit import edit_spec
from mailtls.propose.yaml_edit import Set
from mailtls.rollout.decide import decide
from mailtls.rollout.decision import Action, Decision, Kind
from mailtls.rollout.history import Version, of_versions
from mailtls.spec.load import survey
from mailtls.spec.model import PolicySpec
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import Report, ResultType

DOMAIN = "contoso.example"
SIGNERS = ("google.com", "mail.ru")


@dataclass
class LivedDomain:
    """mx: what DNS says. broken: the hosts at which senders report refusals. done: each change, and what `validate`
    says of it. decision: today's."""

    repository: SpecRepository
    mx: tuple[str, ...]
    now: datetime.datetime = NOW
    broken: tuple[str, ...] = ()
    versions: list[Version] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)
    done: list[tuple[int, Kind, list[Finding]]] = field(default_factory=list)
    decision: Decision | None = None

    @property
    def folder(self) -> Path:
        return self.repository.place / "policy_specs"

    @property
    def spec(self) -> PolicySpec | None:
        return next((spec for spec in survey(self.folder).specs if spec.policy_domain == DOMAIN), None)

    @property
    def file(self) -> Path:
        """The file in which the spec itself is written."""
        return Path(survey(self.folder).layers[DOMAIN][0].file.path)

    @property
    def policy(self) -> Policy:
        spec = self.spec
        assert spec
        assert spec.mta_sts
        return spec.mta_sts.policy

    @property
    def kinds(self) -> list[Kind]:
        return [kind for _, kind, _ in self.done]

    def change(self, files: dict[str, str | None]) -> None:
        """A person's commit, deployed at once."""
        self.repository.commit({f"policy_specs/{name}": text for name, text in files.items()}, self.now)
        self.deploy()

    def set(self, path: tuple[str, ...], value: str | bool) -> None:
        """A person gives one key of the spec a value."""
        edit = edit_spec(self.folder, DOMAIN, [Set(path, value)])
        assert edit
        assert edit.after
        self.change({edit.path.name: edit.after.decode()})

    def findings_of(self, files: dict[str, str | None]) -> list[Finding]:
        """What `mailtls validate --base` would say of a change that nobody makes."""
        before = {name: (self.folder / name).read_text() for name in files}
        self.repository.write({f"policy_specs/{name}": text for name, text in files.items()})
        try:
            return self._findings()
        finally:
            self.repository.write({f"policy_specs/{name}": text for name, text in before.items()})

    def deploy(self) -> None:
        """A new object where the policy is another one."""
        body = self.policy.render() if self.spec else None
        if not self.versions or self.versions[0].body != body:
            # newest first, as S3 lists them: two may be of the same moment
            self.versions.insert(0, Version(f"v{len(self.versions)}", self.now, body))

    def day(self) -> Decision:
        self._report()
        self.now += DAY
        past = of_versions(self.versions)
        spec, policy = self.spec, self.policy
        assert spec
        reported = evidence(policy, self.entries[-90:])
        self.decision = decide(spec, look(policy, past, *self.mx), past, reported, self.now)
        if isinstance(self.decision, Action):
            self._merge(self.decision)
        return self.decision

    def until(self, kind: Kind, most: int = 200) -> None:
        """Days go by until a change of that kind is merged."""
        for _ in range(most):
            self.day()
            if isinstance(self.decision, Action) and self.decision.kind is kind:
                return
        raise AssertionError(f"no {kind} within {most} days: {self.decision}")

    def _report(self) -> None:
        start = self.now.replace(hour=0)
        for signer in SIGNERS:
            failed = (failure(ResultType.CERTIFICATE_EXPIRED, 300, host) for host in self.broken)
            report = Report(signer, start, start + DAY, None, f"{signer}{start}", (row(self.policy, 50, *failed),))
            self.entries.append(LedgerEntry(DOMAIN, "mail", self.now, signer, report))

    def _merge(self, action: Action) -> None:
        edit = decided_edit(self.folder, action)
        assert edit, action
        if edit.after is None:
            edit.path.unlink()
        else:
            edit.path.write_bytes(edit.after)
        self.done.append(((self.now - NOW).days, action.kind, self._findings()))
        self.repository.git("add", "--all")
        self.repository.git("commit", "--quiet", f"--message={action.kind}", at=self.now)
        self.deploy()

    def _findings(self) -> list[Finding]:
        changes = compare_with(self.folder, "main", self.now).changes
        return [*survey_findings(survey(self.folder)), *transition_findings(changes, self.now)]
