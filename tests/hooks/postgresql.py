# SPDX-License-Identifier: GPL-2.0-or-later
"""PostgreSQL: is there a checkpoint, and what if there can be none?"""
import os
import re
import signal
from pathlib import Path
from typing import List

from bench import SCRIPTS, USER, Bench, Server
from lib.check import expect
from lib.process import wait_until

HOOK = SCRIPTS / '20-postgresql'
PORT = 5999


class PostgreSQL(Server):
    @property
    def data(self) -> Path:
        return self.folder / 'data'

    def start(self) -> None:
        self.prepare('initdb', '-D', str(self.data), '-U', 'postgres', '-A', 'trust', '--no-sync',
                     '--no-locale', '-E', 'UTF8')
        self.run()

    def run(self) -> None:
        self.launch(['postgres', '-D', str(self.data), '-k', str(self.folder), '-p', str(PORT),
                     '-c', 'listen_addresses=', '-c', 'checkpoint_timeout=1d',
                     '-c', 'log_checkpoints=on', '-c', 'shared_buffers=16MB'],
                    lambda: (self.folder / f'.s.PGSQL.{PORT}').exists()
                    and 'ready to accept connections' in self.log())

    def settings(self, bench: Bench, **more: object) -> None:
        bench.settings(POSTGRESQL_SERVERS=f'{self.folder}:{PORT}', PGUSER='postgres',
                       POSTGRESQL_USER=USER, **more)

    def client(self) -> List[str]:
        return ['psql', '-XAtq', '-h', str(self.folder), '-p', str(PORT), '-U', 'postgres',
                '-d', 'postgres']

    def query(self, text: str) -> str:
        return self.ask(*self.client(), '-c', text)

    def forget_run(self) -> None:
        """What a server that was killed, or copied while it ran, has left."""
        for leftover in (f'.s.PGSQL.{PORT}', f'.s.PGSQL.{PORT}.lock', 'data/postmaster.pid'):
            (self.folder / leftover).unlink(missing_ok=True)
        (self.folder / 'log').write_text('')

    def position(self, line: str) -> int:
        """A position in the log of writes that pg_control has."""
        text = self.ask('pg_controldata', str(self.data))
        high, low = re.search(rf'^{line}: +(\w+)/(\w+)$', text, re.M).groups()
        return int(high, 16) << 32 | int(low, 16)

    def insert_position(self) -> int:
        high, low = self.query('SELECT pg_current_wal_insert_lsn()').split('/')
        return int(high, 16) << 32 | int(low, 16)

    def checkpointer(self) -> int:
        return int(self.query(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"))


def a_freeze_makes_a_checkpoint(bench: Bench) -> None:
    server = bench.server(PostgreSQL)
    server.settings(bench)
    server.query('CREATE TABLE IF NOT EXISTS t (a int)')
    server.query('INSERT INTO t SELECT generate_series(1, 20000)')
    written = server.insert_position()
    expect(server.position("Latest checkpoint's REDO location") < written,
           'all is in a checkpoint already: this proves nothing')
    done = bench.ok(HOOK, 'freeze')
    expect(not done.output, str(done))
    expect(server.position("Latest checkpoint's REDO location") >= written,
           'what was written before is not in the checkpoint of pg_control')
    expect('checkpoint starting: immediate force wait' in server.log(), 'not in its log')
    bench.ok(HOOK, 'thaw')


def what_a_freeze_leaves_needs_no_recovery_of_earlier_writes(bench: Bench) -> None:
    """A copy as a snapshot would be, started: its recovery begins where the checkpoint was."""
    server = bench.server(PostgreSQL)
    server.settings(bench)
    server.query('CREATE TABLE IF NOT EXISTS u AS SELECT generate_series(1, 50000) AS a')
    written = server.insert_position()
    bench.ok(HOOK, 'freeze')
    server.process.kill()
    server.process.wait()
    server.forget_run()
    server.run()
    start = re.search(r'redo starts at (\w+)/(\w+)', server.log())
    expect(start is None or int(start[1], 16) << 32 | int(start[2], 16) >= written,
           f'recovery begins at {start and start[0]}')
    expect(server.query('SELECT count(*) FROM u') == '50000', 'rows are missing')


def a_server_that_refuses_us_ends_the_freeze_or_not_as_configured(bench: Bench) -> None:
    server = bench.server(PostgreSQL)
    server.settings(bench)
    done = bench.run(HOOK, 'freeze', PGUSER='postgres')
    expect(done.status == 0, str(done))
    server.settings(bench)
    with open(bench.settings_file, 'a', encoding='ascii') as file:
        file.write('PGUSER=nobody-known\n')
    done = bench.run(HOOK, 'freeze')
    expect(done.status == 1 and 'nobody-known' in done.output, str(done))
    for name in ('ON_FAILURE', 'POSTGRESQL_ON_FAILURE'):
        done = bench.run(HOOK, 'freeze', **{name: 'degrade'})
        expect(done.status == 0 and 'has to do without' in done.output, str(done))
    done = bench.run(HOOK, 'freeze', POSTGRESQL_MODE='off')
    expect(done.status == 0 and not done.output, str(done))


def a_checkpoint_that_does_not_end_has_a_limit(bench: Bench) -> None:
    server = bench.server(PostgreSQL)
    server.settings(bench, PREPARE_LIMIT=1)
    pid = server.checkpointer()
    os.kill(pid, signal.SIGSTOP)
    try:
        done = bench.run(HOOK, 'freeze')
    finally:
        os.kill(pid, signal.SIGCONT)
    expect(done.status == 1 and done.seconds < 8, str(done))
    expect('no checkpoint of' in done.output, str(done))


def a_server_that_has_left_its_socket_is_skipped(bench: Bench) -> None:
    server = bench.server(PostgreSQL)
    server.settings(bench)
    server.process.kill()
    server.process.wait()
    done = bench.run(HOOK, 'freeze')
    (server.folder / f'.s.PGSQL.{PORT}.lock').unlink(missing_ok=True)
    server.run()
    expect(done.status == 0 and not done.output, str(done))


CHECKS = [
    a_freeze_makes_a_checkpoint,
    what_a_freeze_leaves_needs_no_recovery_of_earlier_writes,
    a_server_that_refuses_us_ends_the_freeze_or_not_as_configured,
    a_checkpoint_that_does_not_end_has_a_limit,
    a_server_that_has_left_its_socket_is_skipped,
]
