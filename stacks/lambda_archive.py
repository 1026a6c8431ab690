"""The Lambda's zip, from `report_lambda/MANIFEST`: the same files give the same archive on every machine."""

from pathlib import Path

import pulumi

from stacks.settings import REPOSITORY

MANIFEST = Path("report_lambda/MANIFEST")


def lambda_files(repository: Path = REPOSITORY) -> tuple[str, ...]:
    """Paths relative to the repository, sorted. ValueError when a line of the manifest names nothing."""
    found: set[str] = set()
    for line in (repository / MANIFEST).read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        files = {path.relative_to(repository).as_posix() for path in repository.glob(pattern) if path.is_file()}
        if not files:
            raise ValueError(f"{MANIFEST}: {pattern} names no file")
        found |= {file for file in files if "__pycache__" not in file}
    return tuple(sorted(found))


def lambda_archive(repository: Path = REPOSITORY) -> pulumi.AssetArchive:
    """Absolute paths inside: a relative one would be taken from the program's directory."""
    return pulumi.AssetArchive({file: pulumi.FileAsset(str(repository / file)) for file in lambda_files(repository)})
