# SPDX-License-Identifier: GPL-2.0-or-later
"""Every difference between our agent and qemu-ga that the script shows to a client of libvirt.

A difference that no row explains fails the suite, and so does a row that explains none.
"""
from typing import List

from conversation import Difference

UNAVAILABLE = r'Guest agent not available for now'
FAILED_THAW = r'file systems were thawed before this command'
HUNG = 'lists a file system whose server hangs'
DEADLINE = 'thaws at its deadline'
LATE = 'fails a snapshot slower than its deadline'
KILLED = 'thaws at its deadline though it was killed'
STATUS = 'guest-fsfreeze-status'
FROZEN, THAWED = '^{"return":"frozen"}$', '^{"return":"thawed"}$'

DIFFERENCES: List[Difference] = [
    Difference(
        HUNG, '^domfsinfo', '/mnt/ntfs', UNAVAILABLE,
        'a file system that does not answer costs its own sizes, not the whole answer'),
    Difference(
        HUNG, '^domhostname', '^guest$', 'no hostname found',
        'nor does it keep the agent from answering other commands'),
    Difference(
        DEADLINE, STATUS, THAWED, FROZEN,
        'fsfreeze-deadline-ms is ours: nobody thawed, so the guardian did'),
    Difference(
        DEADLINE, '^domfsthaw', FAILED_THAW, 'Thawed 3',
        'the client learns that its freeze did not last until its thaw'),
    Difference(
        LATE, '^snapshot-create-as', FAILED_THAW, 'snapshot late created',
        'a snapshot taken after the deadline is not reported as good; qemu-ga would have kept the '
        'guest frozen for as long as it takes'),
    Difference(
        KILLED, STATUS, THAWED, FROZEN,
        'the guardian outlives the agent, and the marker went with the freeze'),
    Difference(
        KILLED, '^domfsthaw', FAILED_THAW, 'Thawed 0',
        'the next agent tells the client of the freeze that was cut short'),
]
