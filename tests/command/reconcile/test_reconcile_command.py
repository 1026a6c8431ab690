"""`mailtls reconcile`: every domain is decided, the pressing ones are told first, and nothing is changed."""

import json
import subprocess
from importlib import resources
from typing import Any

import jsonschema
import pytest

from mailtls.cli.main import main

SCHEMA = json.loads(resources.files("mailtls.render").joinpath("reconcile.v1.schema.json").read_text("utf-8"))
URGENT, CHANGE, PERSON, DATE = "URGENT: ", "CHANGES THAT ARE DUE", "WAITING FOR A PERSON", "WAITING FOR A DAY"


def run(mailtls: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = mailtls("reconcile", *arguments)
    return done


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(data, SCHEMA)
    return data


def groups(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {one["policy_domain"]: one["group"] for one in document(done)["domains"]}


def test_the_pressing_decisions_come_first(mailtls: Any) -> None:
    done = run(mailtls, "--store", "store")
    assert (done.returncode, done.stderr) == (1, "")
    places = [done.stdout.index(head) for head in (URGENT, CHANGE, PERSON, DATE)]
    assert places == sorted(places)
    text = " ".join(done.stdout.split())
    assert "newmx.example: add to the policy: mx2.newmx.example" in text
    assert "ready.example: promote to enforce" in text
    assert "5 domains: 1 urgent, 1 due, 1 waiting for a person, 1 waiting for a day, 1 with nothing to do" in text
    assert "Nothing was changed or proposed" in text
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_ten_thousand_clean_sessions_do_not_hide_forty_that_enforce_would_refuse(mailtls: Any) -> None:
    text = " ".join(run(mailtls, "--store", "store").stdout.split())
    assert "refused.example: promote to enforce, not before" in text
    assert "40 sessions at mx1.refused.example (certificate-host-mismatch)" in text


def test_the_json_fits_its_schema_and_holds_every_domain(mailtls: Any) -> None:
    done = run(mailtls, "--store", "store", "--format", "json")
    assert done.returncode == 1
    assert list(groups(done).items()) == [
        ("newmx.example", "urgent"),
        ("ready.example", "change"),
        ("refused.example", "person"),
        ("young.example", "date"),
        ("quiet.example", "nothing"),
    ]
    first = document(done)["domains"][0]
    assert (first["kind"], first["urgent"], first["edit"]["add_mx"]) == ("add-mx", True, ["mx2.newmx.example"])


def test_nothing_to_do_says_so(mailtls: Any) -> None:
    done = run(mailtls, "--store", "store", "--specs", "policy_specs/quiet.example.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 domain: 1 with nothing to do\nNothing is to be done now.\n")


def test_without_a_store_it_says_what_cannot_be_decided(mailtls: Any) -> None:
    done = run(mailtls)
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert "Without --store nobody knows what was served" in text
    assert "newmx.example: add to the policy" in text
    assert "promote" not in text
    assert {name for name, group in groups(run(mailtls, "--format", "json")).items() if group == "undecided"} == {
        "young.example",
        "ready.example",
        "refused.example",
        "quiet.example",
    }


def test_one_domains_failure_stops_no_other(mailtls: Any) -> None:
    (mailtls.folder / "store/policies/quiet.example/versions.json").write_text("{")
    done = run(mailtls, "--store", "store", "--format", "json")
    assert done.returncode == 2
    data = document(done)
    assert [one["policy_domain"] for one in data["failed"]] == ["quiet.example"]
    assert "list-object-versions" in data["failed"][0]["told"]
    assert len(data["domains"]) == 4
    assert "FAILED" in run(mailtls, "--store", "store").stdout


def test_markdown_mentions_nobody_and_names_the_cause(mailtls: Any) -> None:
    done = run(mailtls, "--store", "store", "--format", "markdown")
    assert done.returncode == 1
    assert done.stdout.startswith("### mailtls reconcile: 5 domains")
    assert "- **`newmx.example`**: add to the policy: mx2.newmx.example" in done.stdout


@pytest.mark.parametrize(
    ("key", "group", "told"),
    [("hold: true\n", "person", "held by"), ("rollout: manual\n", "person", "rollout: manual")],
)
def test_what_a_person_said_stands_and_what_it_holds_back_is_told(
    mailtls: Any, key: str, group: str, told: str
) -> None:
    mailtls.write_spec("ready.example", key)
    done = run(mailtls, "--store", "store", "--format", "json")
    assert groups(done)["ready.example"] == group
    (one,) = [one for one in document(done)["domains"] if one["policy_domain"] == "ready.example"]
    assert one["instead"]["kind"] == "promote"
    assert told in one["headline"]


def test_specs_stand_as_they_were(mailtls: Any) -> None:
    before = {path: path.read_bytes() for path in mailtls.folder.rglob("*") if path.is_file()}
    run(mailtls, "--store", "store")
    assert {path: path.read_bytes() for path in mailtls.folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--store", "nowhere"), "no folder with a folder `policies` in it"),
        (("--store", "s3://one"), "s3://POLICY-BUCKET,REPORTS-BUCKET"),
        (("--specs", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_read_is_trouble(mailtls: Any, arguments: tuple[str, ...], told: str) -> None:
    done = run(mailtls, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_network_without_dns_is_a_failure_of_each_domain(mailtls: Any) -> None:
    done = run(mailtls, "--store", "store", "--specs", "policy_specs/quiet.example.yaml", "--timeout", "0.5")
    assert done.returncode == 0
    from click.testing import CliRunner

    arguments = ["reconcile", "--specs", str(mailtls.folder / "policy_specs"), "--resolver", "127.0.0.1:9"]
    result = CliRunner().invoke(main, [*arguments, "--timeout", "0.5", "--allow-private"], catch_exceptions=False)
    assert result.exit_code == 2
    assert "5 domains: 5 failed" in result.stdout
    assert "is there a network?" in " ".join(result.stdout.split())


def test_buckets_that_do_not_answer_are_a_failure_of_the_domain_with_the_permission_named(mailtls: Any) -> None:
    aws = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    done = mailtls(
        "reconcile", "--store", "s3://a,b", "--region", "eu-west-1",
        "--specs", "policy_specs/quiet.example.yaml", **aws,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "")
    assert "quiet.example: s3:ListBucketVersions on a: " in " ".join(done.stdout.split())


def test_buckets_without_a_region_are_trouble(mailtls: Any) -> None:
    done = mailtls("reconcile", "--store", "s3://a,b", AWS_REGION="", AWS_DEFAULT_REGION="")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--region eu-west-1" in done.stderr


def test_a_heartbeat_that_nobody_takes_is_told_after_the_decisions(mailtls: Any) -> None:
    """The request itself is looked at where CloudWatch's stand-in is: tests/sandbox/test_cloud_heartbeat.py."""
    nobody = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    quiet = ("--store", "store", "--specs", "policy_specs/quiet.example.yaml", "--heartbeat", "--region", "eu-west-1")
    done = mailtls("reconcile", *quiet, **nobody)
    assert done.returncode == 2
    assert done.stdout.startswith("1 domain: 1 with nothing to do\n")
    assert "cloudwatch:PutMetricData in eu-west-1" in done.stderr
    assert "Traceback" not in done.stderr
