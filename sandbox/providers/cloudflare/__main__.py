"""The plugin's process: `pulumi-resource-cloudflare ENGINE_ADDRESS`."""

from sandbox.providers.cloudflare.provider import provider
from sandbox.providers.protocol.serve import serve

if __name__ == "__main__":
    serve(provider())
