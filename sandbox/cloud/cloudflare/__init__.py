"""The stand-in for Cloudflare's DNS API: zones that exist, records in them, and what the real API refuses.

Not there: batches, imports and exports, record types other than A, AAAA, CNAME, MX and TXT, paid features. Asked for
one of these, it says so and does nothing. Error codes and words are Cloudflare's where they were seen in public.
"""

from sandbox.cloud.cloudflare.stand_in import Cloudflare

__all__ = ["Cloudflare"]
