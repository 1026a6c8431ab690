"""Where reports are read from: what was named, and what `--store` names."""

from mailtls.cli.trouble import Trouble


def places_of(places: tuple[str, ...], store: str | None) -> tuple[str, ...]:
    """All places, the ledger of the store last. Raises Trouble."""
    if store is None:
        if not places:
            raise Trouble("nothing to read: name files, folders or mailboxes, or the stored reports with --store")
        return places
    if not store.startswith("s3://"):
        return (*places, f"{store.rstrip('/')}/reports")
    policies, comma, reports = store.removeprefix("s3://").partition(",")
    if not (policies and comma and reports):
        raise Trouble(f"--store {store}: write s3://POLICY-BUCKET,REPORTS-BUCKET, or a folder")
    return (*places, f"s3://{reports}/reports/")
