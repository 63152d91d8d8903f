# SPDX-License-Identifier: GPL-2.0-or-later
"""MariaDB: a writer stands still while the lock is held, and goes on whatever ends the lock."""
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List

from bench import DISPATCHER, SCRIPTS, Bench, Server
from dispatcher import SHELLS
from lib.check import expect
from lib.process import wait_until

HOOK = SCRIPTS / '60-mariadb-mysql'
NAME = 'mariadb-mysql'
OPTIONS = '--no-defaults --user=root'
STILL = 1.0         # seconds in which a writer that is not held up writes many rows
SOON = 1.5          # seconds in which a lock is gone; the holder looks every 0.2
BLOCKED = 'Lock wait timeout exceeded'


class MariaDB(Server):
    program = 'mariadbd'

    def start(self) -> None:
        self.prepare(self.which('mariadb-install-db'), '--no-defaults', self.base(),
                     f'--datadir={self.folder}/data', '--auth-root-authentication-method=normal',
                     '--skip-test-db', '--innodb-log-file-size=4M', '--innodb-buffer-pool-size=8M')
        self.run()
        self.query('CREATE DATABASE d; CREATE TABLE d.t (a INT) ENGINE=InnoDB; '
                   'CREATE TABLE d.m (a INT) ENGINE=MyISAM; INSERT INTO d.m VALUES (1)')

    def run(self) -> None:
        self.launch([self.which(self.program), '--no-defaults', self.base(), '--skip-networking',
                     f'--datadir={self.folder}/data', f'--socket={self.socket}',
                     f'--pid-file={self.folder}/pid', '--innodb-buffer-pool-size=8M'],
                    self.is_ready)

    @property
    def socket(self) -> Path:
        return self.folder / 'socket'

    def is_ready(self) -> bool:
        return subprocess.run([*self.client(), '-e', 'SELECT 1'], env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def base(self) -> str:
        return '--basedir=' + str(Path(self.which('mariadb-install-db')).parents[1])

    def which(self, name: str) -> str:
        return shutil.which(name, path=self.environment['PATH']) or name

    def client(self) -> List[str]:
        return ['mariadb', *OPTIONS.split(), '-BN', f'--socket={self.socket}']

    def query(self, text: str) -> str:
        return self.ask(*self.client(), '-e', text)

    def settings(self, bench: Bench, **more: object) -> None:
        bench.settings(MYSQL_SOCKET=self.socket, MYSQL_OPTIONS=OPTIONS, **more)

    @contextmanager
    def session(self, text: str) -> Iterator[None]:
        """A client that works on `text` meanwhile."""
        process = subprocess.Popen([*self.client(), '-e', text], env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            yield
        finally:
            for line in self.query('SHOW PROCESSLIST').splitlines():
                if 'PROCESSLIST' not in line and text[:20] in line:
                    self.query('KILL ' + line.split('\t')[0])
            process.kill()
            process.wait()


class Writer:
    """Inserts row after row over one connection, and counts those that were acknowledged."""

    INSERT = b'INSERT INTO d.t VALUES (1); SELECT 1;\n'
    OPTIONS = ('-n', '--force')

    def __init__(self, server: Server):
        self.rows = 0
        self.process = subprocess.Popen([*server.client(), *self.OPTIONS],
                                        env=server.environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def __enter__(self) -> 'Writer':
        expect(wait_until(lambda: self.rows > 3), 'the writer does not write')
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.thread.join()

    def _work(self) -> None:
        try:
            while True:
                self.process.stdin.write(self.INSERT)
                self.process.stdin.flush()
                if not self.process.stdout.readline():
                    return
                self.rows += 1
                time.sleep(0.002)
        except OSError:
            pass

    def stands_still(self, seconds: float = STILL) -> bool:
        before = self.rows
        time.sleep(seconds)
        return self.rows <= before + 1      # the answer to one may have been under way

    def goes_on(self, timeout: float = SOON) -> bool:
        before = self.rows
        return wait_until(lambda: self.rows > before + 3, timeout)


@contextmanager
def writer(bench: Bench, **settings: object) -> Iterator[Writer]:
    server = bench.server(MariaDB)
    server.settings(bench, **settings)
    with Writer(server) as it:
        yield it


def a_writer_stands_still_from_freeze_to_thaw(bench: Bench) -> None:
    for mode in ('block-commit', 'read-lock'):
        for shell in SHELLS:
            bench.close()
            with writer(bench, MARIADB_MODE=mode) as it:
                done = bench.ok(HOOK, 'freeze', *shell)
                expect(it.stands_still(), f'{mode}, {shell}: rows were written')
                bench.ok(HOOK, 'thaw', *shell)
                expect(it.goes_on(), f'{mode}, {shell}: still locked after the thaw')
            expect(not done.output and not list(bench.run_folder.iterdir()), f'left over: {done}')


def the_output_ends_though_the_lock_is_held(bench: Bench) -> None:
    with writer(bench) as it:
        done = bench.ok(HOOK, 'freeze')
        expect(done.seconds < 10 and it.stands_still(), str(done))
        for fd in os.listdir(f'/proc/{bench.holder(NAME)}/fd'):
            target = os.readlink(f'/proc/{bench.holder(NAME)}/fd/{fd}')
            expect('pipe:' not in target and 'socket:' not in target, f'the holder has {target}')
        bench.ok(HOOK, 'thaw')


def the_lock_ends_with_its_limit_and_the_thaw_says_so(bench: Bench) -> None:
    with writer(bench, LOCK_LIMIT=2) as it:
        started = time.monotonic()
        bench.ok(HOOK, 'freeze')
        expect(it.stands_still(), 'not locked')
        expect(it.goes_on(4), 'still locked after its limit')
        expect(time.monotonic() - started >= 2, 'released early')
        done = bench.run(HOOK, 'thaw')
        expect(done.status == 1 and 'the limit of 2 s had passed' in done.output, str(done))
        expect(bench.run(HOOK, 'thaw').status == 0, 'it is reported twice')


def the_lock_ends_with_the_agent(bench: Bench) -> None:
    with writer(bench) as it:
        for hook in (HOOK, DISPATCHER):
            agent = bench.run_under_agent(hook, 'freeze')
            expect(it.stands_still(), f'{hook.name}: not locked')
            agent.kill()
            agent.wait()
            expect(it.goes_on(), f'{hook.name}: still locked after the agent was killed')
            done = bench.run(hook, 'thaw')
            expect(done.status == 1 and 'the agent had ended' in done.output, str(done))


def below_another_dispatcher_the_lock_ends_with_the_agent_too(bench: Bench) -> None:
    """One that tells the scripts nothing, has ended long before the thaw, and is never wrong."""
    other = bench.run_folder / DISPATCHER.name
    other.write_text(f'#!/bin/sh\n{HOOK} "$1"\nexit 0\n')
    other.chmod(0o755)
    with writer(bench) as it:
        for end in ('thaw', 'kill'):
            agent = bench.run_under_agent(other, 'freeze')
            expect(it.stands_still(), f'{end}: not locked')
            if end == 'thaw':
                bench.ok(other, 'thaw')
            agent.kill()
            agent.wait()
            expect(it.goes_on(), f'{end}: still locked')


def the_lock_ends_with_its_holder(bench: Bench) -> None:
    with writer(bench) as it:
        bench.ok(HOOK, 'freeze')
        os.kill(bench.holder(NAME), signal.SIGKILL)
        expect(it.goes_on(), 'still locked')
        done = bench.run(HOOK, 'thaw')
        expect(done.status == 1 and 'its holder was killed' in done.output, str(done))


def a_lost_session_makes_the_thaw_fail(bench: Bench) -> None:
    server = bench.server(MariaDB)
    with writer(bench) as it:
        bench.ok(HOOK, 'freeze')
        expect(it.stands_still(), 'not locked')
        holders = server.query("SELECT id FROM information_schema.processlist "
                               "WHERE command = 'Sleep' AND db IS NULL ORDER BY id DESC LIMIT 1")
        server.query(f'KILL {holders}')
        expect(it.goes_on(), 'still locked')
        done = bench.run(HOOK, 'thaw')
        expect(done.status == 1 and 'the session had been lost' in done.output, str(done))


def an_idle_session_is_not_too_idle_for_the_server(bench: Bench) -> None:
    server = bench.server(MariaDB)
    server.query('SET GLOBAL wait_timeout = 1')
    try:
        with writer(bench) as it:
            bench.ok(HOOK, 'freeze')
            expect(it.stands_still(2.5), 'the server has ended the session')
            bench.ok(HOOK, 'thaw')
    finally:
        server.query('SET GLOBAL wait_timeout = 28800')


def a_freeze_that_fails_later_releases_the_lock(bench: Bench) -> None:
    scripts = bench.run_folder / 'scripts.d'
    scripts.mkdir()
    (scripts / '60-mariadb-mysql').symlink_to(HOOK)
    later = scripts / '90-later'
    later.write_text('#!/bin/sh\n[ "$1" = thaw ]\n')
    later.chmod(0o755)
    with writer(bench) as it:
        done = bench.run(DISPATCHER, 'freeze', FSFREEZE_HOOK_DIR=str(scripts))
        expect(done.status == 1 and '90-later freeze: exit status 1' in done.output, str(done))
        expect(it.goes_on(), 'still locked')


def the_lock_ends_when_the_dispatcher_is_killed(bench: Bench) -> None:
    scripts = bench.run_folder / 'scripts.d'
    scripts.mkdir()
    (scripts / '60-mariadb-mysql').symlink_to(HOOK)
    later = scripts / '90-later'
    later.write_text('#!/bin/sh\nsleep 5\n')
    later.chmod(0o755)
    with writer(bench) as it:
        process = subprocess.Popen([str(DISPATCHER), 'freeze'], stdout=subprocess.DEVNULL, env={
            **bench.environment, 'FSFREEZE_HOOK_DIR': str(scripts)})
        bench.processes.append(process)
        expect(wait_until((bench.run_folder / NAME / 'is-held').exists), 'no lock')
        expect(it.stands_still(), 'not locked')
        process.kill()
        expect(it.goes_on(), 'still locked')


def nothing_is_written_to_what_will_be_frozen(bench: Bench) -> None:
    """Seen by every process that a freeze starts, until the thaw has ended the last of them."""
    trace = bench.folder / 'trace'
    with writer(bench):
        tracer = subprocess.Popen(
            ['strace', '-f', '-qq', '-o', str(trace), '-e', 'trace=%file', str(DISPATCHER),
             'freeze'], env=bench.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        bench.processes.append(tracer)
        expect(wait_until((bench.run_folder / 'is-frozen').exists, 30), 'no freeze')
        bench.ok(DISPATCHER, 'thaw')
        tracer.wait(30)
    lines = trace.read_text(errors='replace').splitlines()
    changes = [line for line in lines if not re.search(r'= -1 E', line) and re.search(
        r'open\w*\(.*(O_WRONLY|O_RDWR|O_CREAT)|'
        r'\b(mk|un?link|rename|chmod|chown|sym|trunc|utime)\w*\(', line)]
    expect(len(changes) > 10, 'the trace shows nothing')
    others = [line for line in changes if not re.search(
        rf'"({re.escape(str(bench.run_folder))}|/dev/)', line)]
    expect(not others, '; '.join(others[:5]))


def who_holds_the_server_up_is_waited_for_and_no_longer(bench: Bench) -> None:
    server = bench.server(MariaDB)
    cases = {
        'block-commit': 'INSERT INTO d.m SELECT SLEEP(30) FROM d.m',
        'read-lock': 'LOCK TABLES d.t WRITE; SELECT SLEEP(30)',
    }
    for mode, text in cases.items():
        server.settings(bench, MARIADB_MODE=mode, MYSQL_LOCK_WAIT=1)
        with server.session(text):
            done = bench.run(HOOK, 'freeze')
        expect(done.status == 1 and BLOCKED in done.output, f'{mode}: {done}')
        expect(1 <= done.seconds < 5, f'{mode}: {done}')
        expect(not (bench.run_folder / NAME).exists(), 'something is left')
    with writer(bench) as it:
        expect(it.goes_on(), 'locked though the freeze has failed')


def a_server_that_does_not_answer_has_a_limit(bench: Bench) -> None:
    server = bench.server(MariaDB)
    server.settings(bench, PREPARE_LIMIT=1)
    server.process.send_signal(signal.SIGSTOP)
    try:
        done = bench.run(HOOK, 'freeze')
        lenient = bench.run(HOOK, 'freeze', MARIADB_ON_FAILURE='degrade')
    finally:
        server.process.send_signal(signal.SIGCONT)
    expect(done.status == 1 and 'no answer within 1 s' in done.output, str(done))
    expect(lenient.status == 0 and 'has to do without' in lenient.output, str(lenient))


def a_server_that_refuses_us_fails_the_freeze(bench: Bench) -> None:
    server = bench.server(MariaDB)
    bench.settings(MYSQL_SOCKET=server.socket, MYSQL_OPTIONS=OPTIONS + ' -pwrong')
    done = bench.run(HOOK, 'freeze')
    expect(done.status == 1 and 'Access denied' in done.output, str(done))


def a_second_freeze_replaces_a_lock_that_nobody_has_thawed(bench: Bench) -> None:
    with writer(bench) as it:
        bench.ok(HOOK, 'freeze')
        bench.ok(HOOK, 'freeze')
        expect(it.stands_still(), 'not locked')
        bench.ok(HOOK, 'thaw')
        expect(it.goes_on(), 'still locked')


CHECKS = [
    a_writer_stands_still_from_freeze_to_thaw,
    the_output_ends_though_the_lock_is_held,
    the_lock_ends_with_its_limit_and_the_thaw_says_so,
    the_lock_ends_with_the_agent,
    below_another_dispatcher_the_lock_ends_with_the_agent_too,
    the_lock_ends_with_its_holder,
    a_lost_session_makes_the_thaw_fail,
    an_idle_session_is_not_too_idle_for_the_server,
    a_freeze_that_fails_later_releases_the_lock,
    the_lock_ends_when_the_dispatcher_is_killed,
    nothing_is_written_to_what_will_be_frozen,
    who_holds_the_server_up_is_waited_for_and_no_longer,
    a_server_that_does_not_answer_has_a_limit,
    a_server_that_refuses_us_fails_the_freeze,
    a_second_freeze_replaces_a_lock_that_nobody_has_thawed,
]
