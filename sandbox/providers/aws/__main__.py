"""The plugin's process: `pulumi-resource-aws ENGINE_ADDRESS`."""

from sandbox.providers.aws.provider import provider
from sandbox.providers.protocol.serve import serve

if __name__ == "__main__":
    serve(provider())
