"""The one issue that shows every domain, on a real Gitea."""

import pytest
from house import House, promote

from mailtls.propose import dashboard
from mailtls.propose.dashboard import Row, RowState
from mailtls.propose.proposals import Result

pytestmark = pytest.mark.forge

BRANCH = "mailtls/promote/contoso.example"
ROWS = [
    Row("contoso.example", RowState.CLOSED_BY_YOU, "testing → enforce", "http://x.example/1", BRANCH),
    Row("fabrikam.example", RowState.WAITING, "until 2026-12-24 04:10 UTC"),
]


def dashboards(house: House) -> list[dict[str, object]]:
    return list(house.as_alice("GET", "/issues?type=issues&state=all&limit=50"))


def test_it_is_made_once_and_written_only_where_it_differs(house: House) -> None:
    client = house.client()
    assert dashboard.find(client) is None
    dashboard.write(client, ROWS, ())
    [first] = dashboards(house)
    assert "2 domains: 1 closed by you · 1 waiting" in str(first["body"])
    dashboard.write(client, ROWS, ())
    assert dashboards(house) == [first]
    dashboard.write(client, ROWS[1:], ())
    [second] = dashboards(house)
    assert second["number"] == first["number"]
    assert "contoso.example" not in str(second["body"])


def test_a_ticked_box_asks_again_and_a_box_ticked_meanwhile_stays(house: House) -> None:
    client = house.client()
    house.run(promote())
    house.close(house.pull()["number"])
    dashboard.write(client, ROWS, ())
    found = dashboard.find(client)
    assert found
    assert dashboard.asked_again(found.body) == set()
    ticked = found.body.replace("- [ ] **contoso", "- [x] **contoso")
    house.as_alice("PATCH", f"/issues/{found.number}", {"body": ticked})
    dashboard.write(client, ROWS, ())  # a run that did not hear it
    found = dashboard.find(client)
    assert found
    again = dashboard.asked_again(found.body)
    assert again == {BRANCH}
    assert [outcome.result for outcome in house.run(promote(), asked_again=again)] == [Result.OPENED]
    dashboard.write(client, ROWS, again)
    found = dashboard.find(client)
    assert found
    assert dashboard.asked_again(found.body) == set()


def test_one_that_a_person_closed_stays_closed(house: House) -> None:
    client = house.client()
    issue = dashboard.write(client, ROWS, ())
    assert issue
    house.as_alice("PATCH", f"/issues/{issue.number}", {"state": "closed"})
    assert dashboard.write(client, ROWS[1:], ()) is None
    [only] = dashboards(house)
    assert only["state"] == "closed"


def test_a_strangers_issue_with_the_title_is_not_ours(house: House) -> None:
    asked = {"title": dashboard.TITLE, "body": f"- [x] <!-- again {BRANCH} -->"}
    house.as_alice("POST", "/issues", asked, "bob")
    client = house.client()
    assert dashboard.find(client) is None
    dashboard.write(client, ROWS, ())
    found = dashboard.find(client)
    assert found
    assert dashboard.asked_again(found.body) == set()


def test_a_thousand_domains_fit_and_what_does_not_is_counted() -> None:
    rows = [Row(f"brand{number}.example", RowState.READY, "in enforce " + "x" * 100) for number in range(1000)]
    body = dashboard.render(rows)
    assert len(body) <= dashboard.MOST_BODY
    assert "more domains do not fit here" in body
