"""What the providers would answer: outputs that only they know, by type, and the results of their functions.

One account (123456789012). A type without an entry gives back its inputs and an id.
"""

import hashlib
from collections.abc import Callable
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-west-1"


class UnknownCall(AssertionError):
    """A provider function that the table does not know."""


def _region(inputs: dict[str, Any]) -> str:
    return str(inputs.get("region") or REGION)


def _named(key: str, inputs: dict[str, Any], name: str) -> str:
    """The physical name: the one asked for, or one as Pulumi's autonaming makes it."""
    return str(inputs.get(key) or f"{name}-0123456")


def _arn(service: str, resource: str, *, key: str = "name", regional: bool = True) -> Callable[..., dict[str, Any]]:
    def outputs(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        physical = _named(key, inputs, name)
        region = _region(inputs) if regional else ""
        arn = f"arn:aws:{service}:{region}:{ACCOUNT}:{resource.format(physical)}"
        return {key: physical, "arn": arn, "id": physical}

    return outputs


def _bucket(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    bucket = _named("bucket", inputs, name)
    return {
        "bucket": bucket,
        "arn": f"arn:aws:s3:::{bucket}",
        "bucketRegionalDomainName": f"{bucket}.s3.{_region(inputs)}.amazonaws.com",
        "id": bucket,
    }


def _queue(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    queue = _named("name", inputs, name)
    url = f"https://sqs.{_region(inputs)}.amazonaws.com/{ACCOUNT}/{queue}"
    return {"name": queue, "url": url, "arn": f"arn:aws:sqs:{_region(inputs)}:{ACCOUNT}:{queue}", "id": url}


def _topic(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    topic = _named("name", inputs, name)
    arn = f"arn:aws:sns:{_region(inputs)}:{ACCOUNT}:{topic}"
    return {"name": topic, "arn": arn, "id": arn}


def _key(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    key_id = "1234abcd-12ab-34cd-56ef-1234567890ab"
    return {"arn": f"arn:aws:kms:{_region(inputs)}:{ACCOUNT}:key/{key_id}", "keyId": key_id, "id": key_id}


def _identity(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    domain = inputs["domain"]
    arn = f"arn:aws:ses:{_region(inputs)}:{ACCOUNT}:identity/{domain}"
    return {"arn": arn, "verificationToken": "dGhlIHZlcmlmaWNhdGlvbiB0b2tlbg", "id": domain}


def _rule(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    rule = _named("name", inputs, name)
    arn = f"arn:aws:ses:{_region(inputs)}:{ACCOUNT}:receipt-rule-set/{inputs['ruleSetName']}:receipt-rule/{rule}"
    return {"name": rule, "arn": arn, "id": rule}


def _certificate(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    domain = inputs["domainName"]
    option = {
        "domainName": domain,
        "resourceRecordName": f"_0a1b2c3d4e5f60718293a4b5c6d7e8f9.{domain}.",
        "resourceRecordType": "CNAME",
        "resourceRecordValue": "_9f8e7d6c5b4a39281706f5e4d3c2b1a0.acm-validations.aws.",
    }
    arn = f"arn:aws:acm:{_region(inputs)}:{ACCOUNT}:certificate/{name}"
    return {"arn": arn, "domainValidationOptions": [option], "status": "PENDING_VALIDATION", "id": arn}


def _distribution(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    distribution = "E" + "".join(c for c in name.upper() if c.isalnum())[:13].ljust(13, "0")
    return {
        "arn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{distribution}",
        "domainName": f"d{distribution.lower()}.cloudfront.net",
        "hostedZoneId": "Z2FDTNDATAQYW2",
        "id": distribution,
    }


def _object(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "versionId": "L4kqtJlcpXroDTDmpUMLUo" + hashlib.sha256(name.encode()).hexdigest()[:10],
        "arn": f"arn:aws:s3:::{inputs['bucket']}/{inputs['key']}",
        "etag": "9b2cf535f27731c974343645a3985328",
        "id": inputs["key"],
    }


def _route53_record(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"fqdn": inputs["name"], "id": f"{inputs['zoneId']}_{inputs['name']}_{inputs['type']}"}


OUTPUTS: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:cloudfront/distribution:Distribution": _distribution,
    "aws:cloudwatch/eventRule:EventRule": _arn("events", "rule/{}"),
    "aws:cloudwatch/logGroup:LogGroup": _arn("logs", "log-group:{}"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _arn("cloudwatch", "alarm:{}"),
    "aws:iam/role:Role": _arn("iam", "role/{}", regional=False),
    "aws:kms/key:Key": _key,
    "aws:lambda/function:Function": _arn("lambda", "function:{}"),
    "aws:lambda/functionUrl:FunctionUrl": lambda name, inputs: {
        "functionUrl": f"https://{hashlib.sha256(name.encode()).hexdigest()[:32]}.lambda-url.{_region(inputs)}.on.aws/"
    },
    "aws:route53/record:Record": _route53_record,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketObjectv2:BucketObjectv2": _object,
    "aws:ses/domainIdentity:DomainIdentity": _identity,
    "aws:ses/receiptRule:ReceiptRule": _rule,
    "aws:sns/topic:Topic": _topic,
    "aws:sqs/queue:Queue": _queue,
}

CALLS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    # the engine's own: a stack before its first `up`
    "pulumi:pulumi:readStackResourceOutputs": lambda args: {"name": args["stackName"], "outputs": {}},
    "pulumi:pulumi:readStackOutputs": lambda args: {"name": args["name"], "outputs": {}},
    "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {
        "accountId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/deployer",
        "id": ACCOUNT,
        "userId": "AIDA0123456789EXAMPLE",
    },
    "aws:index/getRegion:getRegion": lambda args: {
        "id": args.get("region") or REGION,
        "name": args.get("region") or REGION,
        "region": args.get("region") or REGION,
    },
    "aws:index/getPartition:getPartition": lambda _: {
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "id": "aws",
        "reverseDnsPrefix": "com.amazonaws",
    },
    "aws:route53/getZone:getZone": lambda args: {"id": "Z0123456789ABC", "zoneId": "Z0123456789ABC", **args},
    "cloudflare:index/getZone:getZone": lambda args: {"zoneId": "0123456789abcdef0123456789abcdef", **args},
}
