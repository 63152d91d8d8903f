# SPDX-License-Identifier: GPL-2.0-or-later
"""How a suite is told what to test and how it reports.

One line per failure, a summary line last; exit status 0 all passed, 1 not, 77 skipped.
"""
import argparse
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import List, NoReturn, Optional

from lib import oracle

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_AGENT = ROOT / 'build' / 'qga-compat' / 'qemu-ga'
SKIPPED = 77


class Suite:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def judge(self, name: str, problem: Optional[str]) -> None:
        if problem is None:
            self.passed += 1
            return
        self.failed += 1
        print(f'FAILED {name}: {problem}', flush=True)

    def finish(self) -> int:
        print(f'{self.passed} passed, {self.failed} failed')
        return 1 if self.failed else 0


def skip(reason: str) -> NoReturn:
    print(f'SKIP {reason}')
    sys.exit(SKIPPED)


def parser(description: str) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=description)
    options.add_argument('--agent', default=os.environ.get('NOVACRON_AGENT', str(DEFAULT_AGENT)),
                         help='program to test and its first arguments, or oracle:VERSION with '
                              f'VERSION one of {", ".join(oracle.VERSIONS)} (default: %(default)s)')
    return options


def program(text: str) -> List[str]:
    """The argument vector that --agent stands for."""
    if text.startswith('oracle:'):
        return oracle_or_skip(text.split(':', 1)[1])
    words = shlex.split(text)
    found = shutil.which(words[0])
    if not found:
        sys.exit(f'{words[0]}: no such program; build first, or name one with --agent')
    return [os.path.abspath(found), *words[1:]]


def oracle_or_skip(version: str) -> List[str]:
    try:
        return oracle.program(version)
    except oracle.Unavailable as error:
        skip(f'qemu-ga {version} cannot be had: {error}')
