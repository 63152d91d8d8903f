#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The hooks below real agents that freeze a real file system with real databases on it.

All of it happens on a stage, see lib/stage.py: nothing of the machine can be frozen. The snapshot
is a copy of the file system's image, made while it is frozen, and servers are started from it.
"""
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from bench import DISPATCHER, HOOKS, SCRIPTS, Bench, Server
from lib import check, stage, suite
from lib.agent import Agent
from lib.check import Skip, expect
from lib.connection import Connection
from lib.process import wait_until
from lib.stage import Stage
from mariadb import NAME, OPTIONS, SOON, MariaDB, Writer
from postgresql import PORT, PostgreSQL

MEBIBYTES = 400         # two databases fit in
TOOLS = ('sh', 'dirname', 'readlink', 'mkdir', 'mkfifo', 'rm', 'cat', 'head', 'tr', 'sleep',
         'timeout', 'id', 'grep', 'sed', 'env')
CLIENTS = ('mariadb', 'psql', 'pg_isready')
DEADLINE_MS = 1500      # of the agent's freeze
CYCLES, CYCLES_FULL = 3, 200
HOOK_LIMIT_MS = 1000


class Play(Bench):
    """A bench on the stage, with both databases on the file system that is frozen."""

    def __init__(self, where: Stage, program: List[str], is_ours: bool, full: bool = False):
        super().__init__('')
        self.full = full
        self.stage = where
        self.mount = where.mounts[0]
        self.program = program
        self.is_ours = is_ours
        self.agents: List[Agent] = []

    def __enter__(self) -> 'Play':
        super().__enter__()
        os.environ['LD_LIBRARY_PATH'] = self.environment.get('LD_LIBRARY_PATH', '')
        self.program = self.stage.confine(self.program)
        found = [shutil.which(name, path=self.environment['PATH'])
                 for name in (*TOOLS, *CLIENTS)]
        needed = {path for program in filter(None, ('/bin/sh', *found))
                  for path in (program, *libraries(program))}
        # what was unpacked is on the stage already
        self.stage.confine([path for path in needed if not path.startswith(str(self.stage.root))])
        shutil.copytree(HOOKS, self.stage.root / str(HOOKS).lstrip('/'))
        self.mariadb = self.add(MariaDB)
        self.postgresql = self.add(PostgreSQL)
        self.postgresql.query('CREATE TABLE t (a int)')
        self.settings()
        return self

    def add(self, kind: type):
        server = kind(self.mount / kind.__name__, self.environment)
        self.servers[kind] = server
        server.start()
        return server

    def close(self) -> None:
        self.stage.thaw()
        for agent in self.agents:
            agent.stop()
            agent.__exit__()
        self.agents.clear()
        super().close()
        self.settings()

    def settings(self, **values: object) -> None:
        if hasattr(self, 'postgresql'):
            values = {'MYSQL_SOCKET': self.mariadb.socket, 'MYSQL_OPTIONS': OPTIONS,
                      'POSTGRESQL_SERVERS': f'{self.postgresql.folder}:{PORT}',
                      'PGUSER': 'postgres', 'REDIS_MODE': 'off', 'MONGODB_MODE': 'off', **values}
        super().settings(**values)

    def start(self, hook: Path = DISPATCHER, novacron: str = '') -> Agent:
        agent = Agent(self.program, environment={**self.environment})
        self.agents.append(agent)
        configuration = agent.folder / 'agent.conf'
        configuration.write_text(f'[novacron]\n{novacron}\n' if novacron else '')
        agent.arguments = [f'-F{hook}', '-c', str(configuration)]
        return agent.start()

    def freeze(self, agent: Agent, connection: Connection) -> int:
        """Never without the list, though there is nothing else to freeze."""
        self.stage.forbid_others(agent.pid)
        return connection.call('guest-fsfreeze-freeze-list',
                               mountpoints=[self.stage.inside(self.mount)])

    def needs_ours(self) -> None:
        if not self.is_ours:
            raise Skip('qemu-ga has no limits')


class PostgreSQLWriter(Writer):
    INSERT = b'INSERT INTO r VALUES (1); SELECT 1;\n'
    OPTIONS = ()


def has_ended(pid: int) -> bool:
    """Nobody may be there to reap it."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] == 'Z'
    except (FileNotFoundError, ProcessLookupError):     # gone before it was opened, or read
        return True


def libraries(program: str) -> List[str]:
    linked = subprocess.run(['ldd', program], stdout=subprocess.PIPE, text=True, check=False)
    return re.findall(r'(/\S+) \(0x', linked.stdout)


def copy_device(mount: Path, image: Path) -> None:
    """What a snapshot of the disk below `mount` would have."""
    device = f'/dev/loop{os.minor(mount.stat().st_dev)}'
    subprocess.run(['dd', f'if={device}', f'of={image}', 'bs=1M', 'iflag=direct', 'conv=sparse',
                    'status=none'], check=True)


@contextmanager
def mounted_copy(play: Play, image: Path) -> Iterator[Path]:
    """The file system of a snapshot."""
    mount = play.stage.folder / 'copy'
    mount.mkdir(exist_ok=True)
    subprocess.run(['mount', '-o', 'loop', str(image), str(mount)], check=True)
    try:
        yield mount
    finally:
        subprocess.run(['umount', str(mount)], check=True)
        image.unlink()


def a_snapshot_holds_what_was_acknowledged_and_nothing_later(play: Play) -> None:
    agent = play.start()
    play.mariadb.query('TRUNCATE d.t')
    image = play.stage.folder / 'images' / 'snapshot'
    with agent.connect() as connection, Writer(play.mariadb) as writer:
        play.postgresql.query('INSERT INTO t SELECT generate_series(1, 1000)')
        written = play.postgresql.insert_position()
        before = writer.rows
        expect(play.freeze(agent, connection) == 1, 'nothing was frozen')
        after = writer.rows
        expect(writer.stands_still(0.5), 'rows were written while frozen')
        copy_device(play.mount, image)
        expect(connection.call('guest-fsfreeze-status') == 'frozen', 'not frozen')
        expect(connection.call('guest-fsfreeze-thaw') == 1, 'nothing was thawed')
        expect(writer.goes_on(), 'still locked after the thaw')
    with mounted_copy(play, image) as copy:
        maria = MariaDB(copy / 'MariaDB', play.environment, is_there=True)
        maria.run()
        try:
            held = int(maria.query('SELECT COUNT(*) FROM d.t'))
        finally:
            maria.stop()
        expect(before <= held <= after + 1, f'{held} rows, acknowledged {before} to {after}')
        control = PostgreSQL(copy / 'PostgreSQL', play.environment, is_there=True)
        expect(control.position("Latest checkpoint's REDO location") >= written,
               'the checkpoint is not in the snapshot')


@contextmanager
def pgbench(server: PostgreSQL) -> Iterator[None]:
    """Transactions without end, of several clients."""
    words = ['pgbench', '-h', str(server.folder), '-p', str(PORT), '-U', 'postgres', '-n']
    server.ask(*words, '-i', '-q', 'postgres')
    process = subprocess.Popen([*words, '-c', '4', '-T', '86400', 'postgres'],
                               env=server.environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        expect(wait_until(lambda: server.query('SELECT count(*) FROM pgbench_history') != '0', 30),
               'pgbench does nothing')
        yield
        expect(process.poll() is None, 'pgbench has ended')
    finally:
        process.kill()
        process.wait()


# Each of its transactions adds the same to one row of each.
BALANCED = """SELECT count(DISTINCT sum) FROM (
    SELECT sum(abalance) FROM pgbench_accounts UNION ALL
    SELECT sum(bbalance) FROM pgbench_branches UNION ALL
    SELECT sum(tbalance) FROM pgbench_tellers UNION ALL
    SELECT sum(delta) FROM pgbench_history) AS sums"""


@contextmanager
def running(server: Server) -> Iterator[Server]:
    server.run()
    try:
        yield server
    finally:
        server.stop()


def rows_in(play: Play, copy: Path) -> Tuple[int, int]:
    """What each server has after it was started from a copy."""
    postgresql = PostgreSQL(copy / 'PostgreSQL', play.environment, is_there=True)
    postgresql.forget_run()
    with running(MariaDB(copy / 'MariaDB', play.environment, is_there=True)) as server:
        maria = int(server.query('SELECT COUNT(*) FROM d.t'))
    with running(postgresql) as server:
        expect(server.query(BALANCED) == '1', 'a transaction of pgbench is there in part')
        return maria, int(server.query('SELECT COUNT(*) FROM r'))


def judge_snapshots(play: Play, connection: Connection,
                    freeze: Callable[[], Dict[str, Any]]) -> None:
    """Cycle after cycle, while pgbench runs: what was acknowledged before the freeze is in the
    snapshot of a freeze with the verdict `consistent`, and nothing that was acknowledged after
    it."""
    play.mariadb.query('TRUNCATE d.t')
    play.postgresql.query('DROP TABLE IF EXISTS r; CREATE TABLE r (a int)')
    image = play.stage.folder / 'images' / 'snapshot'
    with Writer(play.mariadb) as maria, PostgreSQLWriter(play.postgresql) as postgres, \
            pgbench(play.postgresql):
        for cycle in range(CYCLES_FULL if play.full else CYCLES):
            before = maria.rows, postgres.rows
            token = freeze()['token']
            after = maria.rows, postgres.rows
            copy_device(play.mount, image)
            answer = connection.call('novacron-quiesce-thaw', 60, token=token)
            expect(answer['verdict'] == 'consistent', f'cycle {cycle}: {answer}')
            expect(maria.goes_on() and postgres.goes_on(), f'cycle {cycle}: still held')
            with mounted_copy(play, image) as copy:
                held = rows_in(play, copy)
            for least, rows, most in zip(before, held, after):
                expect(least <= rows <= most + 1, f'cycle {cycle}: {held} rows, acknowledged '
                       f'{before} to {after}')


def snapshots_that_are_called_consistent_are(play: Play) -> None:
    """As the check above, cycle after cycle, with a token and of both databases."""
    play.needs_ours()
    agent = play.start(novacron='areas=quiesce')

    def freeze() -> Dict[str, Any]:
        play.stage.forbid_others(agent.pid)
        return connection.call('novacron-quiesce-freeze', 60, deadline_ms=30000,
                               mountpoints=[play.stage.inside(play.mount)])

    with agent.connect() as connection:
        judge_snapshots(play, connection, freeze)


def the_answer_does_not_wait_for_the_holder(play: Play) -> None:
    agent = play.start()
    with agent.connect() as connection:
        started = time.monotonic()
        play.freeze(agent, connection)
        expect(time.monotonic() - started < 10, 'the freeze waited')
        holder = play.holder(NAME)
        expect(not has_ended(holder), 'nobody holds the lock')
        connection.call('guest-fsfreeze-thaw')
        expect(has_ended(holder), 'the holder has outlived the thaw')


def an_agent_that_is_killed_takes_the_lock_with_it(play: Play) -> None:
    """The file system outlives qemu-ga frozen; it is thawed by hand then, without the hook."""
    agent = play.start(novacron=f'fsfreeze-deadline-ms={DEADLINE_MS}' if play.is_ours else '')
    with agent.connect() as connection, Writer(play.mariadb) as writer:
        play.freeze(agent, connection)
        holder = play.holder(NAME)
        expect(writer.stands_still(0.5), 'rows were written while frozen')
        agent.process.kill()
        agent.process.wait()
        expect(wait_until(lambda: has_ended(holder), DEADLINE_MS / 1000),
               'the holder lives on')
        if not play.is_ours:
            play.stage.thaw()
        expect(writer.goes_on(DEADLINE_MS / 1000 + SOON), 'the writer still stands')


def the_deadline_of_the_agent_ends_the_lock_as_well(play: Play) -> None:
    play.needs_ours()
    agent = play.start(novacron=f'fsfreeze-deadline-ms={DEADLINE_MS}')
    with agent.connect() as connection, Writer(play.mariadb) as writer:
        play.freeze(agent, connection)
        expect(writer.stands_still(0.5), 'rows were written while frozen')
        expect(writer.goes_on(DEADLINE_MS / 1000 + SOON), 'the writer still stands')
        expect(wait_until(lambda: not (play.run_folder / NAME).exists(), SOON),
               'the hook was not told to thaw')
        try:
            connection.call('guest-fsfreeze-thaw')
            raise AssertionError('the thaw does not tell that the deadline has passed')
        except ValueError as error:
            expect('deadline' in str(error), str(error))


def a_database_that_is_not_ready_refuses_the_freeze(play: Play) -> None:
    play.settings(MYSQL_OPTIONS=OPTIONS + ' -pwrong')
    agent = play.start()
    with agent.connect() as connection, Writer(play.mariadb) as writer:
        try:
            play.freeze(agent, connection)
            raise AssertionError('frozen')
        except ValueError as error:
            text = str(error)
        expect('failed to execute fsfreeze hook' in text and 'Access denied' in text, text)
        expect(connection.call('guest-fsfreeze-status') == 'thawed', 'frozen')
        expect(writer.goes_on(), 'something is locked')


def where_nothing_is_frozen_nothing_stays_locked(play: Play) -> None:
    """libvirt asks for no thaw then. qemu-ga leaves the hook as it is until somebody does."""
    agent = play.start()
    with agent.connect() as connection, Writer(play.mariadb) as writer:
        play.stage.forbid_others(agent.pid)
        count = connection.call('guest-fsfreeze-freeze-list', mountpoints=['/nonexistent'])
        expect(count == 0, f'{count} file systems are frozen')
        if not play.is_ours:
            expect(writer.stands_still(0.5), 'not locked')
            connection.call('guest-fsfreeze-thaw')
        expect(writer.goes_on(), 'still locked')


def the_time_limit_for_hooks_ends_the_locks_that_were_taken(play: Play) -> None:
    play.needs_ours()
    scripts = play.run_folder / 'scripts.d'
    scripts.mkdir()
    shutil.copy(SCRIPTS / '60-mariadb-mysql', scripts)
    shutil.copy(HOOKS / 'fsfreeze-hook.common', play.run_folder)
    slow = scripts / '90-slow'
    slow.write_text('#!/bin/sh\n[ "$1" = thaw ] || sleep 30\n')
    slow.chmod(0o755)
    play.settings(FSFREEZE_HOOK_DIR=scripts)
    agent = play.start(novacron=f'fsfreeze-hook-timeout-ms={HOOK_LIMIT_MS}')
    with agent.connect() as connection, Writer(play.mariadb) as writer:
        started = time.monotonic()
        try:
            play.freeze(agent, connection)
            raise AssertionError('frozen')
        except ValueError as error:
            text = str(error)
        expect(time.monotonic() - started < 10 and 'no end within' in text, text)
        expect('90-slow freeze' in text, f'which script hangs is not told: {text}')
        expect(writer.goes_on(), 'still locked')


CHECKS = [
    a_snapshot_holds_what_was_acknowledged_and_nothing_later,
    snapshots_that_are_called_consistent_are,
    the_answer_does_not_wait_for_the_holder,
    an_agent_that_is_killed_takes_the_lock_with_it,
    the_deadline_of_the_agent_ends_the_lock_as_well,
    a_database_that_is_not_ready_refuses_the_freeze,
    where_nothing_is_frozen_nothing_stays_locked,
    the_time_limit_for_hooks_ends_the_locks_that_were_taken,
]


def main() -> int:
    options = check.parser(__doc__)
    options.add_argument('--full', action='store_true', help='more snapshots')
    chosen = options.parse_args()
    program = suite.program(chosen.agent)

    def body(where: Stage) -> int:
        with Play(where, program, not chosen.agent.startswith('oracle:'), chosen.full) as play:
            return check.run_all([sys.modules[__name__]], chosen, lambda: play)

    return stage.perform(['ext4'], body, MEBIBYTES)


if __name__ == '__main__':
    sys.exit(main())
