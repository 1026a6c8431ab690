"""A workflow of GitHub Actions, run job by job on this machine: what a runner does of it, as far as our examples ask.

Conditions and `${{ }}` are evaluated, each `run` goes through the shell that it names, outputs and the summary come
back. What an action does is done by a local equal that the caller gives.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"], "python": ["python"]}
"""As GitHub has them, where a step or the workflow names one."""
STEP_SECONDS = 300
_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|(&&|\|\||==|!=|!|\(|\))|([A-Za-z_][\w.-]*))")
_KEPT = ("PIP_", "UV_", "HTTP", "http", "NO_PROXY", "no_proxy", "SSL_", "REQUESTS_", "LANG", "LC_", "TMPDIR", "HOME")
"""What this machine needs to reach a package index; the rest of its environment is no runner's."""

Action = Callable[[Path, Mapping[str, Any]], None]
"""The local equal of an action: the job's working folder, and what stands under `with`."""


@dataclass(slots=True)
class Ran:
    """What came of one job."""

    result: str
    """success, failure or skipped"""
    outcomes: dict[str, str] = field(default_factory=dict)
    """by the step's name, or its action"""
    said: dict[str, str] = field(default_factory=dict)
    """standard output of each step that ran a script"""
    complained: dict[str, str] = field(default_factory=dict)
    """standard error, the same"""
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Runner:
    """One run of a workflow. `event` is what stands under `github`, `path` goes before the machine's own PATH."""

    workflow: Mapping[str, Any]
    event: Mapping[str, Any]
    actions: Mapping[str, Action]
    folder: Path
    path: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    done: dict[str, Ran] = field(default_factory=dict)

    def run(self, name: str) -> Ran:
        """One job, in a folder of its own. Jobs that it needs have been run before."""
        job = self.workflow["jobs"][name]
        needs = [job["needs"]] if "needs" in job else []
        context: dict[str, Any] = {
            "github": self.event,
            "vars": self.variables,
            "secrets": {},
            "needs": {each: {"result": self.done[each].result, "outputs": self.done[each].outputs} for each in needs},
            "steps": {},
        }
        ran = self.done[name] = Ran("success")
        well = all(self.done[each].result == "success" for each in needs)
        if not _wanted(job.get("if"), context, well):
            ran.result = "skipped"
            return ran
        workspace = self.folder / name
        workspace.mkdir(parents=True)
        for step in job["steps"]:
            self._step(step, job, context, workspace, ran)
        ran.outputs = {key: substituted(value, context) for key, value in job.get("outputs", {}).items()}
        return ran

    def _step(self, step: Mapping[str, Any], job: Mapping[str, Any], context: Any, workspace: Path, ran: Ran) -> None:
        name = step.get("name") or step["uses"].split("@")[0]
        outputs: dict[str, str] = {}
        if not _wanted(step.get("if"), context, ran.result == "success"):
            outcome = "skipped"
        elif "uses" in step:
            self.actions[name](workspace, {key: substituted(value, context) for key, value in step["with"].items()})
            outcome = "success"
        else:
            outcome, outputs = self._script(name, step, job, context, workspace, ran)
        ran.outcomes[name] = outcome
        if outcome == "failure":
            ran.result = "failure"
        if "id" in step:
            context["steps"][step["id"]] = {"outcome": outcome, "outputs": outputs}

    def _script(
        self, name: str, step: Mapping[str, Any], job: Mapping[str, Any], context: Any, workspace: Path, ran: Ran
    ) -> tuple[str, dict[str, str]]:
        files = {each: self.folder / f"{each}-{len(ran.outcomes)}" for each in ("output", "summary", "script")}
        files["output"].touch()
        files["summary"].touch()
        files["script"].write_text(step["run"])
        given = {**self.workflow.get("env", {}), **job.get("env", {}), **step.get("env", {})}
        environment = {
            **{key: value for key, value in os.environ.items() if key.startswith(_KEPT)},
            "PATH": f"{self.path}{os.pathsep}{os.environ['PATH']}",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.event["api_url"],
            "GITHUB_REPOSITORY": self.event["repository"],
            "GITHUB_OUTPUT": str(files["output"]),
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            **{key: substituted(value, context) for key, value in given.items()},
        }
        shell = step.get("shell") or self.workflow["defaults"]["run"]["shell"]
        done = subprocess.run(
            [*SHELLS[shell], files["script"]],
            cwd=workspace, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=STEP_SECONDS, check=False,
        )  # fmt: skip
        ran.said[name], ran.complained[name] = done.stdout, done.stderr
        ran.summary += files["summary"].read_text()
        outputs = dict(line.split("=", 1) for line in files["output"].read_text().splitlines())
        return ("failure" if done.returncode else "success"), outputs


def _wanted(condition: str | None, context: Mapping[str, Any], well: bool) -> bool:
    """Does this step or job run? Without a word about status it runs only when all before it went well."""
    if condition is None:
        return well
    expression = condition.strip().removeprefix("${{").removesuffix("}}")
    value = bool(evaluated(expression, {**context, "cancelled()": False, "failure()": not well, "always()": True}))
    return value if re.search(r"\b(cancelled|failure|always)\(\)", expression) else well and value


def substituted(text: Any, context: Mapping[str, Any]) -> str:
    """`text` with each `${{ }}` replaced by its value. What is not there is empty, as on GitHub."""
    return re.sub(r"\$\{\{(.+?)\}\}", lambda found: str(evaluated(found[1], context) or ""), str(text))


def evaluated(expression: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression of names, texts, `!`, `==`, `!=`, `&&`, `||`. Raises ValueError for anything else."""
    tokens = list(_tokens(expression))
    value = _either(tokens, context)
    if tokens:
        raise ValueError(f"cannot read {tokens[0]!r} in {expression!r}")
    return value


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    place, text = 0, re.sub(r"\b(\w+)\(\)", r"\1-call", expression).strip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise ValueError(f"cannot read {text[place:]!r}")
        place = found.end()
        kind = ("text", "sign", "name")[next(number for number in range(3) if found[number + 1] is not None)]
        yield kind, found[1] or found[2] or found[3] or ""


def _either(tokens: list[tuple[str, str]], context: Mapping[str, Any]) -> Any:
    value = _both(tokens, context)
    while tokens[:1] == [("sign", "||")]:
        tokens.pop(0)
        other = _both(tokens, context)
        value = value or other
    return value


def _both(tokens: list[tuple[str, str]], context: Mapping[str, Any]) -> Any:
    value = _compared(tokens, context)
    while tokens[:1] == [("sign", "&&")]:
        tokens.pop(0)
        other = _compared(tokens, context)
        value = value and other
    return value


def _compared(tokens: list[tuple[str, str]], context: Mapping[str, Any]) -> Any:
    value = _single(tokens, context)
    if tokens[:1] in ([("sign", "==")], [("sign", "!=")]):
        equal = tokens.pop(0)[1] == "=="
        return (value == _single(tokens, context)) is equal
    return value


def _single(tokens: list[tuple[str, str]], context: Mapping[str, Any]) -> Any:
    kind, text = tokens.pop(0)
    if kind == "text":
        return text.replace("''", "'")
    if (kind, text) == ("sign", "!"):
        return not _single(tokens, context)
    if (kind, text) == ("sign", "("):
        value = _either(tokens, context)
        if tokens.pop(0) != ("sign", ")"):
            raise ValueError("a bracket is not closed")
        return value
    if kind == "name":
        return _looked_up(text, context)
    raise ValueError(f"cannot read {text!r}")


def _looked_up(name: str, context: Mapping[str, Any]) -> Any:
    if name.endswith("-call"):
        return context[name.replace("-call", "()")]
    value: Any = context
    for part in name.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    return value


def python_of(environment: Path) -> Path:
    """The `bin` of a fresh virtual environment, for what actions/setup-python gives: a Python without packages."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True, capture_output=True)
    return environment / "bin"
