# SPDX-License-Identifier: GPL-2.0-or-later
"""What each novacron-* command may be blocked by, written by a person who has thought of what it
does: the schemas, which the agent follows, are held against it.

A new command goes into READS or CHANGES with the commands of qemu-ga that let a client do the same
or part of it: whoever blocks one of them does not want this one either. Into WHILE_FROZEN go those
that end or watch a freeze, and write nothing.
"""
from typing import Dict, FrozenSet

NOTHING: FrozenSet[str] = frozenset()       # qemu-ga has nothing like it
EXEC = frozenset({'guest-exec'})
EXEC_OUTPUT = EXEC | {'guest-exec-status'}
FILE_OPEN = frozenset({'guest-file-open'})
FILE_READ = FILE_OPEN | {'guest-file-read'}
FILE_WRITE = FILE_OPEN | {'guest-file-write'}
FREEZE = frozenset({'guest-fsfreeze-freeze'})
FREEZE_STATUS = frozenset({'guest-fsfreeze-status'})

READS: Dict[str, FrozenSet[str]] = {
    'novacron-capabilities': NOTHING,
    'novacron-event-read': NOTHING,
    'novacron-exec-list': EXEC_OUTPUT,      # command lines, and how programs ended
    'novacron-exec-read': EXEC_OUTPUT,
    'novacron-file-digest': FILE_READ,
    'novacron-file-list': FILE_READ,        # a folder's content
    'novacron-file-read': FILE_READ,
    'novacron-file-stat': FILE_OPEN,        # what a failed open tells, and more
    'novacron-file-upload-status': FILE_OPEN,
    'novacron-health': NOTHING,
    'novacron-info': NOTHING,
    # Jobs are those of other commands, which were asked for where these are allowed.
    'novacron-job-cancel': NOTHING,
    'novacron-job-dismiss': NOTHING,
    'novacron-job-query': NOTHING,
    'novacron-job-result': NOTHING,
    'novacron-job-wait': NOTHING,
    'novacron-quiesce-apps': FREEZE_STATUS,
    'novacron-quiesce-manifest': FREEZE_STATUS,
    'novacron-quiesce-status': FREEZE_STATUS,
}

CHANGES: Dict[str, FrozenSet[str]] = {
    'novacron-exec-close': EXEC,
    'novacron-exec-resize': EXEC,
    'novacron-exec-signal': EXEC,
    'novacron-exec-start': EXEC,
    'novacron-exec-write': EXEC,
    'novacron-file-link': FILE_WRITE,
    'novacron-file-mkdir': FILE_WRITE,
    'novacron-file-mode': FILE_WRITE,
    'novacron-file-owner': FILE_WRITE,
    'novacron-file-remove': FILE_WRITE,
    'novacron-file-remove-tree': FILE_WRITE,
    'novacron-file-rename': FILE_WRITE,
    'novacron-file-upload-abort': FILE_WRITE,
    'novacron-file-upload-begin': FILE_WRITE,
    'novacron-file-upload-commit': FILE_WRITE,
    'novacron-file-upload-write': FILE_WRITE,
    'novacron-file-write': FILE_WRITE,
    'novacron-quiesce-begin': FREEZE | {'guest-fsfreeze-freeze-list'},
    'novacron-quiesce-freeze': FREEZE | {'guest-fsfreeze-freeze-list'},
    'novacron-quiesce-keepalive': FREEZE,
    'novacron-quiesce-thaw': frozenset({'guest-fsfreeze-thaw'}),
}

WHILE_FROZEN = {
    'guest-fsfreeze-status', 'guest-fsfreeze-thaw', 'guest-info', 'guest-ping', 'guest-sync',
    'guest-sync-delimited',
    'novacron-event-read', 'novacron-info', 'novacron-quiesce-keepalive',
    'novacron-quiesce-manifest', 'novacron-quiesce-status', 'novacron-quiesce-thaw',
}

# Tells what the agent is, also when it has given up its extensions after crashes.
IN_SAFE_MODE = {'novacron-capabilities', 'novacron-info'}
