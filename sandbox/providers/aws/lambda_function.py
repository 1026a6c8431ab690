"""Lambda functions, from a folder, a zip file or single files."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.providers.aws.cloud import Aws, given, region_of, service, tags_all
from sandbox.providers.aws.spelling import from_api, to_api
from sandbox.providers.protocol.resource_type import (
    AutoName,
    Call,
    Created,
    Found,
    PartlyCreated,
    ProviderError,
    ResourceType,
    words,
)
from sandbox.providers.protocol.schema import Problem
from sandbox.providers.protocol.wire import Archive, Asset, Properties

_CODE = words("code architectures s3Bucket s3Key s3ObjectVersion")
_OBJECTS = words("environment deadLetterConfig tracingConfig ephemeralStorage loggingConfig")
_SIMPLE = words("role handler runtime timeout memorySize description kmsKeyArn layers")
_SETTINGS = _OBJECTS | _SIMPLE
_NAMES = {"kmsKeyArn": "KMSKeyArn"}
_UNTOUCHED = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a zip file knows: the same files are the same zip."""


def zip_of(code: Archive) -> bytes:
    """The deployment package. Raises ProviderError for what is neither a folder, a zip nor a map of files."""
    if code.path is not None and Path(code.path).is_file():
        return Path(code.path).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(_members(code)):
            entry = zipfile.ZipInfo(name, _UNTOUCHED)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def _members(code: Archive, under: str = "") -> Iterator[tuple[str, bytes]]:
    if code.path is not None and Path(code.path).is_dir():
        root = Path(code.path)
        for file in root.rglob("*"):
            if file.is_file():
                yield under + file.relative_to(root).as_posix(), file.read_bytes()
    elif code.assets is not None:
        for name, member in code.assets.items():
            if isinstance(member, Archive):
                yield from _members(member, f"{under}{name}/")
            else:
                yield under + name, _content(member)
    else:
        raise ProviderError(f"the function's code is neither a folder, a zip nor a map of files: {code}")


def _content(file: Asset) -> bytes:
    if file.text is not None:
        return file.text.encode("utf-8")
    if file.path is not None:
        return Path(file.path).read_bytes()
    raise ProviderError(f"a file of the function's code is neither text nor a file: {file}")


def _code(inputs: Properties) -> dict[str, Any]:
    if (code := inputs.get("code")) is not None:
        return {"ZipFile": zip_of(code)}
    return given(
        S3Bucket=inputs.get("s3Bucket"), S3Key=inputs.get("s3Key"), S3ObjectVersion=inputs.get("s3ObjectVersion")
    )


def _configuration(inputs: Properties) -> dict[str, Any]:
    configuration: dict[str, Any] = to_api({name: inputs[name] for name in _SETTINGS if name in inputs}, _NAMES)
    if "environment" in inputs:  # the names of variables are the user's own
        configuration["Environment"] = {"Variables": inputs["environment"].get("variables") or {}}
    return configuration


def _create(call: Call[Aws]) -> Created:
    inputs, name = call.inputs, call.inputs["name"]
    tags = call.cloud.tags(inputs)
    service(call, "lambda").create_function(
        FunctionName=name,
        PackageType=inputs["packageType"],
        Code=_code(inputs),
        **given(Architectures=inputs.get("architectures"), Tags=tags or None),
        **_configuration(inputs),
    )
    try:
        _wait_until_active(call, name)
    except ProviderError as e:
        raise PartlyCreated(str(e), name, _outputs(call, name)) from e
    _limit_concurrency(call, name)
    return Created(name, _outputs(call, name))


def _wait_until_active(call: Call[Aws], name: str) -> None:
    def is_active() -> tuple[bool, str]:
        found = service(call, "lambda").get_function_configuration(FunctionName=name)
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        if "Failed" in (state, update):
            reason = found.get("StateReason") or found.get("LastUpdateStatusReason") or "no reason given"
            raise ProviderError(f"function {name} failed: {reason}")
        return state == "Active" and update == "Successful", f"{state}, {update}"

    call.wait_for(f"function {name} to be active", is_active)


def _limit_concurrency(call: Call[Aws], name: str) -> None:
    limit = call.inputs["reservedConcurrentExecutions"]
    if limit >= 0:
        service(call, "lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=limit)
    elif "reservedConcurrentExecutions" in call.changed:
        service(call, "lambda").delete_function_concurrency(FunctionName=name)


def _outputs(call: Call[Aws], name: str) -> Properties:
    found = service(call, "lambda").get_function_configuration(FunctionName=name)
    arn, version, region = found["FunctionArn"], found.get("Version", "$LATEST"), region_of(call)
    invoke = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions"
    streaming = invoke.replace("2015-03-31", "2021-11-15")
    return {
        "architectures": found.get("Architectures") or ["x86_64"],
        "arn": arn,
        "codeSha256": found.get("CodeSha256", ""),
        "invokeArn": f"{invoke}/{arn}/invocations",
        "lastModified": str(found.get("LastModified", "")),
        "qualifiedArn": f"{arn}:{version}",
        "qualifiedInvokeArn": f"{invoke}/{arn}:{version}/invocations",
        "responseStreamingInvokeArn": f"{streaming}/{arn}/response-streaming-invocations",
        "signingJobArn": "",
        "signingProfileVersionArn": "",
        "sourceCodeSize": found.get("CodeSize", 0),
        "version": version,
    }


def _read(call: Call[Aws]) -> Found:
    name = call.id
    found = service(call, "lambda").get_function(FunctionName=name)
    configuration = found["Configuration"]
    seen: Properties = from_api({key: value for key, value in configuration.items() if key != "Environment"}, _NAMES)
    inputs: Properties = {key: seen.get(key) for key in _SETTINGS}
    inputs["layers"] = [layer["Arn"] for layer in configuration.get("Layers") or ()] or None
    variables = (configuration.get("Environment") or {}).get("Variables")
    inputs["environment"] = {"variables": variables} if variables else None
    inputs |= {"name": name, "packageType": configuration.get("PackageType", "Zip")}
    limit = (found.get("Concurrency") or {}).get("ReservedConcurrentExecutions", -1)
    inputs["reservedConcurrentExecutions"] = limit
    tags = found.get("Tags") or {}
    inputs["tags"] = {key: value for key, value in tags.items() if call.cloud.default_tags.get(key) != value} or None
    return Found(inputs, _outputs(call, name))


def _update(call: Call[Aws]) -> Properties:
    api = service(call, "lambda")
    if call.changed & _SETTINGS:
        configuration = _configuration(call.inputs)
        if "environment" in call.changed:
            configuration.setdefault("Environment", {"Variables": {}})
        api.update_function_configuration(FunctionName=call.id, **configuration)
        _wait_until_active(call, call.id)
    if call.changed & _CODE:
        code = _code(call.inputs) | given(Architectures=call.inputs.get("architectures"))
        api.update_function_code(FunctionName=call.id, **code)
        _wait_until_active(call, call.id)
    if "reservedConcurrentExecutions" in call.changed:
        _limit_concurrency(call, call.id)
    if "tags" in call.changed:
        arn = call.state["arn"]
        if old := list(call.state.get("tagsAll") or {}):
            api.untag_resource(Resource=arn, TagKeys=old)
        if new := call.cloud.tags(call.inputs):
            api.tag_resource(Resource=arn, Tags=new)
    return _outputs(call, call.id)


def _check(inputs: Properties) -> Iterator[Problem]:
    if "code" in inputs and not isinstance(inputs["code"], Archive):
        yield Problem("code", "must be an archive")
    if "code" not in inputs and "s3Bucket" not in inputs:
        yield Problem("code", "one of code and s3Bucket is required")
    if inputs["packageType"] == "Zip":
        for name in ("handler", "runtime"):
            if name not in inputs:
                yield Problem(name, "is required for a function that is a zip")
    if isinstance(timeout := inputs["timeout"], int) and not 1 <= timeout <= 900:
        yield Problem("timeout", f"{timeout} is not between 1 and 900 seconds")
    if isinstance(memory := inputs["memorySize"], int) and not 128 <= memory <= 32768:
        yield Problem("memorySize", f"{memory} is not between 128 and 32768 MB")


FUNCTION: ResourceType[Aws] = ResourceType(
    "aws:lambda/function:Function",
    acts_on=words(
        "name packageType reservedConcurrentExecutions tags.* environment.* deadLetterConfig.* tracingConfig.*"
        " ephemeralStorage.* loggingConfig.* publish skipDestroy"
    )
    | _CODE
    | _SIMPLE,
    create=_create,
    read=_read,
    update=_update,
    delete=lambda call: service(call, "lambda").delete_function(FunctionName=call.id),
    replace_on=words("name packageType region"),
    computed=words("architectures codeSha256"),
    unknown_after={
        "codeSha256": _CODE,
        "sourceCodeSize": _CODE,
        "lastModified": _CODE | _SETTINGS,
    },
    name=AutoName(longest=64),
    defaults={
        "memorySize": 128,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": -1,
        "skipDestroy": False,
        "timeout": 3,
    },
    choices={
        "architectures": ("x86_64", "arm64"),
        "packageType": ("Zip",),
        "publish": (False,),
        "skipDestroy": (False,),
        "tracingConfig.mode": ("Active", "PassThrough"),
        "loggingConfig.logFormat": ("JSON", "Text"),
    },
    derived=tags_all,
    check=_check,
    seconds=10 * 60,
)

TYPES: tuple[ResourceType[Aws], ...] = (FUNCTION,)
