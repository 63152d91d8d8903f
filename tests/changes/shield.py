#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts a program where nothing of this machine can be changed: shield.py WORLD PROGRAM [WORD...]

It is for agents that are told to switch the machine off, to set its clock or its passwords. In a
mount namespace of their own, the folders of WORLD stand in the place of those of the system, also
of every folder with programs, and the kernel refuses them the clock and the power. Nothing is
started unless all of that is seen to be so.
"""
import ctypes
import os
import sys
from pathlib import Path
from typing import Dict

PROGRAMS = ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin']
OTHERS = ['/etc', '/home', '/run', '/sys']
# What stands in their places: all of these are in a WORLD.
FOLDERS = ['bin', 'sbin', 'local', 'etc', 'home', 'run', 'sys']

CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_CAPBSET_DROP = 24
CAPABILITIES = {'CAP_SYS_BOOT': 22, 'CAP_SYS_TIME': 25}

LIBC = ctypes.CDLL(None, use_errno=True)


def places(world: Path) -> Dict[str, Path]:
    """What stands where; links like /bin -> usr/bin are followed."""
    found = {os.path.realpath(path): world / path[1:] for path in OTHERS}
    for path in PROGRAMS:
        if os.path.isdir(path):
            found[os.path.realpath(path)] = world / ('local' if 'local' in path
                                                     else os.path.basename(path))
    return found


def check(result: int, what: str) -> None:
    if result:
        sys.exit(f'{what}: {os.strerror(ctypes.get_errno())}')


def mount(source: str, target: str, flags: int) -> None:
    check(LIBC.mount(source.encode(), target.encode(), None, ctypes.c_ulong(flags), None),
          f'mount {target}')


def enter(world: Path) -> None:
    check(LIBC.unshare(CLONE_NEWNS), 'unshare')
    mount('none', '/', MS_REC | MS_PRIVATE)
    for target, source in places(world).items():
        mount(str(source), target, MS_BIND)
    for name, number in CAPABILITIES.items():
        check(LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0), name)


def verify(world: Path, outside: str) -> None:
    if os.readlink('/proc/self/ns/mnt') == outside:
        sys.exit('not in a mount namespace of its own')
    for target, source in places(world).items():
        if not os.path.samefile(target, source):
            sys.exit(f'{target} is still that of the machine')
    for path in PROGRAMS:
        if os.path.isdir(path) and os.path.realpath(path) not in places(world):
            sys.exit(f'{path} is reachable')
    status = Path('/proc/self/status').read_text(encoding='ascii')
    bounding = int(status.split('CapBnd:')[1].split()[0], 16)
    for name, number in CAPABILITIES.items():
        if bounding & 1 << number:
            sys.exit(f'{name} is still there')


def main() -> None:
    world = Path(sys.argv[1]).resolve()
    outside = os.readlink('/proc/self/ns/mnt')
    folder = os.getcwd()
    enter(world)
    verify(world, outside)
    os.chdir(folder)
    os.environ['PATH'] = ':'.join(PROGRAMS)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == '__main__':
    main()
