"""Reports by HTTPS POST: what its function may do, who may call it, and what waits for it."""

import pulumi
import pytest
from sample_pipeline import deploy, statement
from strict_mocks import assert_well_formed

from components.report_https import CONCURRENCY, PATH
from report_lambda.https_rua import handler
from stacks.lambda_archive import HTTPS_MANIFEST, lambda_files

FUNCTION = "aws:lambda/function:Function"
PERMISSION = "aws:lambda/permission:Permission"


@pytest.fixture(scope="module")
def recording():
    return deploy(https_code=pulumi.AssetArchive({"handler.py": pulumi.StringAsset("")}))


def test_it_is_well_formed(recording):
    assert_well_formed(recording)


def test_without_the_setting_there_is_none():
    usual = deploy()
    assert usual.of("aws:lambda/functionUrl:FunctionUrl") == []
    assert len(usual.of(FUNCTION)) == 1


def test_the_function_adds_what_was_posted_and_reads_nothing(recording):
    policy = recording.one("aws:iam/rolePolicy:RolePolicy", "reports-https-rights")
    stores = statement(policy, "StoreReports")
    assert stores["Action"] == "s3:PutObject"
    assert stores["Resource"].endswith("/raw/https-*")
    log = statement(policy, "WriteLogs")
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert "https" in log["Resource"]


def test_its_environment_and_its_bounds(recording):
    function = recording.one(FUNCTION, "reports-https-function").inputs
    assert function["handler"] == "report_lambda.https_rua.handler.handle"
    assert function["environment"]["variables"]["MAILTLS_KEY_PREFIX"] == "raw/https-"
    assert function["reservedConcurrentExecutions"] == CONCURRENCY
    assert PATH == handler.PATH


def test_anybody_may_call_the_url_and_nobody_the_function_past_it(recording):
    [url] = recording.of("aws:lambda/functionUrl:FunctionUrl")
    assert url.inputs["authorizationType"] == "NONE"
    given = [one.inputs for one in recording.of(PERMISSION) if one.name.startswith("reports-https")]
    asked = {inputs["action"]: inputs for inputs in given}
    assert asked["lambda:InvokeFunctionUrl"]["functionUrlAuthType"] == "NONE"
    assert asked["lambda:InvokeFunction"]["invokedViaFunctionUrl"] is True
    assert {one["principal"] for one in asked.values()} == {"*"}


def test_the_record_waits_for_the_url(recording):
    assert [urn for urn in recording.result["route"] if "reports-https-url" in urn]


def test_its_zip_needs_nothing_of_ours_beside():
    files = lambda_files(manifest=HTTPS_MANIFEST)
    assert {file.rpartition("/")[0] for file in files} == {"report_lambda", "report_lambda/https_rua"}
