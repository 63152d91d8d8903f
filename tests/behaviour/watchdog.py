# SPDX-License-Identifier: GPL-2.0-or-later
"""The service manager's watchdog."""
import base64
import os
import signal
import socket
import time

from lib.check import PING, PONG, Check, expect
from lib.connection import Connection


def told(listener: socket.socket, seconds: float) -> int:
    """How often the agent says that it lives."""
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        listener.settimeout(max(0.01, until - time.monotonic()))
        try:
            expect(listener.recv(100) == b'WATCHDOG=1', 'another message')
            count += 1
        except socket.timeout:
            pass
    return count


def variables_of_children(client: Connection) -> str:
    pid = client.call('guest-exec', path='env', capture_output=True)['pid']
    while True:
        status = client.call('guest-exec-status', pid=pid)
        if status['exited']:
            return base64.b64decode(status['out-data']).decode()
        time.sleep(0.01)


def a_watchdog_hears_of_a_loop_that_turns(check: Check) -> None:
    agent = check.prepare()
    path = agent.folder / 'notify'
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        agent.environment.update(NOTIFY_SOCKET=str(path), WATCHDOG_USEC='200000')
        agent.start()
        with agent.connect() as client:
            expect(client.ask(PING) == PONG, 'no pong')
            expect(told(listener, 1) >= 5, 'it is not told')
            text = variables_of_children(client)
            expect('PATH=' in text and 'NOTIFY' not in text and 'WATCHDOG' not in text, text)
            os.kill(agent.pid, signal.SIGSTOP)
            told(listener, 0.1)
            expect(told(listener, 0.5) == 0, 'told of a loop that stands still')
            os.kill(agent.pid, signal.SIGCONT)


CHECKS = [a_watchdog_hears_of_a_loop_that_turns]
