"""The publish gates: what is looked at before something is written that senders act on, and once in every run.

Most are resource hooks. The engine runs them after everything the resource depends on, only when the resource really
changes, and not in a preview. When one raises, the operation fails and what was published stays as it is.

    mx.py               before the policy object: an enforce policy that leaves out a live MX does not go live
    foreign_records.py  before the TXT records: never a second record beside one that this stack does not know
    edge.py             before `_mta-sts`: senders would get the new policy
    standing_look.py    in every run, previews too: the same questions for what is published already

The trap: the SDK's registration calls fill the event loop's default executor, and each waits for its resource. Work
that a hook puts there (`asyncio.to_thread`, `loop.getaddrinfo`) never starts, and its time limit never runs: a first
`up` of some dozens of domains hangs for ever. So everything that blocks here runs in POOL (`waiting.py`) and nowhere
else.
"""
