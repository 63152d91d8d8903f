# SPDX-License-Identifier: GPL-2.0-or-later
"""How the agent starts: what it finds, what it is told, and whom it lets in.

Command lines, files and failures are compared with qemu-ga's by diff/cli.py; here is what only
a running agent shows, and what is meant to differ.
"""
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

from daemon import Daemon, answers, connected, listening
from lib.agent import Agent, base_environment
from lib.check import PING, PONG, Check, Skip, expect
from lib.connection import Connection
from lib.process import wait_until
from limits import run_until

WORKING_WHILE_FROZEN = {'guest-ping', 'guest-info', 'guest-sync', 'guest-sync-delimited',
                        'guest-fsfreeze-status', 'guest-fsfreeze-thaw'}


def enabled_commands(client: Connection) -> Dict[str, bool]:
    return {command['name']: command['enabled']
            for command in client.call('guest-info')['supported_commands']
            if command['name'].startswith('guest-')}


def leave_mark(agent: Agent) -> None:
    (agent.state / 'qga.state.isfrozen').touch()


def a_left_over_mark_means_frozen(check: Check) -> None:
    agent = check.prepare()
    leave_mark(agent)
    agent.arguments = ['-l', str(agent.folder / 'agent.log'), '-b', 'guest-ping']
    agent.start()
    with agent.connect() as client:
        expect(client.call('guest-fsfreeze-status') == 'frozen', 'the status is not frozen')
        for name, is_enabled in enabled_commands(client).items():
            expect(is_enabled == (name in WORKING_WHILE_FROZEN), f'{name} enabled: {is_enabled}')
        refusal = client.ask(b'{"execute":"guest-get-time"}\n')
        expect(b'guest-get-time has been disabled: the command is not allowed' in refusal,
               f'guest-get-time: {refusal!r}')
        for number in (signal.SIGTERM, signal.SIGINT):
            agent.process.send_signal(number)
        time.sleep(0.2)
        expect(client.ask(PING, 5) == PONG, 'a signal ends an agent that alone can thaw')
    left = {path.name for path in agent.state.iterdir()}
    expect(left == {'qga.state.isfrozen'}, f'the state directory holds {left}')
    expect(not (agent.folder / 'agent.log').exists(), 'the log was opened')
    expect('WARNING' in agent.log.read_text(), 'no word of it on standard error')


def processes_naming(path: Path) -> List[int]:
    wanted, found = os.fsencode(path), []
    for entry in Path('/proc').iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / 'cmdline').read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass            # it has ended meanwhile
    return found


def a_frozen_daemon_has_no_pidfile(check: Check) -> None:
    agent = check.prepare()
    leave_mark(agent)
    daemon = Daemon(check, agent, agent.folder / 'daemon.pid')
    pids = processes_naming(agent.folder)
    try:
        expect(daemon.status == 0 and len(pids) == 1, f'status {daemon.status}, pids {pids}')
        expect(answers(agent.socket), 'no answer')
        expect(not daemon.pidfile.exists(), 'a pidfile was written')
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def a_daemon_lets_others_read_nothing(check: Check) -> None:
    agent = check.prepare()
    daemon = Daemon(check, agent, agent.folder / 'daemon.pid')
    try:
        expect(wait_until(lambda: daemon.pid() is not None), 'no pidfile')
        status = Path(f'/proc/{daemon.pid()}/status')
        expect(wait_until(lambda: 'Umask:\t0077' in status.read_text()), 'umask is not 077')
    finally:
        daemon.stop()


def daemon_errors(check: Check, agent: Agent, pidfile: Path) -> str:
    """Standard error until parent and child have ended."""
    done = subprocess.run(
        [*check.program, *agent.channel_arguments(), '-t', str(agent.state), '-d', '-f',
         str(pidfile)], env=agent.environment, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=20, check=False)
    expect(done.returncode == 0, f'status {done.returncode} of the parent')
    return done.stderr


def a_bad_pidfile_is_told_on_standard_error(check: Check) -> None:
    first, second = check.prepare(), check.prepare()
    daemon = Daemon(check, first, first.folder / 'daemon.pid')
    missing = second.folder / 'none' / 'pid'
    try:
        expect(wait_until(lambda: daemon.pid() is not None), 'no pidfile')
        for pidfile, text in (
                (daemon.pidfile, 'Cannot lock pid file: Resource temporarily unavailable'),
                (missing, f"Could not create '{missing}': No such file or directory")):
            told = daemon_errors(check, second, pidfile)
            expect(re.fullmatch(rf'\d+\.\d+: critical: {re.escape(text)}\n', told) is not None,
                   f'told {told!r}')
    finally:
        daemon.stop()


def lists_of_the_environment_are_honoured(check: Check) -> None:
    """What the units of RHEL and SUSE set."""
    for variables, blocked in (
            ({'BLACKLIST_RPC': 'guest-exec,guest-get-time'}, {'guest-exec', 'guest-get-time'}),
            ({'BLOCK_RPCS': 'guest-exec'}, {'guest-exec'}),
            ({'FILTER_RPC_ARGS': '--block-rpcs=guest-exec,guest-get-time'},
             {'guest-exec', 'guest-get-time'}),
            ({'FILTER_RPC_ARGS': '-b guest-exec', 'BLOCK_RPCS': 'guest-get-time'},
             {'guest-exec', 'guest-get-time'}),
            ({'BLOCK_RPCS': '', 'FILTER_RPC_ARGS': ''}, set())):
        agent = check.start(environment=variables)
        with agent.connect() as client:
            commands = enabled_commands(client)
        found = {name for name, is_enabled in commands.items() if not is_enabled}
        expect(found == blocked, f'{variables}: blocked {sorted(found)}')
    agent = check.start(environment={'FILTER_RPC_ARGS': '--allow-rpcs=guest-ping,guest-info'})
    with agent.connect() as client:
        commands = enabled_commands(client)
    allowed = {name for name, is_enabled in commands.items() if is_enabled}
    expect(allowed == {'guest-ping', 'guest-info'}, f'allowed {sorted(allowed)}')


def as_nobody(path: Path) -> Optional[bytes]:
    """What nobody reads after a ping; None if there is no way in."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(pwd.getpwnam('nobody').pw_gid)
            os.setuid(pwd.getpwnam('nobody').pw_uid)
            with connected(path) as client:
                try:
                    os.write(writing, client.ask(PING, 5) or b'<hung up>')
                except OSError:
                    os.write(writing, b'<hung up>')
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, 'rb') as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer or None


def a_further_session_is_for_root_only(check: Check) -> None:
    if os.geteuid() != 0:
        raise Skip('only root can become somebody else')
    agent, (path,) = check.start_with_sessions()
    with agent.connect(path) as client:
        expect(client.ask(PING) == PONG, 'no answer for root')
    expect(path.stat().st_mode & 0o777 == 0o600, f'mode {path.stat().st_mode:o}')
    agent.folder.chmod(0o755)
    expect(as_nobody(path) is None, 'nobody may connect')
    path.chmod(0o666)
    expect(as_nobody(path) == b'<hung up>', 'nobody is answered, with a socket opened up for all')
    with agent.connect(path) as client:
        expect(client.ask(PING) == PONG, 'no answer for root afterwards')


def a_session_that_cannot_be_opened_harms_nobody(check: Check) -> None:
    agent = check.prepare()
    (agent.folder / 'conf').write_text('[novacron]\nsessions=unix-listen:/nonexistent/socket\n')
    agent.arguments = ['-c', str(agent.folder / 'conf')]
    agent.start()
    with agent.connect() as client:
        expect(client.ask(PING) == PONG, 'no answer')


# Hands descriptor 3 over, says for whom, and lets the agent run.
LAUNCHER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
pid = os.getpid() if sys.argv[2] == 'ours' else int(sys.argv[2])
os.environ.update(LISTEN_PID=str(pid), LISTEN_FDS=sys.argv[3], LISTEN_FDNAMES='x')
os.execv(sys.argv[4], sys.argv[4:])
"""


def launch(check: Check, agent: Agent, sock: socket.socket, pid: str, count: str,
           *words: str) -> 'subprocess.Popen[bytes]':
    return subprocess.Popen(
        [sys.executable, '-c', LAUNCHER, str(sock.fileno()), pid, count, *check.program,
         '-t', str(agent.state), *words], env=base_environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[sock.fileno()])


def a_socket_for_somebody_else_is_ignored(check: Check) -> None:
    agent = check.prepare()
    for number, (pid, count) in enumerate((('1', '1'), ('ours', '0'), ('ours', '-1'),
                                           ('ours', 'x'), ('ours', ''))):
        path = agent.folder / f'own-{number}'
        with listening(agent.folder / f'handed-{number}') as sock:
            process = launch(check, agent, sock, pid, count, '-m', 'unix-listen', '-p', str(path))
            try:
                expect(wait_until(lambda: answers(path)), f'LISTEN_PID {pid}, LISTEN_FDS {count!r}')
            finally:
                process.terminate()
                process.communicate(timeout=10)


def a_passed_socket_is_our_business_only(check: Check) -> None:
    agent = check.prepare()
    path = agent.folder / 'handed'
    with listening(path) as sock:
        process = launch(check, agent, sock, 'ours', '1', '-m', 'bogus', '-p', '/nonexistent/path')
        try:
            with connected(path) as client:
                pid = client.call('guest-exec', path='/bin/sh', capture_output=True,
                                  arg=['-c', 'env | grep ^LISTEN_; readlink /proc/$$/fd/3'])['pid']
                inherited = run_until(client, pid).get('out-data')
                expect(inherited is None, f'a child inherits {inherited}')
        finally:
            process.terminate()
            process.communicate(timeout=10)
        dumped = launch(check, agent, sock, 'ours', '1', '-D').communicate(timeout=10)[0]
        expect(b'\nmethod=unix-listen\npidfile=' in dumped, f'dumped {dumped!r}')
        shown = launch(check, agent, sock, 'ours', '7', '-V').communicate(timeout=10)[0]
        expect(shown.startswith(b'QEMU Guest Agent'), f'-V shows {shown!r}')


CHECKS: List[Callable[[Check], None]] = [
    a_left_over_mark_means_frozen, a_frozen_daemon_has_no_pidfile,
    a_daemon_lets_others_read_nothing, a_bad_pidfile_is_told_on_standard_error,
    lists_of_the_environment_are_honoured, a_further_session_is_for_root_only,
    a_session_that_cannot_be_opened_harms_nobody, a_socket_for_somebody_else_is_ignored,
    a_passed_socket_is_our_business_only,
]
