"""Stand-in provider plugins: what `pulumi-resource-aws` and `pulumi-resource-cloudflare` are to the engine.

They speak the real protocol and call the real APIs' local stand-ins over boto3 and HTTP. What they know of the real
providers (which change replaces a resource, what is unknown in a preview, which default is sent) is our reading of
them: they prove the program, not the provider. They refuse to talk to anything but this machine.
"""
