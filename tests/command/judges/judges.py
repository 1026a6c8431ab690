"""The outside judges, unmodified, each asked about all cases at once, and their answers in the words of the tables."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local_internet import Internet
from mail_cases import NO_MAIL
from policy_cases import NO

from sandbox.engine.environments import environment

REPOSITORY = Path(__file__).parents[3]
OUTSIDERS = REPOSITORY / "sandbox" / "outsiders"
LIMIT = 110
"""Seconds for one judge and all its cases."""
AT_ONCE = 4
"""Questions of one judge beside each other: the servers share this process with all that wait for the judges."""

Answers = dict[str, dict[str, Any]]
"""By domain, as the judge's script prints them."""


def ask_us(internet: Internet, ca: Path, domains: Sequence[str]) -> Answers:
    """`mailtls check`, as somebody calls it who writes a program."""
    options = ["--format", "json", "--resolver", internet.dns, "--proxy", internet.proxy, "--allow-private"]
    done = subprocess.run(
        [sys.executable, "-m", "mailtls.cli", "check", *options, "--at-once", str(AT_ONCE), *domains],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=os.environ | {"SSL_CERT_FILE": str(ca)},
        check=False,
    )
    assert done.returncode == 1, done.stderr  # there is something to find
    return {answer["policy_domain"]: answer for answer in json.loads(done.stdout)["domains"]}


def ask_us_on_port_25(internet: Internet, ca: Path, domains: Sequence[str]) -> Answers:
    """The same with --smtp, in a process of its own for the port, which no option of the command changes."""
    script, port = Path(__file__).parent / "smtp_check.py", str(internet.smtp_port)
    done = subprocess.run(
        [sys.executable, str(script), internet.dns, internet.proxy, port, *domains],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=os.environ | {"SSL_CERT_FILE": str(ca)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {answer["policy_domain"]: answer for answer in json.loads(done.stdout)}


def ask_client(internet: Internet, ca: Path, domains: Sequence[str]) -> Answers:
    """postfix-mta-sts-resolver."""
    return _ask("mta_sts_client.py", internet, ca, *domains)


def ask_checkdmarc(internet: Internet, ca: Path, domains: Sequence[str]) -> Answers:
    return _ask("checkdmarc_client.py", internet, ca, "--mx", *domains)


def _ask(script: str, internet: Internet, ca: Path, *arguments: str) -> Answers:
    python = environment("outsiders", OUTSIDERS / "requirements.txt")
    command = [str(python), str(OUTSIDERS / script), "--dns", internet.dns, "--proxy", internet.proxy, *arguments]
    trust = {"SSL_CERT_FILE": str(ca), "REQUESTS_CA_BUNDLE": str(ca)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LIMIT, env=os.environ | trust, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, f"{script}:\n{done.stdout[-500:]}\n{done.stderr[-3000:]}"
    answers = map(json.loads, done.stdout.splitlines())
    return {answer["domain"]: answer for answer in answers}


def policy_of_ours(answer: Mapping[str, Any]) -> str:
    return _policy(answer["policy"]) if answer["policy"] else NO


def policy_of_client(answer: Mapping[str, Any]) -> str:
    return _policy(answer["policy"]) if answer["verdict"] == "VALID" else NO


def policy_of_checkdmarc(answer: Mapping[str, Any]) -> str:
    return _policy(answer["mta_sts"]["policy"]) if answer["mta_sts"]["valid"] else NO


def _policy(policy: Mapping[str, Any]) -> str:
    return " ".join([policy["mode"], str(policy["max_age"]), *policy["mx"]])


def unnamed_by_ours(answer: Mapping[str, Any]) -> str:
    """The hosts that senders refuse, in order of preference."""
    if answer["protection"] == "no mail":
        return NO_MAIL
    return " ".join(host["host"] for host in answer["hosts"] if host["honouring"] == "refused")


def unnamed_by_checkdmarc(answer: Mapping[str, Any]) -> str:
    warnings = "\n".join(answer["mx"]["warnings"])
    if "has a null MX record" in warnings:
        return NO_MAIL
    return " ".join(re.findall(r"^(\S+) is not included in the MTA-STS policy$", warnings, re.MULTILINE))


def posttls_finger() -> str | None:
    """Where it is; Debian has it in the package postfix, beside what only root calls."""
    return shutil.which("posttls-finger", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def ask_postfix(program: str, folder: Path, ca: Path, port: int, looks: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What Postfix's client says about each (address, MX host), by address: the lines that it prints.

    It takes one destination, so it is called once a look, a few at a time. folder: empty, for its configuration.
    """
    (folder / "main.cf").write_text("compatibility_level = 3.6\nmyhostname = sender.test\n")
    options = ["-l", "secure", "-F", str(ca), "-p", ">=TLSv1.2", "-t", "5", "-T", "5"]

    def ask(look: tuple[str, str]) -> tuple[str, str]:
        address, host = look
        done = subprocess.run(
            [program, *options, "-s", host, f"[{address}]:{port}", host],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env={"MAIL_CONFIG": str(folder), "PATH": os.environ["PATH"]},
            check=False,
        )
        return address, done.stdout + done.stderr

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(pool.map(ask, looks))


def delivers(lines: str) -> bool:
    """Whether Postfix would deliver there at level `secure`, which is what a policy in enforce asks for."""
    return re.search(r"^posttls-finger: Verified TLS connection established", lines, re.MULTILINE) is not None
