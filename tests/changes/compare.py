#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What would change the machine (power, clock, passwords, SSH keys), in a small world: generated
requests to the agent and to real qemu-ga binaries. Answers must be equal byte for byte, and so
must be what the programs saw that they ran and the files that they left behind.
"""
import argparse
import os
import re
import secrets
import sys
from pathlib import Path
from random import Random
from typing import Dict, List, NamedTuple, Optional, Sequence

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from generate import Generator, Step
from lib import suite
from world import World

EXACT = '11.1'
USUAL, FULL = 600, 60_000
BATCH = 50
SHOWN = 10
TIMEOUT = 20.0
MARK = b'{"return": 770770}\n'
MARK_REQUEST = b'{"execute": "guest-sync", "arguments": {"id": 770770}}\n'

# What each release does as we do. 10.2 has other programs for the end, 11.0 the user's rights; the
# kernel's file is replaced by 10.0, where it is one that can be.
KINDS = {'11.1': ['shutdown', 'time', 'suspend', 'password', 'ssh', 'ssh', 'ssh'],
         '10.0': ['time', 'password', 'suspend']}

MASKS = [
    (re.compile(rb'(?<=authorized_keys\.)[A-Za-z0-9]{6}'), b'XXXXXX'),
    # The text of whatever failed last.
    (re.compile(rb'(?<="Invalid time)[^"]*'), b''),
]


# 11.1 looks with root's eyes whether there is a file, and reads it with the user's.
BEHIND_A_WALL = (re.compile(rb'\{"return": \{\}.*'),
                 re.compile(rb'.*Failed to open file .*: Permission denied.*'))


class Observed(NamedTuple):
    replies: bytes
    calls: bytes
    files: List[object]


class Contestant:
    """An agent in a world of its own."""

    def __init__(self, program: Sequence[str], stub: Path):
        self.world = World(stub)
        self.agent = self.world.agent(program)
        self.agent.start()
        self.connection = self.agent.connect()

    def observe(self, step: Step) -> Observed:
        self.world.set(step.setting)
        self.connection.send(step.request + MARK_REQUEST)
        replies = self.connection.read_through(MARK, TIMEOUT)
        return Observed(self._masked(replies), self._masked(self.world.calls()),
                        self.world.tree('home') + self.world.tree('sys'))

    def _masked(self, data: bytes) -> bytes:
        data = data.replace(os.fsencode(self.agent.folder), b'FOLDER')
        for pattern, replacement in MASKS:
            data = pattern.sub(replacement, data)
        return data

    def close(self) -> Optional[str]:
        self.connection.close()
        self.agent.stop()
        complaint = self.agent.complaint()
        self.agent.__exit__()
        self.world.close()
        return complaint


def is_equal(release: str, step: Step, theirs: Observed, ours: Observed) -> bool:
    if release != EXACT:
        return (theirs.replies, theirs.calls) == (ours.replies, ours.calls)
    if b'guest-ssh-remove' in step.request and theirs[1:] == ours[1:]:
        wall = [pattern.match(side.replies) for pattern, side in zip(BEHIND_A_WALL, (theirs, ours))]
        return theirs == ours or all(wall)
    return theirs == ours


def described(step: Step, theirs: Observed, ours: Observed) -> str:
    lines = [f'{step.request!r}', f'  setting {step.setting}']
    for name, left, right in zip(Observed._fields, theirs, ours):
        if left != right:
            lines += [f'  their {name} {left!r}', f'  our   {name} {right!r}']
    return '\n'.join(lines)


def compare(programs: Dict[str, Sequence[str]], stub: Path, steps: List[Step],
            report: suite.Suite, label: str) -> None:
    release = next(iter(programs))
    contestants = {name: Contestant(program, stub) for name, program in programs.items()}
    try:
        for step in steps:
            theirs, ours = [contestant.observe(step) for contestant in contestants.values()]
            equal = is_equal(release, step, theirs, ours)
            report.judge(label, None if equal else described(step, theirs, ours))
            if report.failed >= SHOWN:
                break
    finally:
        for name, contestant in contestants.items():
            complaint = contestant.close()
            if name == 'ours':
                report.judge(f'{label}: its end', complaint)


def arguments() -> argparse.Namespace:
    options = suite.parser(__doc__)
    options.add_argument('--stub', type=Path, default=suite.ROOT / 'build/tests/changes/stub',
                         help='what stands for programs of the system (default: %(default)s)')
    options.add_argument('--seed', type=int, default=secrets.randbelow(1 << 32))
    options.add_argument('--requests', type=int, default=USUAL)
    options.add_argument('--full', action='store_true', help=f'{FULL} requests')
    options.add_argument('--against', default=','.join(KINDS), help='default %(default)s')
    return options.parse_args()


def main() -> int:
    chosen = arguments()
    if os.geteuid() != 0:
        suite.skip('makes mount namespaces and acts as several users, which needs root')
    ours = suite.program(chosen.agent)
    others = {release: suite.oracle_or_skip(release) for release in chosen.against.split(',')}
    total = FULL if chosen.full else chosen.requests
    print(f'{total} requests, --seed {chosen.seed}', flush=True)
    report = suite.Suite()
    names = list(others)
    for number in range(0, total, BATCH):
        # Every second batch is for the release that has to be matched in all.
        release = names[0] if number // BATCH % 2 else names[number // BATCH // 2 % len(names)]
        generator = Generator(Random(f'{chosen.seed}/{number}'))
        steps = [generator.step(KINDS[release]) for _ in range(min(BATCH, total - number))]
        compare({release: others[release], 'ours': ours}, chosen.stub, steps, report,
                f'batch {number // BATCH} against {release}')
        if report.failed >= SHOWN:
            print('stopped: too many differences')
            break
    return report.finish()


if __name__ == '__main__':
    sys.exit(main())
