#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The freeze hooks, with real database servers where Debian has them and stand-ins where not.

Every check is a function of the modules named below; its name says what ought to be true.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import dispatcher
import mariadb
import postgresql
import redis
import standins
from bench import Bench
from lib import check

MODULES = [dispatcher, postgresql, mariadb, redis, standins]


def main() -> int:
    chosen = check.parser(__doc__).parse_args()
    with Bench(chosen.agent) as bench:
        return check.run_all(MODULES, chosen, lambda: bench)


if __name__ == '__main__':
    sys.exit(main())
