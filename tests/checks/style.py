#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What every text file keeps to: 100 columns, a licence line, no trailing blanks, and no word
that is true on one machine only.
"""
import re
import sys
from pathlib import Path
from typing import Iterator, List, NamedTuple

from tree import Problem, main, paths

COLUMNS = 100
HEAD = 3        # a licence line stands within so many lines
LICENCE = re.compile(r'SPDX-License-Identifier: GPL-2\.0-or-later')
LICENSED = re.compile(r'(\.([ch]|py|sh|json)|(^|/)meson\.build|meson_options\.txt)$')
# Data in which every byte counts: recorded, expected, drawn or taken from others.
DATA = re.compile(r'^LICENSE$|^tests/transcripts/recorded/|^tests/golden/[^/]+/'
                  r'|^tests/golden/.*\.(json|err)$|^tests/fuzz/.*corpus|^tests/unit/data/'
                  r'|\.(jsonl|svg)$')


class Rule(NamedTuple):
    files: str      # a pattern for the path
    pattern: str    # what no line may contain; written so as not to contain itself
    reason: str


RULES: List[Rule] = [
    Rule(r'', r'[ \t\r]+$', 'trailing blanks'),
    Rule(r'\.([ch]|py|json)$|meson\.build$', r'\t', 'a tab'),
    Rule(r'\.[ch]$', r'\bgoto\b', 'goto: return early and let cleanup attributes do the work'),
    Rule(r'', r'/[w]ork/|/[t]mp/(oracle|b-\w)|[.]\./shared/', 'a path of one machine'),
    Rule(r'', r'\b(deb|ftp|security|snapshot|httpredir)[.](\w+[.])?debian[.]org\b',
         'the host name of a mirror'),
    Rule(r'', r'\bregistry[.]npmjs|\bpypi[.]org\b|\bproxy[.]golang\b',
         'the host name of a registry'),
]


def text_of(path: Path) -> str:
    """'' for what is no text."""
    data = path.read_bytes()
    return '' if b'\0' in data else data.decode('utf-8', errors='replace')


def is_licensed(path: str, text: str) -> bool:
    return bool(LICENSED.search(path)) or text.startswith('#!')


def in_file(path: str, text: str) -> Iterator[Problem]:
    lines = text.split('\n')
    if is_licensed(path, text) and not LICENCE.search('\n'.join(lines[:HEAD])):
        yield Problem(path, 1, 'no SPDX-License-Identifier: GPL-2.0-or-later')
    if text and not text.endswith('\n'):
        yield Problem(path, len(lines), 'no newline at the end')
    rules = [rule for rule in RULES if re.search(rule.files, path)]
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs()) > COLUMNS:
            yield Problem(path, number, '%d columns' % len(line.expandtabs()))
        for rule in rules:
            if re.search(rule.pattern, line):
                yield Problem(path, number, rule.reason)


def find_problems(root: Path) -> Iterator[Problem]:
    for path in paths(root):
        if not DATA.search(path):
            yield from in_file(path, text_of(root / path))


if __name__ == '__main__':
    sys.exit(main(find_problems, __doc__))
