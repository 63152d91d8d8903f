# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent as a daemon: pidfile, signals, socket activation, --retry-path, its socket."""
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Optional, Sequence

from lib.agent import Agent, base_environment
from lib.check import PING, PONG, Check, expect
from lib.connection import Connection
from lib.process import wait_until

RETRY_INTERVAL = 5


class Daemon:
    """An agent that has left its parent; ended by the pid in its pidfile."""

    def __init__(self, check: Check, agent: Agent, pidfile: Path):
        self.pidfile = pidfile
        command = [*check.program, *agent.channel_arguments(), '-t', str(agent.state),
                   '-d', '-f', str(pidfile), *agent.arguments]
        started = subprocess.run(command, env=agent.environment, stdin=subprocess.DEVNULL,
                                 capture_output=True, timeout=20, check=False)
        self.status = started.returncode
        self._known_pid: Optional[int] = None

    def pid(self) -> Optional[int]:
        try:
            self._known_pid = int(self.pidfile.read_text())
        except (OSError, ValueError):
            return None
        return self._known_pid

    def is_locked(self) -> bool:
        """As another process sees it: fcntl locks do not keep their holder out."""
        with open(self.pidfile, 'r+', encoding='ascii') as file:
            query = struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            answer = fcntl.fcntl(file, fcntl.F_GETLK, query)
        return struct.unpack('hhqqi4x', answer)[0] != fcntl.F_UNLCK

    def stop(self, number: int = signal.SIGTERM) -> None:
        pid = self.pid() or self._known_pid     # somebody may have deleted the pidfile
        if pid is None:
            return
        os.kill(pid, number)
        expect(wait_until(lambda: not Path(f'/proc/{pid}').exists()), f'pid {pid} does not end')


def connected(path: Path) -> Connection:
    """To an agent that is nobody's child."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.connect(str(path))
    return Connection(peer)


def answers(path: Path) -> bool:
    try:
        with connected(path) as client:
            return client.ask(PING, 2) == PONG
    except OSError:
        return False


def a_daemon_leaves_a_locked_pidfile(check: Check) -> None:
    agent = check.prepare()
    daemon = Daemon(check, agent, agent.folder / 'daemon.pid')
    try:
        expect(daemon.status == 0, f'status {daemon.status}')
        expect(wait_until(lambda: daemon.pid() is not None), 'no pidfile')
        expect(daemon.pidfile.stat().st_mode & 0o777 == 0o600, 'others may read the pidfile')
        expect(daemon.is_locked(), 'the pidfile is not locked')
        pid = daemon.pid()
        expect(os.getsid(pid) == pid, 'no session of its own')
        expect(os.readlink(f'/proc/{pid}/cwd') == '/', 'its working directory is not /')
        for number in range(3):
            expect(os.readlink(f'/proc/{pid}/fd/{number}') == '/dev/null',
                   f'descriptor {number} is open')
        expect(answers(agent.socket), 'no answer')
    finally:
        daemon.stop()
    expect(not daemon.pidfile.exists(), 'the pidfile is still there')


def a_daemon_respects_the_pidfile_of_another(check: Check) -> None:
    """qemu-ga would delete it."""
    first, second = check.prepare(), check.prepare()
    daemon = Daemon(check, first, first.folder / 'daemon.pid')
    try:
        expect(wait_until(lambda: daemon.pid() is not None), 'no pidfile')
        pid = daemon.pid()
        Daemon(check, second, daemon.pidfile)
        expect(wait_until(lambda: not answers(second.socket)), 'the second daemon runs')
        expect(daemon.pid() == pid, 'the first daemon has lost its pidfile')
        expect(answers(first.socket), 'the first daemon is gone')
        bad = check.run('-d', '-m', 'unix-listen', '-p', '/nonexistent/socket',
                        '-t', str(second.state), '-f', str(daemon.pidfile))
        expect(bad.returncode == 1, f'status {bad.returncode} of a daemon without a channel')
        expect(daemon.pid() == pid, 'a failed start deletes the pidfile of a running daemon')
    finally:
        daemon.stop()


def sigterm_and_sigint_end_it(check: Check) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        for is_connected in (False, True):
            agent = check.start()
            client = agent.connect()
            client.ask(PING)
            if not is_connected:
                client.close()
            started = time.monotonic()
            agent.process.send_signal(number)
            status = agent.process.wait(5)
            client.close()
            expect(status == 0, f'{number.name}: status {status}')
            expect(time.monotonic() - started < 1, f'{number.name}: takes long')


def sighup_kills_it(check: Check) -> None:
    agent = check.start()
    agent.connect().close()
    agent.process.send_signal(signal.SIGHUP)
    expect(agent.process.wait(5) == -signal.SIGHUP, 'SIGHUP does not have its default action')
    agent.process = None        # that status was asked for


def children_outlive_it(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        pid = client.call('guest-exec', path='sh',
                          arg=['-c', 'sleep 0.5; echo done > proof'])['pid']
        agent.stop()
    expect(Path(f'/proc/{pid}').exists(), 'the child ended with the agent')
    expect(wait_until((agent.files / 'proof').exists), 'the child did not come to its end')


def a_missing_folder_is_waited_for(check: Check) -> None:
    agent = check.prepare(['-r'])
    agent.socket = agent.folder / 'later' / 'socket'
    agent.start()
    time.sleep(0.5)
    expect(agent.is_running(), f'it ended: {agent.last_words()}')
    agent.socket.parent.mkdir()
    expect(wait_until(agent.socket.exists, RETRY_INTERVAL + 3), 'never tried again')
    with agent.connect() as client:
        expect(client.ask(PING) == PONG, 'no answer')
    started = time.monotonic()
    agent.stop()
    expect(time.monotonic() - started < 1, 'takes long to end')


def without_retry_a_missing_folder_is_fatal(check: Check) -> None:
    agent = check.prepare()
    agent.socket = agent.folder / 'never' / 'socket'
    agent.start()
    expect(agent.process.wait(5) == 1, 'it does not end with status 1')
    agent.process = None        # that status was asked for


def sigterm_ends_the_wait(check: Check) -> None:
    agent = check.prepare(['-r'])
    agent.socket = agent.folder / 'never' / 'socket'
    agent.start()
    time.sleep(0.5)
    agent.process.send_signal(signal.SIGTERM)
    status = agent.process.wait(2)
    expect(status == 1, f'status {status}: the channel was never open')
    agent.process = None        # that status was asked for


def the_socket_may_be_used_by_whoever_umask_allows(check: Check) -> None:
    for mask, mode in ((0o022, 0o755), (0o077, 0o700)):
        agent = check.prepare()
        previous = os.umask(mask)
        try:
            agent.start()
        finally:
            os.umask(previous)
        agent.connect().close()
        found = agent.socket.stat().st_mode & 0o777
        expect(found == mode, f'mode {found:o} with umask {mask:o}')


def what_is_in_the_way_of_the_socket_goes(check: Check) -> None:
    agent = check.prepare()
    agent.socket.write_text('in the way')
    agent.start()
    expect(wait_until(agent.socket.is_socket), 'no socket')
    with agent.connect() as client:
        expect(client.ask(PING) == PONG, 'no answer')


# Takes the place of the service manager: descriptors from 3 up, and the process's own pid.
LAUNCHER = """
import os, sys
handed = [int(word) for word in sys.argv[1].split()]
for number, descriptor in enumerate(handed):
    os.dup2(descriptor, 3 + number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""


def activated(check: Check, sockets: Sequence[IO[Any]], count: int) -> 'subprocess.Popen[bytes]':
    """The agent, told that it finds `count` descriptors; `sockets` are those that it does find."""
    agent = check.prepare()
    copies = [fcntl.fcntl(file.fileno(), fcntl.F_DUPFD, 100) for file in sockets]
    try:
        return subprocess.Popen(
            [sys.executable, '-c', LAUNCHER, ' '.join(map(str, copies)), str(count),
             *check.program, '-t', str(agent.state)],
            env=base_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, pass_fds=copies)
    finally:
        for copy in copies:
            os.close(copy)


def listening(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(path))
    sock.listen(1)
    return sock


def a_socket_that_is_handed_over_is_used(check: Check) -> None:
    path = check.prepare().socket
    with listening(path) as sock:
        process = activated(check, [sock], 1)
        try:
            for _ in range(3):
                expect(answers(path), 'no answer')
        finally:
            process.terminate()
            process.communicate(timeout=10)
        expect(process.returncode == 0, f'status {process.returncode}')


def a_strange_hand_over_is_refused(check: Check) -> None:
    folder = check.prepare().folder
    with listening(folder / 'one') as one, listening(folder / 'two') as two, \
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as internet, \
            open(os.devnull, encoding='ascii') as file:
        for handed, count, message in (
                ([one, two], 2, b'qemu-ga only supports listening on one socket'),
                ([internet], 1, b'unsupported listen fd type'),
                ([file], 1, b'unsupported listen fd type'),
                ([], 1, b'Socket activation failed: invalid file descriptor fd = 3')):
            process = activated(check, handed, count)
            output = process.communicate(timeout=10)[0]
            expect(process.returncode == 1, f'status {process.returncode} for {message!r}')
            expect(message in output, f'{message!r} is missing in {output!r}')


CHECKS = [
    a_daemon_leaves_a_locked_pidfile, a_daemon_respects_the_pidfile_of_another,
    sigterm_and_sigint_end_it, sighup_kills_it, children_outlive_it,
    a_missing_folder_is_waited_for, without_retry_a_missing_folder_is_fatal,
    sigterm_ends_the_wait, the_socket_may_be_used_by_whoever_umask_allows,
    what_is_in_the_way_of_the_socket_goes, a_socket_that_is_handed_over_is_used,
    a_strange_hand_over_is_refused,
]
