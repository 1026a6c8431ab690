"""The functions' zips, each from its MANIFEST: the same files give the same archive on every machine."""

from pathlib import Path

import pulumi

from stacks.settings import REPOSITORY

MANIFEST = Path("report_lambda/MANIFEST")
DELIVERY_MANIFEST = Path("report_lambda/delivery/MANIFEST")
HTTPS_MANIFEST = Path("report_lambda/https_rua/MANIFEST")


def lambda_files(repository: Path = REPOSITORY, manifest: Path = MANIFEST) -> tuple[str, ...]:
    """Paths relative to the repository, sorted. ValueError when a line of the manifest names nothing."""
    found: set[str] = set()
    for line in (repository / manifest).read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        files = {path.relative_to(repository).as_posix() for path in repository.glob(pattern) if path.is_file()}
        if not files:
            raise ValueError(f"{manifest}: {pattern} names no file")
        found |= {file for file in files if "__pycache__" not in file}
    return tuple(sorted(found))


def lambda_archive(repository: Path = REPOSITORY, manifest: Path = MANIFEST) -> pulumi.AssetArchive:
    """Absolute paths inside: a relative one would be taken from the program's directory."""
    files = lambda_files(repository, manifest)
    return pulumi.AssetArchive({file: pulumi.FileAsset(str(repository / file)) for file in files})
