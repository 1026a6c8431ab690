"""The host `mta-sts.<policy domain>` that serves one policy file over HTTPS (RFC 8461 section 3.3).

A certificate and a distribution per domain, the domain's folder of the policy bucket as its origin, no code at the
edge, no redirect, and no cache between the object and a sender: a change is live at once and needs no invalidation.
"""

import hashlib
from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.dns_zones.zone import DnsZone
from components.publish_gates.mx import MxGate
from components.publish_gates.settings import GateSettings
from components.publish_gates.version import policy_id_or_none
from mailtls.mta_sts.policy import HOST_TTL, Policy, policy_host
from mailtls.tls_rpt.contract import policy_key

CERTIFICATE_REGION = "us-east-1"
"""CloudFront takes certificates from there and nowhere else."""
CERTIFICATE_WAIT = "10m"
"""ACM validates within minutes once the CNAME is visible; a wait of hours would hold the whole update."""
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""Id of CloudFront's managed cache policy CachingDisabled."""
ERRORS = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
"""Statuses whose answers CloudFront would keep for ten seconds, whatever the cache policy says."""
TWO_YEARS = 63072000


class PolicyEdgeArgs(TypedDict):
    """stack: whose distributions share this; for the comments that people read in the console."""

    stack: str


class PolicyEdge(pulumi.ComponentResource):
    """What all policy hosts of a stack share: the way to read the bucket, and the security headers.

    CloudFront takes 100 distributions per origin access control, hence at most 100 domains per stack.
    """

    origin_access_control_id: pulumi.Output[str]
    response_headers_policy_id: pulumi.Output[str]

    def __init__(self, name: str, args: PolicyEdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:PolicyEdge", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        access = aws.cloudfront.OriginAccessControl(
            f"{name}-access",
            description=f"mailtls {args['stack']}: reads MTA-STS policies",
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
            opts=child,
        )
        headers = aws.cloudfront.ResponseHeadersPolicy(
            f"{name}-headers",
            comment=f"mailtls {args['stack']}: security headers of policy hosts",
            security_headers_config={
                "strict_transport_security": {"access_control_max_age_sec": TWO_YEARS, "override": True},
                "content_type_options": {"override": True},
                "frame_options": {"frame_option": "DENY", "override": True},
                "referrer_policy": {"referrer_policy": "no-referrer", "override": True},
                "content_security_policy": {
                    "content_security_policy": "default-src 'none'; frame-ancestors 'none'",
                    "override": True,
                },
            },
            opts=child,
        )
        self.origin_access_control_id = access.id
        self.response_headers_policy_id = headers.id
        self.register_outputs(
            {
                "origin_access_control_id": self.origin_access_control_id,
                "response_headers_policy_id": self.response_headers_policy_id,
            }
        )


class PolicyHostArgs(TypedDict):
    """
    policy_domain: A-labels.
    policy: what is served.
    zone: holds the policy domain; the certificate's validation record goes there.
    policy_bucket, policy_bucket_regional_domain_name: of PolicyStore.
    origin_access_control_id, response_headers_policy_id: of PolicyEdge.
    keep_policies: leave the object and its versions in the bucket when the host is deleted (the provider would delete
    them all): what was served must be known for as long as a sender may hold it.
    gate: how the MX gate looks at the world. mx_not_in_policy_allowed: the reason why a live MX is left out; with None
    an enforce policy that leaves one out is refused.
    """

    policy_domain: str
    policy: Policy
    zone: DnsZone
    policy_bucket: pulumi.Input[str]
    policy_bucket_regional_domain_name: pulumi.Input[str]
    origin_access_control_id: pulumi.Input[str]
    response_headers_policy_id: pulumi.Input[str]
    keep_policies: bool
    gate: GateSettings
    mx_not_in_policy_allowed: str | None


class PolicyHost(pulumi.ComponentResource):
    """One policy host.

    version_id: the policy object's version; policy_id: what to publish as the record's id, made from it; None when the
    object has no version (it was written before versioning took effect), and then nothing can be announced.
    domain_name, hosted_zone_id: the distribution's own name and its Route 53 zone, for CNAME or alias.
    policy_object, distribution: what a record that announces the policy must come after.
    """

    version_id: pulumi.Output[str]
    policy_id: pulumi.Output[str | None]
    domain_name: pulumi.Output[str]
    hosted_zone_id: pulumi.Output[str]

    policy_object: aws.s3.BucketObjectv2
    distribution: aws.cloudfront.Distribution
    mx_gate: MxGate

    def __init__(self, name: str, args: PolicyHostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:PolicyHost", name, {}, opts)
        text = args["policy"].render()
        self.mx_gate = MxGate(
            args["policy_domain"],
            args["policy"],
            args["zone"].apex,
            args["gate"],
            args["mx_not_in_policy_allowed"],
        )
        named = pulumi.ResourceHook(f"mx-gate:{args['policy_domain']}", self.mx_gate.hook)
        self.policy_object = aws.s3.BucketObjectv2(
            f"{name}-policy",
            bucket=args["policy_bucket"],
            key=policy_key(args["policy_domain"]),
            content=text.decode("utf-8"),
            # What S3 says of an object that it encrypts with its own key. The provider never reads the text: without
            # this a refresh would not see that somebody wrote another one by hand, and `up` would announce that one.
            etag=hashlib.md5(text, usedforsecurity=False).hexdigest(),
            content_type="text/plain; charset=utf-8",
            opts=pulumi.ResourceOptions(
                parent=self,
                retain_on_delete=args["keep_policies"],
                hooks=pulumi.ResourceHookBinding(before_create=[named], before_update=[named]),
            ),
        )
        self.distribution = self._distribution(name, args, self._certificate(name, args))
        self.version_id = self.policy_object.version_id
        self.policy_id = self.version_id.apply(policy_id_or_none)
        self.domain_name = self.distribution.domain_name
        self.hosted_zone_id = self.distribution.hosted_zone_id
        self.register_outputs(
            {
                "version_id": self.version_id,
                "policy_id": self.policy_id,
                "domain_name": self.domain_name,
                "hosted_zone_id": self.hosted_zone_id,
            }
        )

    def _certificate(self, name: str, args: PolicyHostArgs) -> pulumi.Output[str]:
        """ARN of the certificate, known once it is issued."""
        certificate = aws.acm.Certificate(
            f"{name}-certificate",
            domain_name=policy_host(args["policy_domain"]),
            validation_method="DNS",
            region=CERTIFICATE_REGION,
            opts=pulumi.ResourceOptions(parent=self),
        )
        # one name, one option; the record is the same for every certificate of this name in this account
        option = certificate.domain_validation_options[0]
        record_name = option.resource_record_name.apply(str)
        record = args["zone"].cname(
            f"{name}-validation",
            record_name,
            option.resource_record_value.apply(str),
            HOST_TTL,
            pulumi.ResourceOptions(parent=self),
        )
        issued = aws.acm.CertificateValidation(
            f"{name}-issued",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record_name],
            region=CERTIFICATE_REGION,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[record],
                custom_timeouts=pulumi.CustomTimeouts(create=CERTIFICATE_WAIT),
            ),
        )
        return issued.certificate_arn

    def _distribution(
        self, name: str, args: PolicyHostArgs, certificate_arn: pulumi.Output[str]
    ) -> aws.cloudfront.Distribution:
        return aws.cloudfront.Distribution(
            f"{name}-distribution",
            enabled=True,
            comment=f"MTA-STS policy of {args['policy_domain']}",
            aliases=[policy_host(args["policy_domain"])],
            http_version="http2and3",
            is_ipv6_enabled=True,
            price_class="PriceClass_100",  # some milliseconds more for senders far away, once a day
            origins=[
                {
                    "origin_id": "policy",
                    "domain_name": args["policy_bucket_regional_domain_name"],
                    "origin_path": f"/{args['policy_domain']}",
                    "origin_access_control_id": args["origin_access_control_id"],
                }
            ],
            default_cache_behavior={
                "target_origin_id": "policy",
                "viewer_protocol_policy": "https-only",  # senders follow no redirect, not even to https
                "allowed_methods": ["GET", "HEAD"],
                "cached_methods": ["GET", "HEAD"],
                "cache_policy_id": CACHING_DISABLED,
                "response_headers_policy_id": args["response_headers_policy_id"],
                "compress": False,
            },
            custom_error_responses=[{"error_code": code, "error_caching_min_ttl": 0} for code in ERRORS],
            restrictions={"geo_restriction": {"restriction_type": "none"}},
            viewer_certificate={
                "acm_certificate_arn": certificate_arn,
                "ssl_support_method": "sni-only",
                "minimum_protocol_version": "TLSv1.2_2021",
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
