#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Differential test: the same generated requests to the agent and to real qemu-ga binaries.

Answers must be byte-equal to those of 11.1, and to those of 10.0 and 7.2 apart from the reviewed
differences in rules.py. A difference is shown with the fewest requests that still make it.
"""
import argparse
import re
import secrets
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import generate
import rules
import talk
from generate import Batch, Item
from lib import oracle, suite

EXACT = '11.1'
USUAL, FULL = 20_000, 500_000
MINIMISE_TIMEOUT = 60.0
SHOWN = 20
HANDLE = re.compile(rb'(handle["\']\s*:\s*)(1\d{3})')
VALUE = re.compile(rb'[-\d.]+|"id": .*?(?=, "error"|\}$)|"[\w+/]*=*"(?!:)')
Lines = List[bytes]


class Pair(NamedTuple):
    """Two answers that no rule makes equal; None: there is none."""
    theirs: Optional[bytes]
    ours: Optional[bytes]


class Comparison:
    """With one release; counts the rules that were needed."""

    def __init__(self, release: str):
        self.release = release
        self.uses: 'Counter[str]' = Counter()

    def first_difference(self, theirs: Lines, ours: Lines) -> Optional[Pair]:
        if self.release == EXACT:
            return self._in_group(theirs, ours)
        for left, right in zip_longest(groups(theirs), groups(ours), fillvalue=[]):
            before = self.uses.copy()
            different = self._in_group(left, right)
            if different:
                name = rules.covering_parse_errors(self.release, left, right)
                if name is None:
                    return different
                self.uses = before
                self.uses[name] += 1
        return None

    def _in_group(self, theirs: Lines, ours: Lines) -> Optional[Pair]:
        for left, right in zip_longest(theirs, ours):
            if left is None or right is None:
                return Pair(left, right)
            left, right = rules.masked(left), rules.masked(right)
            if left == right:
                continue
            names = rules.covering(self.release, left, right)
            if not names:
                return Pair(left, right)
            self.uses.update(names)
        return None


def groups(lines: Lines) -> List[Lines]:
    """The answers between marks: the same requests made them, however an agent recovers."""
    found: List[Lines] = [[]]
    for line in lines:
        found[-1].append(line)
        if talk.is_mark(line):
            found.append([])
    return found


def without(batch: Batch, start: int, length: int) -> Iterator[Batch]:
    """The batch without a run of requests, later handles lowered by the opens that went, or not."""
    before, after = batch.items[:start], batch.items[start + length:]
    opens = sum(b'guest-file-open' in item.data for item in batch.items[start:start + length])
    for lowered in range(min(opens, 3), -1, -1):
        def lower(found: 're.Match[bytes]') -> bytes:
            return found[1] + b'%d' % (int(found[2]) - lowered)
        yield replace(batch, items=before + tuple(
            item._replace(data=HANDLE.sub(lower, item.data)) for item in after))


def minimised(batch: Batch, differs: Callable[[Batch], bool]) -> Batch:
    """Drop requests, in ever smaller runs, while the rest still differs."""
    deadline = time.monotonic() + MINIMISE_TIMEOUT
    if differs(replace(batch, packet=0)):
        batch = replace(batch, packet=0)
    length = len(batch.items) // 2
    while length and time.monotonic() < deadline:
        start, size = 0, len(batch.items)
        while start < len(batch.items) and time.monotonic() < deadline:
            fewer = next(filter(differs, without(batch, start, length)), None)
            batch = fewer or batch
            start += 0 if fewer else length
        if length > 1 or len(batch.items) == size:
            length //= 2
    return batch


class Test:
    def __init__(self, program: Sequence[str], others: Dict[str, List[str]]):
        self.program = program
        self.others = others
        self.uses: Dict[str, 'Counter[str]'] = {release: Counter() for release in others}
        self.seen: Dict[bytes, str] = {}

    def run(self, batch: Batch) -> List[Tuple[str, Optional[str]]]:
        """(release, what is wrong) for every release that understands such a batch."""
        ours = talk.answers(self.program, batch)
        found: List[Tuple[str, Optional[str]]] = []
        for release in self.others:
            if not batch.is_aligned and release != EXACT:
                continue
            comparison = Comparison(release)
            pair = comparison.first_difference(talk.answers(self.others[release], batch), ours)
            if pair is None:
                self.uses[release] += comparison.uses
                found.append((release, None))
            else:
                found.append((release, self._described(release, batch, pair)))
        return found

    def _described(self, release: str, batch: Batch, pair: Pair) -> str:
        """Every kind of difference is explained once."""
        kind = kind_of(pair.theirs) + kind_of(pair.ours)
        if kind in self.seen:
            return f'as {self.seen[kind]}: {clipped(pair.theirs)} {clipped(pair.ours)}'
        self.seen[kind] = f'against {release} before'
        small = minimised(batch, lambda fewer: self._difference(release, fewer) is not None)
        return described(small, self._difference(release, small), release)

    def _difference(self, release: str, batch: Batch) -> Optional[Pair]:
        return Comparison(release).first_difference(
            talk.answers(self.others[release], batch), talk.answers(self.program, batch))


def kind_of(line: Optional[bytes]) -> bytes:
    """What is left of an answer without the values in it."""
    return VALUE.sub(b'', line or b'')


def clipped(data: Optional[bytes]) -> str:
    if data is None:
        return 'nothing'
    return repr(data) if len(data) < 400 else f'{data[:200]!r} ... {data[-200:]!r}'


def described(batch: Batch, pair: Optional[Pair], release: str) -> str:
    if pair is None:
        return 'differed once, not again'
    lines = [f"options {' '.join(batch.arguments[2:]) or 'none'}, packets of {batch.packet}"]
    lines += [f'  sent {clipped(item.data)}' for item in batch.items]
    lines += [f'  {release:<4} {clipped(pair.theirs)}', f'  ours {clipped(pair.ours)}']
    return '\n'.join(lines)


def arguments() -> argparse.Namespace:
    options = suite.parser(__doc__)
    options.add_argument('--seed', type=int, default=secrets.randbelow(1 << 32))
    options.add_argument('--requests', type=int, default=USUAL)
    options.add_argument('--full', action='store_true', help=f'{FULL} requests')
    options.add_argument('--against', default=','.join(oracle.VERSIONS), help='default %(default)s')
    options.add_argument('--all-commands', action='store_true',
                         help='also ask for commands that would change the machine; blocked')
    options.add_argument('--jobs', type=int, default=2)
    return options.parse_args()


def main() -> int:
    chosen = arguments()
    test = Test(suite.program(chosen.agent),
                {release: suite.oracle_or_skip(release) for release in chosen.against.split(',')})
    total = FULL if chosen.full else chosen.requests
    print(f'{total} requests, --seed {chosen.seed}', flush=True)
    report = suite.Suite()
    batches = generate.batches(chosen.seed, total, chosen.all_commands)
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for number, results in enumerate(pool.map(test.run, batches)):
            for release, problem in results:
                report.judge(f'batch {number} against {release}', problem)
            if report.failed >= SHOWN:
                pool.shutdown(cancel_futures=True)
                print('stopped: too many differences')
                break
    for release, uses in test.uses.items():
        for name, count in sorted(uses.items()):
            print(f'  {release}: {name}: {count}')
    return report.finish()


if __name__ == '__main__':
    sys.exit(main())
