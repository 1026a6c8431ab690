"""The deployable: raw mail in a bucket becomes stored reports, metrics, alerts. AWS calls `handler.handle`."""
