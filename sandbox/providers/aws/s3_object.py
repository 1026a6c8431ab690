"""S3 objects."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.providers.aws.cloud import Aws, given, service, tag_list, tags_all
from sandbox.providers.aws.spelling import to_api
from sandbox.providers.protocol.resource_type import Call, Created, Found, ProviderError, ResourceType, words
from sandbox.providers.protocol.schema import Problem
from sandbox.providers.protocol.wire import Asset, Properties

_HEADERS = ("cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType")
_CONTENT = words("content contentBase64 source sourceHash etag metadata serverSideEncryption " + " ".join(_HEADERS))
"""Inputs whose change writes a new object, and so a new version."""

_OCTETS = "application/octet-stream"
"""What S3 says of an object that was stored without a type."""

_CHECKSUMS = ("checksumCrc32", "checksumCrc32c", "checksumCrc64nvme", "checksumSha1", "checksumSha256")


def _put(call: Call[Aws]) -> Properties:
    inputs = call.inputs
    answer = service(call, "s3").put_object(
        Bucket=inputs["bucket"],
        Key=inputs["key"],
        Body=_body(inputs),
        **given(Metadata=inputs.get("metadata"), ServerSideEncryption=inputs.get("serverSideEncryption")),
        **to_api({name: inputs.get(name) for name in _HEADERS}),
        **_tagging(call),
    )
    return _outputs(inputs["bucket"], inputs["key"], answer) | {"contentType": inputs.get("contentType", _OCTETS)}


def _outputs(bucket: str, key: str, answer: dict[str, Any]) -> Properties:
    # Without versioning S3 has no version, and the provider's output is empty.
    version = answer.get("VersionId")
    return {
        "arn": f"arn:aws:s3:::{bucket}/{key}",
        "etag": answer["ETag"].strip('"'),
        "versionId": version if version not in (None, "null") else "",
    } | dict.fromkeys(_CHECKSUMS, "")


def _tagging(call: Call[Aws]) -> dict[str, str]:
    from urllib.parse import urlencode

    tags = {tag["Key"]: tag["Value"] for tag in tag_list(call.cloud, call.inputs)}
    return {"Tagging": urlencode(tags)} if tags else {}


def _body(inputs: Properties) -> bytes:
    if (text := inputs.get("content")) is not None:
        return str(text).encode("utf-8")
    if (encoded := inputs.get("contentBase64")) is not None:
        return base64.b64decode(encoded)
    match inputs.get("source"):
        case Asset(text=str(text)):
            return text.encode("utf-8")
        case Asset(path=str(path)):
            return Path(path).read_bytes()
        case None:
            return b""
        case source:
            raise ProviderError(f"the stand-in writes objects from texts and files, not from {source!r}")


def _create(call: Call[Aws]) -> Created:
    outputs = _put(call)
    return Created(f"{call.inputs['bucket']}/{call.inputs['key']}", outputs)


def _update(call: Call[Aws]) -> Properties:
    if call.changed & _CONTENT:
        return _put(call)
    if "tags" in call.changed:
        bucket, key = _place(call)
        tags = tag_list(call.cloud, call.inputs)
        service(call, "s3").put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": tags})
    return {}


def _place(call: Call[Aws]) -> tuple[str, str]:
    """Bucket and key; an import's id is `bucket/key` or `s3://bucket/key`."""
    if call.inputs.get("bucket"):
        return call.inputs["bucket"], call.inputs["key"]
    bucket, _, key = call.id.removeprefix("s3://").partition("/")
    return bucket, key


def _read(call: Call[Aws]) -> Found:
    """Asks for the headers only, as the real provider does: a body that was changed behind its back shows as another
    `etag` and `versionId`, and is written again only by a program that gives `etag` itself."""
    bucket, key = _place(call)
    head = service(call, "s3").head_object(Bucket=bucket, Key=key)
    outputs = _outputs(bucket, key, head)
    seen = {name: head.get(api) for name, api in zip(_HEADERS, to_api(dict.fromkeys(_HEADERS, "")), strict=True)}
    inputs: Properties = {"bucket": bucket, "key": key, "etag": outputs["etag"], "metadata": head.get("Metadata")}
    return Found(inputs | seen, outputs, f"{bucket}/{key}")


def _delete(call: Call[Aws]) -> None:
    bucket, key = _place(call)
    s3 = service(call, "s3")
    if call.state.get("versionId"):
        # As the real provider does: all versions of the object go with the resource.
        _delete_versions(s3, bucket, key)
        return
    s3.delete_object(Bucket=bucket, Key=key)


def _delete_versions(s3: Any, bucket: str, key: str) -> None:
    page = s3.list_object_versions(Bucket=bucket, Prefix=key)
    for one in (page.get("Versions") or []) + (page.get("DeleteMarkers") or []):
        if one["Key"] == key:
            s3.delete_object(Bucket=bucket, Key=key, VersionId=one["VersionId"])


def _check(inputs: Properties) -> Iterator[Problem]:
    bodies = [name for name in ("content", "contentBase64", "source") if name in inputs]
    if len(bodies) > 1:
        yield Problem(bodies[1], f"conflicts with {bodies[0]}")


OBJECT: ResourceType[Aws] = ResourceType(
    "aws:s3/bucketObjectv2:BucketObjectv2",
    acts_on=words("bucket key forceDestroy tags.* metadata.*") | _CONTENT,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    replace_on=words("bucket key region"),
    computed=words("etag contentType"),
    unknown_after={"versionId": _CONTENT},
    defaults={"forceDestroy": False},
    derived=tags_all,
    check=_check,
)

TYPES: tuple[ResourceType[Aws], ...] = (OBJECT,)
