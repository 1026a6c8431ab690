"""A dashboard in the reports bucket, with the rights of docs/iam/dashboard.json and no others."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cloud_samples import Unique, environment_of_role
from deployed import Clients, policy_bucket

from mailtls.cli.reports.site_publisher import ZIP, Published, Shelf
from mailtls.cli.trouble import Trouble
from mailtls.observe.store import StoreTrouble
from sandbox import account
from sandbox.cloud.start import Emulator


@pytest.fixture
def bucket(aws: Clients, unique: Unique, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    name = policy_bucket(aws, unique("reports-store-bucket"), [])
    for variable, value in environment_of_role(emulator, aws, unique("publisher"), "dashboard").items():
        monkeypatch.setenv(variable, value)
    return name


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for path, text in {
        "index.html": "<p>all</p>",
        "style.css": "p {}",
        "mailtls-dashboard.json": "{}",
        "domains/contoso.example/index.html": "<p>contoso</p>",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_pages_and_one_zip_come_and_only_what_changed_comes_again(aws: Clients, bucket: str, site: Path) -> None:
    shelf = Shelf.at(f"s3://{bucket}/dashboard/", account.REGION)
    assert shelf.publish(site) == Published(put=4, same=0, removed=0)
    page = aws("s3").get_object(Bucket=bucket, Key="dashboard/domains/contoso.example/index.html")
    assert (page["Body"].read(), page["ContentType"]) == (b"<p>contoso</p>", "text/html; charset=utf-8")
    assert page["ServerSideEncryption"] == "AES256"

    (site / "index.html").write_text("<p>all, newer</p>")
    (site / "domains/contoso.example/index.html").unlink()
    assert shelf.publish(site) == Published(put=1, same=2, removed=1)
    listed = {one["Key"] for one in aws("s3").list_objects_v2(Bucket=bucket)["Contents"]}
    names = ("index.html", "style.css", "mailtls-dashboard.json", ZIP)
    assert listed == {f"dashboard/{name}" for name in names}
    packed = aws("s3").get_object(Bucket=bucket, Key=f"dashboard/{ZIP}")["Body"].read()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.read("dashboard/index.html") == b"<p>all, newer</p>"
        assert "dashboard/domains/contoso.example/index.html" not in archive.namelist()


def test_what_is_no_dashboard_is_left_alone(aws: Clients, bucket: str, site: Path) -> None:
    aws("s3").put_object(Bucket=bucket, Key="dashboard/thesis.tex", Body=b"mine")
    with pytest.raises(StoreTrouble, match=r"holds 'thesis\.tex', which is no page of a dashboard"):
        Shelf.at(f"s3://{bucket}/dashboard/", account.REGION).publish(site)
    assert [one["Key"] for one in aws("s3").list_objects_v2(Bucket=bucket)["Contents"]] == ["dashboard/thesis.tex"]


@pytest.mark.parametrize("prefix", ["", "/", "reports/", "raw/x/"])
def test_a_prefix_of_its_own_is_asked_for(bucket: str, prefix: str) -> None:
    with pytest.raises(Trouble, match="--publish"):
        Shelf.at(f"s3://{bucket}/{prefix}", account.REGION)


def test_another_prefix_is_not_within_the_rights(bucket: str, site: Path) -> None:
    with pytest.raises(StoreTrouble, match="s3:ListBucket on"):
        Shelf.at(f"s3://{bucket}/elsewhere/", account.REGION).publish(site)


def test_the_command_builds_publishes_and_says_so(aws: Clients, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "store" / "reports").mkdir(parents=True)
    place = f"s3://{bucket}/dashboard/"
    asked = ["reports", "dashboard", str(tmp_path / "out"), "--store", str(tmp_path / "store"), "--publish", place]
    asked += ["--region", account.REGION]
    done = subprocess.run(
        [sys.executable, "-m", "mailtls.cli", *asked], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    listed = {one["Key"].removeprefix("dashboard/") for one in aws("s3").list_objects_v2(Bucket=bucket)["Contents"]}
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert listed == files | {ZIP}
    assert f"{place}: {len(files)} files put, 0 were the same, 0 removed\n" in done.stdout

    aws("s3").put_object(Bucket=bucket, Key="dashboard/thesis.tex", Body=b"mine")
    before = (tmp_path / "out" / "index.html").stat().st_mtime_ns
    done = subprocess.run(
        [sys.executable, "-m", "mailtls.cli", *asked], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "thesis.tex" in done.stderr
    assert (tmp_path / "out" / "index.html").stat().st_mtime_ns == before
