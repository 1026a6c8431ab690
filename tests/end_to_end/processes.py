"""Who runs and who listens on this machine, read from /proc."""

from pathlib import Path

LISTEN = "0A"
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


def of_folder(folder: Path) -> list[int]:
    """Processes whose command line or environment names `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
        if str(folder).encode() in text and state != "Z":
            found.append(int(process.name))
    return found


def descendants(pid: int) -> set[int]:
    """The process and all that it started, as long as their parents live."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, new = set(), {pid}
    while new:
        found |= new
        new = {child for parent in new for child in children.get(parent, [])} - found
    return found


def listening(pids: set[int]) -> list[str]:
    """Local addresses, in hexadecimal, on which these processes listen over TCP or take UDP."""
    sockets = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                sockets.add(str(descriptor.readlink()))
            except (FileNotFoundError, PermissionError):
                continue
    addresses = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            bound = fields[3] == LISTEN if table.startswith("tcp") else fields[2].endswith(":0000")
            if bound and f"socket:[{fields[9]}]" in sockets:
                addresses.append(fields[1].partition(":")[0])
    return addresses
