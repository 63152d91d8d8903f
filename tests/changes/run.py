#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What changes the guest (power, clock, passwords, SSH keys), where it cannot be compared with
qemu-ga: compare.py does that.

Every check is a function of the modules named below; its name says what ought to be true.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import programs
import ssh_keys
from lib import check, suite
from stage import Stage

MODULES = [programs, ssh_keys]


def main() -> int:
    options = check.parser(__doc__)
    options.add_argument('--stub', type=Path, default=suite.ROOT / 'build/tests/changes/stub',
                         help='what stands for programs of the system (default: %(default)s)')
    chosen = options.parse_args()
    program = suite.program(chosen.agent)
    return check.run_all(MODULES, chosen, lambda: Stage(program, chosen.stub))


if __name__ == '__main__':
    sys.exit(main())
