"""`pulumi-resource-aws` against the local AWS emulator: one file per service, over boto3."""
