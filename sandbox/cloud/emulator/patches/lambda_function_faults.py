"""What Lambda refuses when a function is made or changed (API reference, CreateFunction; Lambda guide, quotas)."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import lambda_svc

from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.iam_decisions import Source, service_may_assume
from sandbox.cloud.emulator.patches.iam_proofs import role_for_proofs
from sandbox.cloud.emulator.patches.lambda_function_run import function_for_proofs, zipped
from sandbox.cloud.emulator.probe import Probe

SERVICE = "lambda.amazonaws.com"
ENVIRONMENT_BYTES = 4096
SECONDS = range(1, 901)
MEGABYTES = range(128, 32_769)
RESERVED = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    }
)
_CODE_SOURCES = ("ZipFile", "S3Bucket")


def _faults(name: str, asked: Mapping[str, Any]) -> Iterator[str]:
    """Of the parameters that are there."""
    if "Role" in asked:
        yield from _role_faults(name, asked["Role"])
    if variables := (asked.get("Environment") or {}).get("Variables"):
        yield from _environment_faults(variables)
    if asked.get("Timeout", SECONDS[0]) not in SECONDS:
        yield f"Value '{asked['Timeout']}' at 'timeout' must be between {SECONDS[0]} and {SECONDS[-1]}"
    if asked.get("MemorySize", MEGABYTES[0]) not in MEGABYTES:
        yield f"Value '{asked['MemorySize']}' at 'memorySize' must be between {MEGABYTES[0]} and {MEGABYTES[-1]}"
    if "Handler" in asked and not re.fullmatch(r"\S{1,128}", asked["Handler"]):
        yield f"Value '{asked['Handler']}' at 'handler' must be of 1 to 128 characters without a blank"
    if "Runtime" in asked and not asked["Runtime"].startswith("python3."):
        yield f"the sandbox runs Python, not {asked['Runtime']}"
    if len(asked.get("Description", "")) > 256:
        yield "Value at 'description' must have length less than or equal to 256"


def _role_faults(name: str, role: str) -> Iterator[str]:
    if not re.fullmatch(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+", role):
        yield f"Value '{role}' at 'role' is no ARN of a role"
        return
    function = f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}"
    if not service_may_assume(role, SERVICE, Source(function, get_account_id())):
        yield "The role defined for the function cannot be assumed by Lambda."


def _environment_faults(variables: Mapping[str, str]) -> Iterator[str]:
    unable = "Lambda was unable to configure your environment variables because the environment variables you have "
    if reserved := sorted(RESERVED & set(variables)):
        yield (
            f"{unable}provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_BYTES:
        yield f"{unable}provided exceeded the 4KB limit. String measured: {measured}"
    for variable in variables:
        if not re.fullmatch(r"[a-zA-Z]\w+", variable):
            yield f"Value '{variable}' at 'environment.variables' is no name of a variable"


def _refuse() -> None:
    def create(old: Any) -> Any:
        def call(data: dict[str, Any]) -> Any:
            why = next(_faults(data.get("FunctionName", ""), data), None) or _incomplete(data)
            return _invalid(why) if why else old(data)

        return call

    def change(old: Any) -> Any:
        def call(name: str, data: dict[str, Any]) -> Any:
            why = next(_faults(name, data), None)
            return _invalid(why) if why else old(name, data)

        return call

    def code(old: Any) -> Any:
        def call(name: str, data: dict[str, Any]) -> Any:
            return _invalid(why) if (why := _no_code(data)) else old(name, data)

        return call

    replace(lambda_svc, "_create_function", create, takes=("data",))
    replace(lambda_svc, "_update_config", change, takes=("name", "data"))
    replace(lambda_svc, "_update_code", code, takes=("name", "data"))


def _incomplete(data: Mapping[str, Any]) -> str | None:
    if data.get("PackageType", "Zip") != "Zip":
        return "the sandbox runs zip packages only"
    for name in ("Role", "Handler", "Runtime"):
        if not data.get(name):
            return f"{name} is mandatory for functions created with deployment package."
    return _no_code(data.get("Code") or {})


def _no_code(source: Mapping[str, Any]) -> str | None:
    """The stock emulator runs a function without code and says that all is well."""
    if not any(name in source for name in _CODE_SOURCES):
        return "Please provide a source for function code."
    bucket = source.get("S3Bucket")
    if bucket and lambda_svc._fetch_code_from_s3(bucket, source.get("S3Key"), source.get("S3ObjectVersion")) is None:
        return "Error occurred while GetObject. S3 Error Code: NoSuchKey."
    return None


def _invalid(why: str) -> Any:
    return error_response_json("InvalidParameterValueException", why, 400)


def _prove(probe: Probe) -> None:
    code, client, role = "def handle(event, context): pass", probe.client("lambda"), role_for_proofs(probe)

    def create(role: str = role, **more: Any) -> str:
        return function_for_proofs(probe, role, code, **more)

    def refused(**more: Any) -> None:
        probe.refused("InvalidParameterValueException", create, **more)

    refused(Environment={"Variables": {"DOMAINS": "d" * 4096}})
    refused(Environment={"Variables": {"AWS_REGION": "eu-west-1"}})
    refused(role=f"{role}-that-is-not-there")
    refused(role=role_for_proofs(probe, service="events.amazonaws.com"))
    refused(Timeout=901)
    refused(Runtime="nodejs22.x")
    name = create(Environment={"Variables": {"DOMAINS": "d" * 4000}})
    for change in ({"Environment": {"Variables": {"DOMAINS": "d" * 4096}}}, {"Role": f"{role}-that-is-not-there"}):
        probe.refused(
            "InvalidParameterValueException", client.update_function_configuration, FunctionName=name, **change
        )
    client.update_function_code(FunctionName=name, ZipFile=zipped(code))


PATCHES: tuple[Patch, ...] = (
    Patch(
        "functions-are-refused-as-aws-does",
        "A function may have an environment of any size, a role that Lambda cannot take on, any timeout, and no code, "
        "which then runs with success.",
        _refuse,
        _prove,
    ),
)
