"""Where and who we are: caller identity, region, partition."""

from sandbox.providers.aws.cloud import Aws
from sandbox.providers.protocol.resource_type import Function, words
from sandbox.providers.protocol.wire import Properties

_DESCRIPTIONS = {
    "eu-west-1": "Europe (Ireland)",
    "eu-central-1": "Europe (Frankfurt)",
    "us-east-1": "US East (N. Virginia)",
}


def _identity(cloud: Aws, _arguments: Properties) -> Properties:
    answer = cloud.service("sts").get_caller_identity()
    account = answer["Account"]
    return {"accountId": account, "arn": answer["Arn"], "id": account, "userId": answer.get("UserId", "")}


def _region(cloud: Aws, arguments: Properties) -> Properties:
    region = arguments.get("region") or arguments.get("name") or cloud.region
    return {
        "description": _DESCRIPTIONS.get(region, region),
        "endpoint": f"ec2.{region}.amazonaws.com",
        "id": region,
        "name": region,
        "region": region,
    }


def _partition(_cloud: Aws, _arguments: Properties) -> Properties:
    return {"dnsSuffix": "amazonaws.com", "id": "aws", "partition": "aws", "reverseDnsPrefix": "com.amazonaws"}


FUNCTIONS: tuple[Function[Aws], ...] = (
    Function("aws:index/getCallerIdentity:getCallerIdentity", arguments=words("id"), run=_identity),
    Function("aws:index/getRegion:getRegion", arguments=words("endpoint id name region"), run=_region),
    Function("aws:index/getPartition:getPartition", arguments=words("id"), run=_partition),
)
