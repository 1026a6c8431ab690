"""The rest of the internet: zone files for everything that this project does not deploy, and the sites that send mail.

One file per zone, in the master-file format that every name server reads (RFC 1035 section 5): change one and start
the sandbox again. `root.zone` is the top: what is in no file and not deployed does not exist.
"""
