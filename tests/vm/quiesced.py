# SPDX-License-Identifier: GPL-2.0-or-later
"""novacronctl freeze with the area quiesce: what a freeze was worth, and who else sees it."""
import json
import signal
import subprocess
import time
from contextlib import contextmanager
from functools import partial
from typing import Any, Callable, Dict, Iterator

from console import PORTS, SECOND, SHARED, Console, finish, kill
from conversation import request
from domain import NAME
from session import PLACES
from witness import expect

SHORT = '1'             # seconds; the guest itself adds two to them
LONG = '50'
HOLD = 'touch held; while [ ! -e go ]; do sleep 0.05; done'


@contextmanager
def frozen(console: Console, port: str, seconds: str) -> Iterator['subprocess.Popen[bytes]']:
    """novacronctl, whose command goes on until this is left."""
    for name in ('go', 'held'):
        (console.folder / name).unlink(missing_ok=True)
    console.session.domain.shell('rm -f /run/hook.log')
    process = console.begin(port, 'freeze', '-f', seconds, '--', 'sh', '-c', HOLD)
    try:
        until = time.monotonic() + 30
        while not (console.folder / 'held').exists():
            expect(process.poll() is None and time.monotonic() < until, 'it does not freeze')
            time.sleep(0.02)
        console.session.begin_writes()
        console.session.expect_writable()
        yield process
    finally:
        (console.folder / 'go').touch()


def expect_end(console: Console, process: 'subprocess.Popen[bytes]', status: int,
               text: str) -> None:
    ended, _, err = finish(process)
    expect(ended == status and text in err.decode(), '%d, %r' % (ended, err))
    console.session.expect_writable(*PLACES)
    console.session.expect_hooks('freeze', 'thaw')
    expect(ask(console, SECOND, 'novacron-quiesce-status')['state'] == 'idle', 'the state')


def ask(console: Console, port: str, command: str) -> Any:
    return json.loads(console.must(port, 'raw', request(command, {})))['return']


def is_consistent_if_held(console: Console, port: str) -> None:
    """Meanwhile another client, over the other port, sees the state, and virsh is answered."""
    other = SECOND if port == SHARED else SHARED
    with frozen(console, port, LONG) as process:
        status = ask(console, other, 'novacron-quiesce-status')
        expect(status['state'] == 'frozen' and status['guarded'] and 'token' in status,
               'the other one sees %s' % status)
        libvirtd = console.session.libvirtd
        for command, answer in (('guest-ping', '{}'), ('guest-fsfreeze-status', '"frozen"')):
            said = libvirtd.must('qemu-agent-command', NAME, request(command, {}))
            expect(said == '{"return":%s}' % answer, '%s: %s' % (command, said))
        expect(libvirtd.virsh('domfsfreeze', NAME).status != 0, 'a second freeze')
    expect_end(console, process, 0, '%d file systems are thawed' % len(PLACES))


def tells_of_a_deadline_that_has_passed(console: Console, port: str) -> None:
    with frozen(console, port, SHORT) as process:
        process.send_signal(signal.SIGSTOP)
        console.session.expect_writable(*PLACES)
        process.send_signal(signal.SIGCONT)
    expect_end(console, process, 1, 'the guest has thawed at its deadline')


def tells_of_somebody_elses_thaw(console: Console, port: str) -> None:
    with frozen(console, port, LONG) as process:
        console.session.libvirtd.must('domfsthaw', NAME)
    expect_end(console, process, 1, 'something else has thawed the guest')


def is_thawed_though_its_client_was_killed(console: Console, port: str) -> None:
    with frozen(console, port, SHORT) as process:
        kill(process)
        console.session.expect_writable(*PLACES)
    console.session.expect_hooks('freeze', 'thaw')
    expect(ask(console, port, 'novacron-quiesce-status')['state'] == 'idle', 'the state')
    # the one that is told of it is whoever thaws next, once
    thaw = console.run(port, 'thaw')
    expect(thaw.returncode == 1 and b'thawed before' in thaw.stderr, '%r' % thaw.stderr)
    console.must(port, 'thaw')


CASES: Dict[str, Callable[[Console], None]] = {
    'a freeze %s over %s' % (function.__name__.replace('_', ' '), port):
        partial(function, port=port)
    for function, ports in (
        (is_consistent_if_held, PORTS),
        (tells_of_a_deadline_that_has_passed, (SHARED,)),
        (tells_of_somebody_elses_thaw, (SECOND,)),
        (is_thawed_though_its_client_was_killed, (SECOND,)),
    ) for port in ports}
