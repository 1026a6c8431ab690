"""The AWS stand-in's table of everything that it can do."""

import importlib.metadata

from sandbox.providers.aws import (
    account,
    acm,
    cloudfront,
    cloudfront_distribution,
    cloudwatch,
    cloudwatch_dashboard,
    eventbridge,
    iam,
    kms,
    lambda_function,
    lambda_triggers,
    route53,
    s3_bucket,
    s3_object,
    ses_identity,
    ses_receiving,
    sns,
    sqs,
)
from sandbox.providers.aws.cloud import Aws
from sandbox.providers.protocol.resource_type import Function, ResourceType
from sandbox.providers.protocol.schema import Schemas
from sandbox.providers.protocol.server import Provider

SDK = "pulumi_aws"

TYPES: tuple[ResourceType[Aws], ...] = (
    *acm.TYPES,
    *cloudfront.TYPES,
    *cloudfront_distribution.TYPES,
    *cloudwatch.TYPES,
    *cloudwatch_dashboard.TYPES,
    *eventbridge.TYPES,
    *iam.TYPES,
    *kms.TYPES,
    *lambda_function.TYPES,
    *lambda_triggers.TYPES,
    *route53.TYPES,
    *s3_bucket.TYPES,
    *s3_object.TYPES,
    *ses_identity.TYPES,
    *ses_receiving.TYPES,
    *sns.TYPES,
    *sqs.TYPES,
)

FUNCTIONS: tuple[Function[Aws], ...] = (*account.FUNCTIONS, *route53.FUNCTIONS, *ses_receiving.FUNCTIONS)


def provider() -> Provider[Aws]:
    """A provider that is not configured yet."""
    return Provider(
        "aws",
        importlib.metadata.version(SDK),
        Schemas(SDK),
        TYPES,
        FUNCTIONS,
        connect=Aws,
        common_defaults=lambda cloud: {"region": cloud.region},
    )
