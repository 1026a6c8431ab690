"""Where SES receives mail."""

RECEIVING_REGIONS = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-2", "ca-central-1", "eu-central-1", "eu-west-1", "eu-west-2"),
        *("ap-northeast-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3"),
    }
)
"""Known when this was written. AWS adds regions, so another one is doubtful, not wrong."""


def inbound_host(region: str) -> str:
    """The host that an MX record names for SES to receive in `region`."""
    return f"inbound-smtp.{region}.amazonaws.com"
