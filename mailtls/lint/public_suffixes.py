"""Names under which everybody can register one: a wildcard there lets everybody in. Pure, and short on purpose.

The whole list (publicsuffix.org) has ten thousand lines and changes each week; a command that works offline would carry
an old copy. Every top level is known by its one label, and these are second levels whose registries have sold names to
everybody for decades. One that is missing here costs a warning that was not given, never a false error.
"""

_SECOND_LEVELS = {
    "ar": "com",
    "at": "co or",
    "au": "com net org edu gov",
    "br": "com net org",
    "cn": "com net org",
    "co": "com",
    "hk": "com",
    "hu": "co",
    "id": "co or",
    "il": "co org",
    "in": "co net org firm",
    "jp": "ac co go ne or",
    "kr": "co or",
    "mx": "com org",
    "my": "com",
    "nz": "co net org",
    "pe": "com",
    "ph": "com",
    "pl": "com net org",
    "sg": "com",
    "th": "co",
    "tr": "com",
    "tw": "com",
    "ua": "com",
    "uk": "ac co gov ltd me net nhs org plc",
    "vn": "com",
    "za": "co org",
}
_SUFFIXES = frozenset(f"{second}.{top}" for top, seconds in _SECOND_LEVELS.items() for second in seconds.split())


def is_public_suffix(name: str) -> bool:
    """Whether everybody can register a name directly under `name` (A-labels): surely, where it says so."""
    return "." not in name or name in _SUFFIXES
