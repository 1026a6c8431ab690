"""`pulumi-resource-cloudflare` against the local Cloudflare API."""
