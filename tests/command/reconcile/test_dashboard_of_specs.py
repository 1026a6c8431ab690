"""`mailtls reports dashboard --specs`: the controller's words on the pages."""

import json
import re
from html import unescape
from typing import Any


def text_of(mailtls: Any, path: str) -> str:
    page = (mailtls.folder / "site" / path).read_text()
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_each_domain_has_its_next_step_and_its_day(mailtls: Any) -> None:
    mailtls.write_spec("young.example", "owner: mail-team\n")
    done = mailtls("reports", "dashboard", "site", "--store", "store", "--specs", "policy_specs")
    assert (done.returncode, done.stderr) == (0, "")
    (status,) = json.loads(mailtls("status", "--store", "store", "--format", "json", "young.example").stdout)["domains"]
    young = text_of(mailtls, "domains/young.example/index.html")
    assert "Next: promote to enforce, not before" in young
    assert f"Waits for: a date. Earliest day: {status['next']['until'][:10]}." in young
    assert "Owner mail-team" in young
    index = text_of(mailtls, "index.html")
    assert "Next step" in index
    assert "promote to enforce, not before" in index
    assert "Waits for: a person who mends, decides or looks." in text_of(mailtls, "domains/refused.example/index.html")


def test_a_domain_whose_policies_cannot_be_read_stops_no_other(mailtls: Any) -> None:
    (mailtls.folder / "store/policies/young.example/versions.json").write_text("{}}")
    done = mailtls("reports", "dashboard", "site", "--store", "store", "--specs", "policy_specs")
    assert done.returncode == 1
    assert "young.example: what was served could not be read: " in done.stderr
    assert "5 domains" in done.stdout
    young = text_of(mailtls, "domains/young.example/index.html")
    assert "Mode testing, as reports say" in young
    assert "Next: not decided: " in young
    assert "promote to enforce" in text_of(mailtls, "domains/ready.example/index.html")
