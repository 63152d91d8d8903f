#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients and the system may do to the agent, and what that may cost.

Every check is a function of the modules named below; its name says what ought to be true.
"""
import argparse
import sys
import time
from pathlib import Path
from typing import Callable, List, Optional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import clients
import daemon
import limits
import logs
import memory
import sessions
import starts
import vsock
from check import Check, Skip, TooCostly
from lib import suite

MODULES = [clients, memory, limits, sessions, daemon, starts, logs, vsock]


def problem_of(function: Callable[[Check], None], check: Check) -> Optional[str]:
    try:
        function(check)
    except Skip:
        raise
    except TooCostly as error:
        if check.costs_count:
            return str(error)
    except Exception as error:          # one broken check must not end the others
        return f'{type(error).__name__}: {error}' if str(error) else repr(error)
    finally:
        check.close()
    return check.complaint()


def arguments() -> argparse.Namespace:
    options = suite.parser(__doc__)
    options.add_argument('--match', default='', help='only checks whose name contains this')
    options.add_argument('--full', action='store_true', help='longer and larger')
    options.add_argument('--sanitized', action='store_true',
                         help='the agent is slow and large: bounds of memory and time do not count')
    options.add_argument('--list', action='store_true', help='only show the names')
    options.add_argument('--times', action='store_true', help='show how long each check took')
    return options.parse_args()


def main() -> int:
    chosen = arguments()
    checks: List[Callable[[Check], None]] = [
        function for module in MODULES for function in module.CHECKS
        if chosen.match in function.__name__]
    if chosen.list:
        print('\n'.join(function.__name__ for function in checks))
        return 0
    program = suite.program(chosen.agent)
    report = suite.Suite()
    for function in checks:
        started = time.monotonic()
        try:
            report.judge(function.__name__, problem_of(
                function, Check(program, chosen.full, not chosen.sanitized)))
        except Skip as reason:
            print(f'{function.__name__}: not run, {reason}')
        if chosen.times:
            print(f'{time.monotonic() - started:6.1f} s {function.__name__}', flush=True)
    return report.finish()


if __name__ == '__main__':
    sys.exit(main())
