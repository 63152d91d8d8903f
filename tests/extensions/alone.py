#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each extension in a build without the others, but for what it brings along: does it build?"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parents[2]
KNOWN = re.compile(r"^extensions_known = \[(.*?)\]", re.DOTALL | re.MULTILINE)


def known() -> List[str]:
    text = (ROOT / 'extensions/meson.build').read_text(encoding='utf-8')
    return re.findall(r"'(\w+)'", KNOWN.search(text)[1])


def run(*command: str) -> str:
    """What is wrong; empty: nothing."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout[-2000:] if done.returncode else ''


def problem_of(name: str) -> str:
    with tempfile.TemporaryDirectory(prefix='novacron-alone.') as build:
        return (run('meson', 'setup', build, str(ROOT), '--werror', '-Dtests=disabled',
                    '-Dnovacronctl=disabled', f'-Dextensions={name}')
                or run('ninja', '-C', build, '-j2', 'qga-compat/qemu-ga'))


def main() -> int:
    names = known()
    failed = 0
    for name in names:
        problem = problem_of(name)
        if problem:
            failed += 1
            print(f'FAILED {name}: {problem}')
    print(f'{len(names) - failed} passed, {failed} failed')
    return 1 if failed or not names else 0


if __name__ == '__main__':
    sys.exit(main())
