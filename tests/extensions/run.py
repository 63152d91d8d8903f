#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The novacron-* commands as clients use them.

Every check is a function of the modules named below; its name says what ought to be true.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import agent
import authority
import events
import files
import programs
from lib import check, suite

MODULES = [agent, authority, events, programs, files]


def main() -> int:
    options = check.parser(__doc__)
    options.add_argument('--full', action='store_true', help='longer and larger')
    options.add_argument('--sanitized', action='store_true', help='bounds of time do not count')
    chosen = options.parse_args()
    program = suite.program(chosen.agent)
    return check.run_all(MODULES, chosen,
                         lambda: check.Check(program, chosen.full, not chosen.sanitized))


if __name__ == '__main__':
    sys.exit(main())
