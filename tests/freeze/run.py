#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Freezes and thaws real file systems: what is told, what is held, and what nothing may prevent.

Needs root; everything is frozen on a stage of its own (tests/lib/stage.py), never here.
"""
import argparse
import functools
import sys
from pathlib import Path
from typing import List, Optional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import adverse
import client
import deadline
import order
import ordinary
import quiesce
import snapshots
import upstream as as_upstream
from lib import check, oracle, stage, suite
from scene import Scene

MODULES = [ordinary, deadline, order, adverse, quiesce, client, snapshots, as_upstream]
KINDS = ('ext4', 'xfs', 'btrfs')


def upstream() -> Optional[List[str]]:
    try:
        return oracle.program('11.1')
    except oracle.Unavailable:
        return None


def main() -> int:
    options = check.parser(__doc__)
    options.add_argument('--full', action='store_true', help='more snapshots')
    chosen: argparse.Namespace = options.parse_args()
    if chosen.list:
        return check.run_all(MODULES, chosen, object)
    program, other = suite.program(chosen.agent), upstream()
    return stage.perform(KINDS, lambda there: check.run_all(
        MODULES, chosen, functools.partial(Scene, there, program, other, chosen.full)))


if __name__ == '__main__':
    sys.exit(main())
