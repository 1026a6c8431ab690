"""What the AWS provider says when it is not let in, as far as it is known (the provider's and the SDK's sources)."""

NO_CREDENTIALS = [
    "unable to validate AWS credentials.\nDetails: No valid credential sources found. Please see https://example.org",
    "api error ExpiredToken: The security token included in the request is expired",
    "api error InvalidClientTokenId: The security token included in the request is invalid.",
    "STS.get_caller_identity: Unable to locate credentials",
    "api error SignatureDoesNotMatch: The request signature we calculated does not match",
]
NO_PERMISSION = (
    "api error AccessDenied: User: arn:aws:iam::123456789012:user/ci is not authorized to perform: "
    "ses:DescribeActiveReceiptRuleSet"
)
