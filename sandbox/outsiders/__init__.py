"""Software that nobody here wrote: an MTA-STS client, a TLS-RPT reporter, checkdmarc.

They run in an environment of their own (requirements.txt in this folder) and are not modified: only the addresses of
the name server and the proxy, and the test CA, are theirs to be told, as on any machine.
"""
