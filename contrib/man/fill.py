#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the manual page: fills in what the program's --help says about options and keys.

    fill.py PROGRAM TEMPLATE OUTPUT

@OPTIONS@ and @KEYS@ on lines of their own stand for the two lists of --help.
"""
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Tuple

Entry = Tuple[str, List[str]]   # what is explained, in which lines
COLUMN = 20                     # where the explanations start


def entries(block: str) -> List[Entry]:
    result: List[Entry] = []
    for line in block.splitlines():
        name = re.match(r'  (-\w, --\S+|[^\s-]\S*)', line)
        if name:
            result.append((name[1], []))
        elif not result or not line.startswith(' ' * COLUMN):
            sys.exit(f'{line!r} of --help is not understood')
        if not name or name.end() < COLUMN:     # a long name has its line for itself
            result[-1][1].append(line[COLUMN:])
    return result


def troff(text: str) -> str:
    return re.sub(r"^(?=[.'])", r'\\&', text.replace('\\', '\\e').replace('-', '\\-'))


def names(text: str) -> str:
    return ', '.join(f'\\fB{troff(name)}\\fR' for name in text.split(', '))


def rows(block: str) -> str:
    lines: List[str] = []
    for name, text in entries(block):
        lines += ['.TP', names(name), *map(troff, text)]
    return '\n'.join(lines)


def lists(program: str) -> Dict[str, str]:
    text = subprocess.run([program, '--help'], stdout=subprocess.PIPE, check=True,
                          encoding='utf-8').stdout
    _, options, keys, _ = text.split('\n\n')
    return {'@OPTIONS@': rows(options), '@KEYS@': rows(keys.partition('\n')[2])}


def main() -> None:
    program, template, output = sys.argv[1:]
    text = Path(template).read_text(encoding='utf-8')
    for mark, filling in lists(program).items():
        before, found, after = text.partition(f'\n{mark}\n')
        if not found:
            sys.exit(f'{template}: no {mark}')
        text = f'{before}\n{filling}\n{after}'
    Path(output).write_text(text, encoding='utf-8')


if __name__ == '__main__':
    main()
