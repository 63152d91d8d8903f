#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Differential test of what is read from /proc and /sys: trees of ours in their place, each asked
about by the agent and by real qemu-ga binaries; and real interfaces and routes.

Answers and what a command has written must be byte-equal to 11.1's, and to those of 10.0 and 7.2
apart from the reviewed differences in rules.py.
"""
import argparse
import os
import secrets
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Dict, List, Optional, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cases
import networks
import rules
import slow
from lib import oracle, suite
from tree import Actor, Stage

USUAL, FULL = 1500, 60_000
USUAL_NETWORKS, FULL_NETWORKS = 15, 500
SHOWN = 10
Outcome = Tuple[List[bytes], Dict[str, bytes]]


class Test:
    def __init__(self, program: List[str], others: Dict[str, List[str]]):
        self.stage = Stage()
        self.ours = Actor(program, self.stage.under())
        self.others = {release: Actor(words, self.stage.under())
                       for release, words in others.items()}
        self.uses: 'Counter[str]' = Counter()
        self.answers: 'Counter[str]' = Counter()

    def close(self) -> Optional[str]:
        for actor in self.others.values():
            actor.close()
        complaint = self.ours.close()
        self.stage.close()
        return complaint

    def run(self, case: cases.Case) -> Optional[str]:
        self.stage.put(case.tree)
        ours = self._outcome(self.ours, case)
        self.answers.update(f'{case.name}: {"error" if b"error" in line[:10] else "return"}'
                            for line in ours[0])
        for release, actor in self.others.items():
            problem = self._compared(release, case, self._outcome(actor, case), ours)
            if problem:
                return problem
        return None

    def _outcome(self, actor: Actor, case: cases.Case) -> Outcome:
        answers = [actor.ask(request) for request in case.requests]
        texts = self.stage.texts(case.tree)
        self.stage.restore(case.tree)
        return answers, texts

    def _compared(self, release: str, case: cases.Case, theirs: Outcome,
                  ours: Outcome) -> Optional[str]:
        for request, left, right in zip(case.requests, theirs[0], ours[0]):
            if left == right:
                continue
            name = rules.covering(release, request, left, right)
            if name is None:
                return '\n'.join((request.decode(), *(f'  {path}: {content!r:.300}' for
                                                      path, content in case.tree.items()),
                                  f'  {release:<4} {left!r:.1500}', f'  ours {right!r:.1500}'))
            self.uses[f'{release}: {name}'] += 1
        if theirs[1] != ours[1]:
            return f'{release} has written {theirs[1]}, we {ours[1]}'
        return None


def arguments() -> argparse.Namespace:
    options = suite.parser(__doc__)
    options.add_argument('--seed', type=int, default=secrets.randbelow(1 << 32))
    options.add_argument('--cases', type=int, help=f'trees (default {USUAL})')
    options.add_argument('--full', action='store_true', help=f'{FULL} trees')
    options.add_argument('--against', default=','.join(oracle.VERSIONS), help='default %(default)s')
    options.add_argument('--only', type=int, help='this case alone')
    return options.parse_args()


def can_unshare() -> bool:
    if os.geteuid() != 0 or not shutil.which('ip'):
        return False
    return subprocess.run(['unshare', '--mount', '--net', 'true'], check=False,
                          capture_output=True).returncode == 0


def run_trees(test: Test, report: suite.Suite, seed: int, numbers: range) -> None:
    for number in numbers:
        case = cases.make(seed, number)
        if case:
            report.judge(f'case {number} ({case.name})', test.run(case))
        if report.failed >= SHOWN:
            print('stopped: too many differences')
            return


def main() -> int:
    chosen = arguments()
    if not can_unshare():
        suite.skip('namespaces need root, unshare and ip')
    program = suite.program(chosen.agent)
    others = {release: suite.oracle_or_skip(release) for release in chosen.against.split(',')}
    total = chosen.cases or (FULL if chosen.full else USUAL)
    numbers = range(total) if chosen.only is None else range(chosen.only, chosen.only + 1)
    print(f'{len(numbers)} trees, --seed {chosen.seed}', flush=True)

    report = suite.Suite()
    test = Test(program, others)
    try:
        run_trees(test, report, chosen.seed, numbers)
    finally:
        report.judge('the end of the agent', test.close())
    for name, count in sorted((test.answers + test.uses).items()):
        print(f'  {name}: {count}')
    if chosen.only is None:
        slow.run(report, program)
        networks.run(report, program, others, chosen.seed,
                     FULL_NETWORKS if chosen.full else USUAL_NETWORKS)
    return report.finish()


if __name__ == '__main__':
    sys.exit(main())
