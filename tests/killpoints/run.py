#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills the agent, or its guardian, at every system call of a freeze.

Needs root; everything is frozen on a stage of its own (tests/lib/stage.py), never here.
"""
import argparse
import functools
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Sequence

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from campaign import Depth, campaign
from freeze import KINDS, SCRIPTS, FreezeScenario, Script, World
from lib import stage, suite

LANES = 3       # most of a run is waiting for a deadline


def arguments() -> argparse.Namespace:
    options = suite.parser(__doc__)
    options.add_argument('--match', default='', help='only scenarios whose name contains this')
    options.add_argument('--seed', type=int, default=1, help='of the sample')
    options.add_argument('--seconds', type=float, default=70, help='how long to sample')
    options.add_argument('--full', action='store_true', help='all points')
    options.add_argument('--point', default='', help='only points whose name is this')
    options.add_argument('--list', action='store_true', help='only show the names')
    options.add_argument('--lane', type=int, help=argparse.SUPPRESS)
    return options.parse_args()


def play(chosen: argparse.Namespace, scripts: Sequence[Script], there: stage.Stage) -> int:
    report = suite.Suite()
    world = World(there, suite.program(chosen.agent))
    try:
        for script in scripts:
            seconds = None if chosen.full else chosen.seconds / len(scripts)
            depth = Depth(chosen.seed, seconds, chosen.point)
            campaign(FreezeScenario(world, script), depth, there.folder, report)
    finally:
        world.close()
    print(f'deadline {world.deadline * 1000:.0f} ms; the latest thaw came '
          f'{world.worst_overrun * 1000:+.1f} ms after it, beyond how late a timer beside it was')
    return report.finish()


def in_lanes(lanes: int) -> int:
    """This program once for every lane; the sum of what they say, as they say it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    processes = [subprocess.Popen([sys.executable, __file__, *sys.argv[1:], '--lane', str(lane)],
                                  stdout=subprocess.PIPE, text=True) for lane in range(lanes)]
    report = suite.Suite()
    try:
        for process in processes:
            for line in process.stdout:
                counts = re.match(r'(\d+) passed, (\d+) failed', line)
                if counts:
                    report.passed += int(counts[1])
                    report.failed += int(counts[2])
                else:
                    print(line, end='', flush=True)
        status = max(abs(process.wait()) for process in processes)
    finally:
        for process in processes:
            process.terminate()
    return report.finish() or status


def main() -> int:
    chosen = arguments()
    scripts = [script for script in SCRIPTS if chosen.match in script.name]
    if chosen.list:
        print('\n'.join(script.name for script in scripts))
        return 0
    lanes = min(LANES, len(scripts))
    if chosen.lane is None and lanes > 1:
        return in_lanes(lanes)
    return stage.perform(KINDS, functools.partial(play, chosen,
                                                  scripts[chosen.lane or 0::max(1, lanes)]))


if __name__ == '__main__':
    sys.exit(main())
