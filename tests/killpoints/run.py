#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills the agent, or its guardian, at every system call of a freeze.

Needs root; everything is frozen on a stage of its own (tests/lib/stage.py), never here.
"""
import argparse
import functools
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from campaign import Depth, campaign
from freeze import KINDS, SCRIPTS, FreezeScenario, World
from lib import stage, suite


def arguments() -> argparse.Namespace:
    options = suite.parser(__doc__)
    options.add_argument('--match', default='', help='only scenarios whose name contains this')
    options.add_argument('--seed', type=int, default=1, help='of the sample')
    options.add_argument('--seconds', type=float, default=70, help='how long to sample')
    options.add_argument('--full', action='store_true', help='all points')
    options.add_argument('--point', default='', help='only points whose name is this')
    options.add_argument('--list', action='store_true', help='only show the names')
    return options.parse_args()


def play(chosen: argparse.Namespace, program: 'list[str]', there: stage.Stage) -> int:
    report = suite.Suite()
    scripts = [script for script in SCRIPTS if chosen.match in script.name]
    world = World(there, program)
    try:
        for script in scripts:
            seconds = None if chosen.full else chosen.seconds / len(scripts)
            depth = Depth(chosen.seed, seconds, chosen.point)
            campaign(FreezeScenario(world, script), depth, there.folder, report)
    finally:
        world.close()
    print(f'deadline {world.deadline * 1000:.0f} ms; frozen past it at most '
          f'{world.worst_overrun * 1000:.1f} ms beyond a timer beside it')
    return report.finish()


def main() -> int:
    chosen = arguments()
    if chosen.list:
        print('\n'.join(script.name for script in SCRIPTS))
        return 0
    program = suite.program(chosen.agent)
    return stage.perform(KINDS, functools.partial(play, chosen, program))


if __name__ == '__main__':
    sys.exit(main())
