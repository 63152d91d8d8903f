# SPDX-License-Identifier: GPL-2.0-or-later
"""Where answers may differ, as data; whatever no row here covers is a failure.

MASKS hide values that depend on the moment. REWRITES make a line of ours what an older release
says. ACCEPTED are pairs of lines that count as equal. Every use is counted and shown.
"""
import re
from typing import List, NamedTuple, Optional, Pattern, Tuple

# The parser of 11.1 is new: it words errors differently, says where they are, reports them at the
# token where older ones wait for the brackets to close, and takes up again at other places.
PARSE_ERROR = re.compile(
    rb'\{"error": \{"class": "GenericError", "desc": "(?:(?:\d+:\d+: )?JSON parse error|'
    rb'QMP input must be a JSON object|JSON (?:nesting|token) )')


class Mask(NamedTuple):
    pattern: Pattern[bytes]
    replacement: bytes


class Rewrite(NamedTuple):
    name: str
    releases: Tuple[str, ...]
    ours: Pattern[bytes]
    theirs: bytes


class Accepted(NamedTuple):
    name: str
    releases: Tuple[str, ...]
    theirs: Pattern[bytes]
    ours: Pattern[bytes]


MASKS = [
    Mask(re.compile(rb'^\{"return": \{"pid": \d+\}'), b'{"return": {"pid": PID}'),
    Mask(re.compile(rb'^\{"return": .*, "id": "moment"\}$'), b'{"return": MOMENT, "id": "moment"}'),
    # The recorded exchanges hold the list of commands to account.
    Mask(re.compile(rb'^\{"return": \{"version": ".*", "supported_commands": \[.*\]\}'),
         b'{"return": INFO'),
]

REWRITES = [
    Rewrite('short text of a disabled command', ('7.2',),
            re.compile(rb'(Command \S+ has been disabled): the command is not allowed'), rb'\1'),
    Rewrite('guest-get-devices is known but disabled', ('7.2',),
            re.compile(rb'The command (guest-get-devices) has not been found'),
            rb'Command \1 has been disabled'),
    Rewrite('text of an unknown pid', ('7.2',),
            re.compile(rb'PID ld does not exist'), rb"Invalid parameter 'pid'"),
    Rewrite('text of a failed guest-exec', ('7.2',),
            re.compile(rb'"(Failed to execute child process [^"]*)"'),
            rb'''"Guest agent command failed, error was '\1'"'''),
    Rewrite('no truncation flags beside output', ('10.0',),
            re.compile(rb'"(?:out|err)-truncated": false, '), rb''),
]

ACCEPTED = [
    Accepted('guest-get-load and guest-network-get-route are not known', ('7.2',),
             re.compile(rb'.*The command guest-(get-load|network-get-route) has not been found.*'
                        rb'\n'),
             re.compile(rb'.*\n')),
    Accepted('capture-output is a boolean', ('7.2',),
             re.compile(rb'.*Invalid parameter type for \'capture-output\', expected: boolean.*\n'),
             re.compile(rb'.*\n')),
]


def masked(line: bytes) -> bytes:
    for mask in MASKS:
        line = mask.pattern.sub(mask.replacement, line)
    return line


def covering(release: str, theirs: bytes, ours: bytes) -> List[str]:
    """The names of the rows by which two different lines count as equal; none if they do not."""
    names = []
    line = ours
    for rewrite in REWRITES:
        if release in rewrite.releases and rewrite.ours.search(line):
            line = rewrite.ours.sub(rewrite.theirs, line)
            names.append(rewrite.name)
    if line == theirs:
        return names
    return [row.name for row in ACCEPTED if release in row.releases
            and row.theirs.fullmatch(theirs) and row.ours.fullmatch(ours)][:1]


def covering_parse_errors(release: str, theirs: List[bytes], ours: List[bytes]) -> Optional[str]:
    """The same for all answers to one piece of garbage."""
    left, right = without_wording(theirs), without_wording(ours)
    if len(left) == len(right) and all(a == b or covering(release, a, b)
                                       for a, b in zip(left, right)):
        return 'wording and place of a parse error'
    if b'PARSE ERROR' in left or b'PARSE ERROR' in right:
        return 'recovery after a parse error'
    return None


def without_wording(lines: List[bytes]) -> List[bytes]:
    return [b'PARSE ERROR' if PARSE_ERROR.match(line) else masked(line) for line in lines]
