#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every row of the command table has a handler, a text in the reference, and a transcript.

The compiler sees the first, the generator the second; what neither sees is a handler left behind
without a row, and a command that no transcript shows.
"""
import argparse
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from tree import ROOT, Problem, lines, paths, report, sources

FOLDERS = ('qga-compat', 'extensions', 'win32')
ROW = re.compile(r'    \{ "([a-z0-9-]+)", run_')
DEFINITION = re.compile(r'((?:guest|novacron)_\w+)\(')
HEADING = re.compile(r'### (?:<a .*</a>)?`?([a-z0-9-]+)`?$')
SKIPPED = 77


def rows(root: Path, generated: Path) -> List[str]:
    return [found[1] for found in map(ROW.match, lines(root, str(generated / 'commands.c')))
            if found]


def definitions(root: Path) -> Dict[str, Tuple[str, int]]:
    """Functions named like handlers: definitions start a line, calls do not."""
    return {found[1].replace('_', '-'): (path, number)
            for path in sources(root, FOLDERS) if path.endswith('.c')
            for number, line in enumerate(lines(root, path), 1)
            for found in [DEFINITION.match(line)] if found}


def documented(root: Path, generated: Path) -> Dict[str, str]:
    """Names of the reference with the line of text that follows each."""
    text = [line for line in lines(root, str(generated / 'reference.md')) if line.strip()]
    return {found[1]: after for line, after in zip(text, text[1:] + [''])
            for found in [HEADING.match(line)] if found}


def find_problems(root: Path, generated: Path) -> Iterator[Problem]:
    commands = rows(root, generated)
    if not commands:
        yield Problem(str(generated / 'commands.c'), 1, 'no rows found')
    handlers, texts = definitions(root), documented(root, generated)
    transcripts = {Path(path).stem for path in paths(root)
                   if path.startswith('tests/transcripts/') and path.endswith('.txt')}
    for name in commands:
        if name not in handlers:
            yield Problem('qga-compat', 1, 'no handler of %s' % name)
        if texts.get(name, '#').startswith('#'):
            yield Problem('qapi-schema', 1, 'no documentation of %s' % name)
        if name not in transcripts:
            yield Problem('tests/transcripts', 1, 'no transcript %s.txt' % name)
    for name, (path, number) in handlers.items():
        if name not in commands:
            yield Problem(path, number, 'a handler without a row: %s' % name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', nargs='?', type=Path, default=ROOT, help='the tree to check')
    parser.add_argument('--build', type=Path, help='its build folder (default: ROOT/build)')
    options = parser.parse_args()
    generated = (options.build or options.root / 'build').absolute() / 'qapi-schema' / 'gen'
    if not (generated / 'commands.c').exists():
        print('SKIP nothing is built in %s' % generated.parents[1])
        return SKIPPED
    return report(find_problems(options.root, generated))


if __name__ == '__main__':
    sys.exit(main())
