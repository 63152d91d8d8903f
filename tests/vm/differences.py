# SPDX-License-Identifier: GPL-2.0-or-later
"""Every difference between our agent and qemu-ga that the script shows to a client of libvirt.

A difference that no row explains fails the suite, and so does a row that explains none.
"""
from typing import List

from conversation import Difference

HUNG = '^lists a file system whose server hangs$'
DEADLINE = '^thaws at its deadline$'
LATE = '^fails a snapshot slower than its deadline$'
KILLED = '^thaws at its deadline though it was killed$'
STATUS = 'guest-fsfreeze-status'
HOOK = 'the hook'
THAWED, FROZEN = '"thawed"', '"frozen"'
# whole answers
LIST = r'(?s).+/mnt/ntfs +vdd +fuseblk +vdd$'
NO_LIST = ('error: Unable to get filesystem information\n'
           'error: Guest agent is not responding: Guest agent not available for now\n[status 1]')
NO_NAME = ('error: failed to get hostname\n'
           'error: no hostname found: no hostname found for domain guest\n[status 1]')
FAILED_THAW = r'(?s).+file systems were thawed before this command.+\n\[status 1\]$'

DIFFERENCES: List[Difference] = [
    Difference(
        '^(connects|freezes and thaws)$', 'guest-info',
        r'\{"enabled":\w+,"name":"novacron-[a-z-]+","success-response":\w+\},', '',
        'a build with extensions lists their commands too', is_always_there=False),
    Difference(
        HUNG, '^domfsinfo', LIST, NO_LIST,
        'a file system that does not answer costs its own sizes, not the whole answer'),
    Difference(
        HUNG, '^domhostname', '^guest$', NO_NAME,
        'nor does it keep the agent from answering other commands'),
    Difference(
        DEADLINE, STATUS, THAWED, FROZEN,
        'fsfreeze-deadline-ms is ours: nobody thawed, so the guardian did'),
    Difference(
        '^freezes one mount point$', HOOK, ' thaw$', '',
        'the hook is told to thaw if nothing was frozen: the client will not ask for it'),
    Difference(
        DEADLINE, HOOK, '^freeze thaw$', 'freeze',
        'at the deadline the hook is told, too'),
    Difference(
        KILLED, HOOK, '^thaw$', '',
        'the next agent tells the hook of the freeze that was cut short'),
    Difference(
        DEADLINE, '^domfsthaw', FAILED_THAW, 'Thawed 3 filesystem(s)',
        'the client learns that its freeze did not last until its thaw'),
    Difference(
        LATE, '^snapshot-create-as', FAILED_THAW, 'Domain snapshot late created',
        'a snapshot taken after the deadline is not reported as good; qemu-ga would have kept the '
        'guest frozen for as long as it takes'),
    Difference(
        KILLED, STATUS, THAWED, FROZEN,
        'the guardian outlives the agent, and the marker went with the freeze'),
    Difference(
        KILLED, '^domfsthaw', FAILED_THAW, 'Thawed 0 filesystem(s)',
        'the next agent tells the client of the freeze that was cut short'),
]
