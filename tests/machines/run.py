#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks and file systems of made-up machines, told by the agent and by real qemu-ga binaries.

All answers must be the same, byte for byte, and so must what they ask NVMe disks.
"""
import json
import os
import sys
from pathlib import Path
from random import Random
from typing import Callable, Dict, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import generate
from cases import CASES
from machine import Machine
from lib import suite
from lib.connection import Connection

REQUESTS = ['guest-get-disks', 'guest-get-fsinfo']
RELEASES = ['11.1', '10.0']
SHOWN = 150      # bytes of a difference


def first_difference(theirs: bytes, ours: bytes) -> str:
    place = next((i for i, pair in enumerate(zip(theirs, ours)) if pair[0] != pair[1]),
                 min(len(theirs), len(ours)))
    start = max(0, place - SHOWN)
    return f'has {theirs[start:place + SHOWN]!r}, we {ours[start:place + SHOWN]!r}'


class Witnesses:
    """Agents of all kinds on one machine."""

    def __init__(self, machine: Machine, programs: Dict[str, list], kernel: Path):
        self.machine = machine
        self.agents = {label: machine.agent(program, kernel, label).start()
                       for label, program in programs.items()}
        self.connections: Dict[str, Connection] = {
            label: agent.connect() for label, agent in self.agents.items()}
        self.nvme_commands = 0

    def close(self) -> Optional[str]:
        for connection in self.connections.values():
            connection.close()
        for agent in self.agents.values():
            agent.stop()
        complaint = self.agents['ours'].complaint()
        for agent in self.agents.values():
            agent.__exit__()
        return complaint

    def difference(self) -> Optional[str]:
        for command in REQUESTS:
            request = json.dumps({'execute': command}).encode() + b'\n'
            answers = {label: connection.ask(request)
                       for label, connection in self.connections.items()}
            for label in RELEASES:
                if answers[label] != answers['ours']:
                    return f'{command}: {label} ' + first_difference(answers[label],
                                                                      answers['ours'])
        asked = {label: self.machine.asked(label) for label in self.agents}
        for label in RELEASES:
            if asked[label] != asked['ours']:
                return f'NVMe disks: {label} ' + first_difference(asked[label], asked['ours'])
        self.nvme_commands += bool(asked['ours'])
        return None


def attempt(witnesses: Witnesses, build: Callable[[Machine], None]) -> Optional[str]:
    witnesses.machine.reset()
    build(witnesses.machine)
    return witnesses.difference()


def main() -> int:
    options = suite.parser(__doc__)
    options.add_argument('--kernel', type=Path, help='the library of kernel.c (default: beside the '
                         'agent in its build folder)')
    options.add_argument('--seed', type=int, default=1)
    options.add_argument('--machines', type=int, default=1000, help='generated ones')
    options.add_argument('--match', default='', help='only cases whose name contains this')
    chosen = options.parse_args()
    if os.geteuid() != 0:
        suite.skip('needs root')
    programs = {label: suite.oracle_or_skip(label) for label in RELEASES}
    programs['ours'] = suite.program(chosen.agent)
    build = Path(programs['ours'][0]).parents[1]
    kernel = chosen.kernel or build / 'tests/machines/libmachine-kernel.so'
    if not kernel.exists():
        suite.skip(f'{kernel} is not built')

    report = suite.Suite()
    machine = Machine()
    witnesses = Witnesses(machine, programs, kernel.resolve())
    for name, case in CASES.items():
        if chosen.match in name:
            report.judge(name, attempt(witnesses, case))
    for number in range(chosen.machines):
        name = f'machine {chosen.seed}-{number}'
        if chosen.match in name:
            random = Random(name)
            report.judge(name, attempt(witnesses, lambda made: generate.build(random, made)))
    if not chosen.match:
        report.judge('NVMe commands were seen', None if witnesses.nvme_commands else 'none')
    report.judge('the end', witnesses.close())
    machine.close()
    return report.finish()


if __name__ == '__main__':
    sys.exit(main())
