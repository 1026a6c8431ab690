"""The Cloudflare stand-in's table of everything that it can do."""

import importlib.metadata

from sandbox.providers.cloudflare import dns_record, zone
from sandbox.providers.cloudflare.api import CloudflareApi
from sandbox.providers.protocol.resource_type import Function, ResourceType
from sandbox.providers.protocol.schema import Schemas
from sandbox.providers.protocol.server import Provider

SDK = "pulumi_cloudflare"

TYPES: tuple[ResourceType[CloudflareApi], ...] = (dns_record.DNS_RECORD,)
FUNCTIONS: tuple[Function[CloudflareApi], ...] = (zone.GET_ZONE,)


def provider() -> Provider[CloudflareApi]:
    """A provider that is not configured yet."""
    return Provider(
        "cloudflare",
        importlib.metadata.version(SDK),
        Schemas(SDK),
        TYPES,
        FUNCTIONS,
        connect=CloudflareApi,
    )
