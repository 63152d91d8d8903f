#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a freeze makes writers wait: ours and qemu-ga's, side by side

    tests/bench/stall.py                 root; the agent of build/, qemu-ga as tests/lib fetches it
    tests/bench/stall.py --rounds 3 --dirty 16

Ten file systems (ext4, xfs, btrfs) are written to at a steady pace, so that each has data that is
not on its disk yet. Then everything is frozen and thawed at once, by each agent in turn. What a
writer's longest write took, from the request to freeze until all is thawed, is the stall that it
has seen. Nothing is asserted: it depends on the disks, which are images in memory unless --images
names a folder, and on what else the machine does. All of it happens on a stage of its own
(tests/lib/stage.py).
"""
import argparse
import functools
import statistics
import sys
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from bench import ROOT, describe_agent, number, print_table, qemu_ga_command
from lib import stage, suite
from lib.agent import Agent
from lib.connection import Connection
from lib.process import wait_until
from lib.stage import MIB
from lib.witness import PERIOD, Witness

KINDS = ('ext4', 'ext4', 'xfs', 'ext4', 'ext4', 'btrfs', 'ext4', 'ext4', 'xfs', 'ext4')
BLOCK = 64 << 10
ROOM = 160          # MiB for what a file system wants for itself; btrfs never overwrites
SETTLE = 5.0        # for writers to go on after a thaw, at most
GUARDED = '[novacron]\nfsfreeze-deadline-ms=600000\n'


class Cycle(NamedTuple):
    """One freeze and its thaw; seconds."""
    stalls: List[float]     # of each writer
    freeze: float           # from the request to its answer
    thaw: float


class Contestant:
    """An agent, running, with a client."""

    def __init__(self, name: str, program: Sequence[str], configuration: str = ''):
        self.name = name
        self.cycles: List[Cycle] = []
        self.agent = Agent(program)
        (self.agent.folder / 'conf').write_text(configuration)
        self.agent.arguments = ['-c', str(self.agent.folder / 'conf')]
        self.client: Connection = self.agent.start().connect()

    def run(self, there: stage.Stage, writers: Sequence[Witness]) -> Cycle:
        there.forbid_others(self.agent.pid)
        mounts = [there.inside(mount) for mount in there.mounts]
        asked = time.monotonic()
        count = self.client.call('guest-fsfreeze-freeze-list', mountpoints=mounts)
        frozen = time.monotonic()
        thawed = self.client.call('guest-fsfreeze-thaw')
        answered = time.monotonic()
        if (count, thawed) != (len(mounts), len(mounts)):
            raise RuntimeError(f'{self.name} froze {count}, thawed {thawed} of {len(mounts)}')
        if not wait_until(lambda: max(longest(writer, asked) for writer in writers) < SETTLE):
            raise RuntimeError(f'{self.name} leaves a writer waiting')
        return Cycle([longest(writer, asked) for writer in writers], frozen - asked,
                     answered - frozen)

    def close(self) -> None:
        self.client.close()
        self.agent.__exit__()


def longest(writer: Witness, since: float) -> float:
    return max((delay.end - delay.start for delay in writer.since(since)), default=0.0)


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


MEASURES = {
    'stall seen by a writer, median, ms':
        lambda cycles: statistics.median(sum((cycle.stalls for cycle in cycles), [])),
    'stall seen by a writer, 99th percentile, ms':
        lambda cycles: percentile(sum((cycle.stalls for cycle in cycles), []), 0.99),
    'stall of the slowest writer, median, ms':
        lambda cycles: statistics.median(max(cycle.stalls) for cycle in cycles),
    'guest-fsfreeze-freeze-list, median, ms':
        lambda cycles: statistics.median(cycle.freeze for cycle in cycles),
    'guest-fsfreeze-thaw, median, ms':
        lambda cycles: statistics.median(cycle.thaw for cycle in cycles),
}


def report(contestants: Sequence[Contestant]) -> None:
    ours, others = contestants[0], contestants[1:]
    lines = [['', *(contestant.name for contestant in contestants),
              *(f'/ {contestant.name}' for contestant in others)]]
    for title, measure in MEASURES.items():
        values = [measure(contestant.cycles) for contestant in contestants]
        ratios = [values[0] / value if value else None for value in values[1:]]
        lines.append([title, *(number(value * 1000) for value in values), *map(number, ratios)])
    print_table(lines)
    print(f'\n{len(ours.cycles)} rounds, {len(KINDS)} file systems')


def play(chosen: argparse.Namespace, programs: Dict[str, List[str]], there: stage.Stage) -> int:
    writers = [Witness(there.folder / f'writer-{mount.name}', mount, BLOCK, chosen.dirty * MIB)
               for mount in there.mounts]
    contestants = [Contestant(name, there.confine(program), GUARDED if 'guarded' in name else '')
                   for name, program in programs.items()]
    try:
        for current in range(chosen.rounds + 1):
            for contestant in contestants:
                time.sleep(chosen.dirty * MIB / BLOCK * PERIOD)
                cycle = contestant.run(there, writers)
                if current:             # the first one is to warm up
                    contestant.cycles.append(cycle)
    finally:
        for closed in (*contestants, *writers):
            closed.close()
    report(contestants)
    return 0


def arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or '').partition('\n')[0])
    options.add_argument('--agent', default=str(ROOT / 'build/qga-compat/qemu-ga'),
                         help='ours, a command line (default: %(default)s)')
    options.add_argument('--rounds', type=int, default=15, help='beside the warm-up (default: 15)')
    options.add_argument('--dirty', type=int, default=32, metavar='MIB',
                         help='written to each file system before a freeze (default: 32)')
    options.add_argument('--images', type=Path, metavar='FOLDER',
                         help='where the images lie (default: in memory)')
    return options.parse_args()


def main() -> int:
    chosen = arguments()
    ours = suite.program(chosen.agent)
    programs = {'ours': ours, 'ours, guarded': ours,
                **{f'qemu-ga {version}': program for version in ('10.0', '11.1')
                   if (program := qemu_ga_command(None, version))}}
    for name, program in programs.items():
        print(f'{name}: {describe_agent(program)}')
    return stage.perform(KINDS, functools.partial(play, chosen, programs),
                         ROOM + 4 * chosen.dirty, chosen.images)


if __name__ == '__main__':
    sys.exit(main())
