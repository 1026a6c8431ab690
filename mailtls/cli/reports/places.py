"""Where reports are read from: what was named, and what `--store` names."""

from pathlib import Path
from typing import TYPE_CHECKING

from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.observe.report_bucket import Bucket
    from mailtls.observe.store import Store


def places_of(places: tuple[str, ...], store: str | None) -> tuple[str, ...]:
    """All places, the ledger of the store last. Raises Trouble."""
    if store is None:
        if not places:
            raise Trouble("nothing to read: name files, folders or mailboxes, or the stored reports with --store")
        return places
    if not store.startswith("s3://"):
        return (*places, f"{store.rstrip('/')}/reports")
    return (*places, f"s3://{_buckets(store)[1]}/reports/")


def opened(store: str, region: str | None) -> "tuple[Store, Bucket]":
    """What `--store` names, as a place of policies and reports, and as the reports bucket alone. Raises Trouble."""
    from mailtls.cli.stand import store_at
    from mailtls.observe.report_bucket import FolderBucket, bucket_at
    from mailtls.observe.store import FolderStore, StoreTrouble

    try:
        if not store.startswith("s3://"):
            if not Path(store, "reports").is_dir():
                raise Trouble(f"--store {store}: no folder with a folder `reports` in it")
            return FolderStore(Path(store)), FolderBucket(Path(store))
        _, reports = _buckets(store)
        found = store_at(store, region)
        assert found is not None  # noqa: S101  a store was named
        return found, bucket_at(f"s3://{reports}", region)
    except StoreTrouble as e:
        raise Trouble(f"--store: {e}") from e


def _buckets(store: str) -> tuple[str, str]:
    policies, comma, reports = store.removeprefix("s3://").partition(",")
    if not (policies and comma and reports):
        raise Trouble(f"--store {store}: write s3://POLICY-BUCKET,REPORTS-BUCKET, or a folder")
    return policies, reports
