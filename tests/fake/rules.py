# SPDX-License-Identifier: GPL-2.0-or-later
"""Where answers may differ, as data; whatever no row here covers is a failure.

REWRITES make of our answer what an older release says, UNKNOWN are commands that it does not have.
Every use is counted and shown.
"""
import re
from typing import NamedTuple, Optional, Pattern, Tuple


class Rewrite(NamedTuple):
    name: str
    releases: Tuple[str, ...]
    ours: Pattern[bytes]
    theirs: bytes


REWRITES = [
    Rewrite('text of a file that cannot be opened', ('10.0', '7.2'),
            re.compile(rb"Could not open '([^']*)'"), rb'open(\\"\1\\")'),
    Rewrite('text of a file "online" that cannot be opened', ('10.0', '7.2'),
            re.compile(rb'could not open (\S+/online)'), rb'open(\\"\1\\")'),
]
UNKNOWN = {'7.2': b'guest-network-get-route'}

# Of a processor's line with six columns 7.2 tells as softirq what is on its stack.
SOFTIRQ = re.compile(rb'"softirq": \d+')
GARBAGE = 'softirq of a line with six columns'


def without_garbage(theirs: bytes, ours: bytes) -> bytes:
    """Their answer with our 0 in the place of any number."""
    numbers = iter(SOFTIRQ.findall(ours))

    def chosen(found: 're.Match[bytes]') -> bytes:
        own = next(numbers, b'')
        return own if own == b'"softirq": 0' else found[0]
    return SOFTIRQ.sub(chosen, theirs)


def covering(release: str, request: bytes, theirs: bytes, ours: bytes) -> Optional[str]:
    """The name of the row by which two different answers count as equal; None if they do not."""
    unknown = UNKNOWN.get(release)
    if unknown and unknown in request and b'The command %s has not been found' % unknown in theirs:
        return f'{unknown.decode()} is not known'
    if release == '7.2' and without_garbage(theirs, ours) == ours:
        return GARBAGE
    for rewrite in REWRITES:
        if release in rewrite.releases and rewrite.ours.sub(rewrite.theirs, ours) == theirs:
            return rewrite.name
    return None
