#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent as its clients use it: Ansible, Proxmox, KubeVirt, VDSM, and what libvirt and others
expect of any answer.

Every check is a function of the modules named below; its name says what ought to be true.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE),
                str(HERE.parent / 'changes'), str(HERE.parent / 'behaviour')]

import ansible
import bench
import kubevirt
import proxmox
import shapes
import vdsm
from lib import check, suite

MODULES = [shapes, ansible, proxmox, kubevirt, vdsm]


def main() -> int:
    options = check.parser(__doc__)
    options.add_argument('--full', action='store_true', help='poll longer')
    options.add_argument('--sanitized', action='store_true',
                         help='the agent is slow and large: bounds of memory and time do not count')
    options.add_argument('--stub', type=Path, default=suite.ROOT / 'build/tests/changes/stub',
                         help='what stands for programs of the system (default: %(default)s)')
    chosen = options.parse_args()
    program = suite.program(chosen.agent)
    return check.run_all(MODULES, chosen, lambda: bench.Bench(
        program, chosen.full, not chosen.sanitized, chosen.stub))


if __name__ == '__main__':
    sys.exit(main())
