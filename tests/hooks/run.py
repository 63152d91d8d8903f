#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The freeze hooks, with real database servers where Debian has them and stand-ins where not.

Every check is a function of the modules named below; its name says what ought to be true.
"""
import argparse
import sys
import time
from pathlib import Path
from typing import Callable, List, Optional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import dispatcher
import mariadb
import postgresql
import redis
import standins
from bench import Bench, Skip
from lib import suite

MODULES = [dispatcher, postgresql, mariadb, redis, standins]


def problem_of(function: Callable[[Bench], None], bench: Bench) -> Optional[str]:
    try:
        function(bench)
    except Skip:
        raise
    except Exception as error:          # one broken check must not end the others
        return f'{type(error).__name__}: {error}' if str(error) else repr(error)
    finally:
        bench.tidy_up()
    return None


def arguments() -> argparse.Namespace:
    options = suite.parser(__doc__)
    options.add_argument('--match', default='', help='only checks whose name contains this')
    options.add_argument('--list', action='store_true', help='only show the names')
    options.add_argument('--times', action='store_true', help='show how long each check took')
    return options.parse_args()


def main() -> int:
    chosen = arguments()
    checks: List[Callable[[Bench], None]] = [
        function for module in MODULES for function in module.CHECKS
        if chosen.match in function.__name__]
    if chosen.list:
        print('\n'.join(function.__name__ for function in checks))
        return 0
    report = suite.Suite()
    with Bench(chosen.agent) as bench:
        for function in checks:
            started = time.monotonic()
            try:
                report.judge(function.__name__, problem_of(function, bench))
            except Skip as reason:
                print(f'{function.__name__}: not run, {reason}')
            if chosen.times:
                print(f'{time.monotonic() - started:6.1f} s {function.__name__}', flush=True)
    return report.finish()


if __name__ == '__main__':
    sys.exit(main())
