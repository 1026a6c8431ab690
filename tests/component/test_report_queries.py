"""Athena's table and saved queries: what the program makes is what docs/athena has, and what the ledger holds."""

import re

import pytest
from strict_mocks import assert_well_formed, run

from components.report_queries import FILES, MOST_BYTES, ReportQueries, TableFile, saved_queries

TABLE = "aws:glue/catalogTable:CatalogTable"


@pytest.fixture(scope="module")
def recording():
    return run(
        lambda: ReportQueries("report-queries", {"region": "eu-west-1", "bucket_name": "contoso-reports"}) and None
    )


def test_it_is_well_formed(recording):
    assert_well_formed(recording)


def test_the_table_is_that_of_the_file_over_the_bucket(recording):
    table = recording.one(TABLE).inputs
    storage = table["storageDescriptor"]
    assert storage["location"] == "s3://contoso-reports/reports/"
    assert [column["name"] for column in storage["columns"]] == ["mail", "stored_at", "signer", "report"]
    assert storage["columns"][0]["type"] == "string"
    report = storage["columns"][3]["type"]
    assert report.startswith("struct<organization_name:string,")
    assert report.count("<") == report.count(">")
    assert not re.search(r"\s", report)
    assert table["partitionKeys"] == [{"name": "policy_domain", "type": "string"}, {"name": "day", "type": "string"}]
    template = table["parameters"]["storage.location.template"]
    assert template == "s3://contoso-reports/reports/${policy_domain}/${day}/"
    assert table["parameters"]["projection.enabled"] == "true"


def test_every_member_with_a_hyphen_is_mapped(recording):
    """A struct of Hive takes no hyphen, and a name that is mapped nowhere is null in every row."""
    mapping = recording.one(TABLE).inputs["storageDescriptor"]["serDeInfo"]["parameters"]
    named = set(re.findall(r"(\w+):", recording.one(TABLE).inputs["storageDescriptor"]["columns"][3]["type"]))
    assert {f"mapping.{name}" for name in named if "_" in name} == set(mapping)
    assert all(value == key.removeprefix("mapping.").replace("_", "-") for key, value in mapping.items())


def test_a_query_has_an_end_and_its_answer_is_encrypted(recording):
    configuration = recording.one("aws:athena/workgroup:Workgroup").inputs["configuration"]
    assert configuration["enforceWorkgroupConfiguration"] is True
    assert configuration["bytesScannedCutoffPerQuery"] == MOST_BYTES
    result = configuration["resultConfiguration"]
    assert result["encryptionConfiguration"] == {"encryptionOption": "SSE_S3"}
    assert result["outputLocation"].startswith("s3://report-queries-results-bucket-")


def test_the_saved_queries_are_the_files_that_an_engine_runs(recording):
    saved = {one.inputs["name"]: one.inputs["query"] for one in recording.of("aws:athena/namedQuery:NamedQuery")}
    assert saved == saved_queries()
    assert set(saved) == {path.stem for path in FILES.glob("*.sql")} - {"table"}
    assert all("FROM tls_reports" in text for text in saved.values())


def test_a_file_of_another_form_is_refused():
    with pytest.raises(ValueError, match=r"table\.sql"):
        TableFile("CREATE TABLE x (a string)")
