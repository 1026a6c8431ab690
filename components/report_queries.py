"""The stored reports as a table of Athena: database, table, a workgroup with bounds, saved queries. No data is copied.

The table and the queries are the files of docs/athena, which a test runs over stored reports with an SQL engine. Athena
is paid by what a query reads; a workgroup that nobody uses costs nothing.
"""

import re
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.physical_names import physical_name
from components.policy_documents import deny_without_tls, document
from components.private_bucket import private_bucket
from mailtls.tls_rpt.contract import Prefix

FILES = Path(__file__).resolve().parent.parent / "docs" / "athena"
TABLE = "tls_reports"
MOST_BYTES = 10 << 30
"""That one query may read: $0.05 at the list price."""
RESULT_DAYS = 30
"""Answers hold what reports say, addresses of hosts among it."""
_BUCKET = "REPORTS-BUCKET"
_TABLE_SQL = re.compile(
    r"\(\n(?P<columns>.*?)\n\)\nPARTITIONED BY \((?P<partitions>[^)]*)\)\nROW FORMAT SERDE '(?P<serde>[^']*)'\n"
    r"WITH SERDEPROPERTIES \((?P<mapping>.*?)\n\)\nLOCATION '(?P<location>[^']*)'\n"
    r"TBLPROPERTIES \((?P<properties>.*?)\n\)",
    re.DOTALL,
)
_PAIR = re.compile(r"'([^']*)' = '([^']*)'")


class ReportQueriesArgs(TypedDict):
    """
    region: of the bucket. bucket_name: of the reports. force_destroy: `pulumi destroy` deletes the answers of queries.
    """

    region: str
    bucket_name: pulumi.Input[str]
    force_destroy: NotRequired[bool]


class ReportQueries(pulumi.ComponentResource):
    """workgroup: its name, in which the saved queries are."""

    workgroup: pulumi.Output[str]

    def __init__(self, name: str, args: ReportQueriesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:ReportQueries", name, {}, opts)
        child, region = pulumi.ResourceOptions(parent=self), args["region"]
        results = private_bucket(
            f"{name}-results",
            parent=self,
            lifecycle=[
                {
                    "id": "end-of-answers",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": RESULT_DAYS},
                    "noncurrent_version_expiration": {"noncurrent_days": 1},
                }
            ],
            policy=lambda arn: document(deny_without_tls("s3", [arn, pulumi.Output.concat(arn, "/*")])),
            region=region,
            force_destroy=args.get("force_destroy", False),
        )
        database = aws.glue.CatalogDatabase(
            f"{name}-database",
            region=region,
            name=physical_name(name).replace("-", "_").lower(),
            description="mailtls: TLS reports as they are stored",
            opts=child,
        )
        self._table(name, args, database, child)
        workgroup = aws.athena.Workgroup(
            f"{name}-workgroup",
            region=region,
            name=physical_name(name),
            description="mailtls: questions to the stored TLS reports",
            force_destroy=args.get("force_destroy", False),
            configuration={
                "enforce_workgroup_configuration": True,
                "bytes_scanned_cutoff_per_query": MOST_BYTES,
                "result_configuration": {
                    "output_location": pulumi.Output.concat("s3://", results.bucket.bucket, "/"),
                    "encryption_configuration": {"encryption_option": "SSE_S3"},
                },
            },
            opts=child,
        )
        for title, text in saved_queries().items():
            aws.athena.NamedQuery(
                f"{name}-{title}",
                region=region,
                name=title,
                description="Put your domains and days in place of the example's.",
                database=database.name,
                workgroup=workgroup.id,
                query=text,
                opts=child,
            )
        self.workgroup = workgroup.name
        self.register_outputs({"workgroup": self.workgroup})

    def _table(
        self,
        name: str,
        args: ReportQueriesArgs,
        database: aws.glue.CatalogDatabase,
        child: pulumi.ResourceOptions,
    ) -> None:
        table = TableFile.read()

        def there(text: str) -> pulumi.Output[str]:
            return pulumi.Output.from_input(args["bucket_name"]).apply(lambda bucket: text.replace(_BUCKET, bucket))

        aws.glue.CatalogTable(
            f"{name}-table",
            region=args["region"],
            name=TABLE,
            database_name=database.name,
            table_type="EXTERNAL_TABLE",
            parameters={"EXTERNAL": "TRUE", **{key: there(value) for key, value in table.properties.items()}},
            partition_keys=[{"name": key, "type": kind} for key, kind in table.partitions],
            storage_descriptor={
                "location": there(table.location),
                "input_format": "org.apache.hadoop.mapred.TextInputFormat",
                "output_format": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "columns": [{"name": key, "type": kind} for key, kind in table.columns],
                "ser_de_info": {"serialization_library": table.serde, "parameters": table.mapping},
            },
            opts=child,
        )


class TableFile:
    """What table.sql says, as Glue wants it. Raises ValueError where the file has another form."""

    def __init__(self, text: str) -> None:
        found = _TABLE_SQL.search(text)
        if found is None or not found["location"].endswith(f"/{Prefix.REPORTS}"):
            raise ValueError("docs/athena/table.sql: not the statement that the program reads the table from")
        self.columns = tuple(_typed(column) for column in _at_top(found["columns"]))
        self.partitions = tuple(_typed(column) for column in _at_top(found["partitions"]))
        self.serde, self.location = found["serde"], found["location"]
        self.mapping, self.properties = dict(_PAIR.findall(found["mapping"])), dict(_PAIR.findall(found["properties"]))

    @classmethod
    def read(cls) -> "TableFile":
        return cls((FILES / "table.sql").read_text("utf-8"))


def saved_queries() -> dict[str, str]:
    """By title, which is the file's name."""
    return {path.stem: path.read_text("utf-8") for path in sorted(FILES.glob("*.sql")) if path.stem != "table"}


def _at_top(columns: str) -> list[str]:
    """Cut at the commas that stand in no `<...>`."""
    found, depth = [""], 0
    for character in columns:
        depth += (character == "<") - (character == ">")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return found


def _typed(column: str) -> tuple[str, str]:
    """`report struct<a: string>` as `report` and `struct<a:string>`: Glue takes no blanks in a type."""
    name, _, kind = column.strip().partition(" ")
    return name, re.sub(r"\s+", "", kind)
