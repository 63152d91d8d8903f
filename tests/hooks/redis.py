# SPDX-License-Identifier: GPL-2.0-or-later
"""Redis: a snapshot of its own is made where nothing else is kept."""
import shutil

from bench import SCRIPTS, Bench, Server
from lib.check import expect

HOOK = SCRIPTS / '30-redis'


class Redis(Server):
    def start(self) -> None:
        self.socket = self.folder / 'socket'
        # In Debian's redis-tools one program has many names.
        program = self.folder / 'redis-server'
        program.symlink_to(shutil.which('redis-check-rdb', path=self.environment['PATH']))
        self.launch([str(program), '--port', '0', '--unixsocket', str(self.socket), '--dir',
                     str(self.folder), '--save', '3600 1', '--enable-protected-configs', 'yes'],
                    self.socket.exists)

    def do(self, *words: str) -> str:
        answer = self.ask('redis-cli', '-s', str(self.socket), *words)
        expect(not answer.startswith('ERR'), f'{words}: {answer}')
        return answer

    def settings(self, bench: Bench, **more: object) -> None:
        bench.settings(REDIS_SERVERS=self.socket, **more)

    def is_saved(self, text: str) -> bool:
        file = self.folder / 'dump.rdb'
        return file.exists() and text.encode() in file.read_bytes()


def what_is_only_in_memory_is_saved(bench: Bench) -> None:
    server = bench.server(Redis)
    server.settings(bench)
    server.do('SET', 'first', 'value-of-the-first')
    expect(not server.is_saved('value-of-the-first'), 'it is saved already')
    done = bench.ok(HOOK, 'freeze')
    expect(not done.output and server.is_saved('value-of-the-first'), f'not saved: {done}')
    bench.ok(HOOK, 'thaw')


def what_is_saved_already_is_not_saved_again(bench: Bench) -> None:
    server = bench.server(Redis)
    server.settings(bench)
    server.do('SET', 'key', 'value')
    bench.ok(HOOK, 'freeze')
    before = (server.folder / 'dump.rdb').stat().st_mtime_ns
    bench.ok(HOOK, 'freeze')
    expect((server.folder / 'dump.rdb').stat().st_mtime_ns == before, 'saved again')


def nothing_is_saved_where_the_operator_saves_otherwise(bench: Bench) -> None:
    server = bench.server(Redis)
    server.settings(bench)
    for name, value, usual in (('appendonly', 'yes', 'no'), ('save', '', '3600 1')):
        server.do('CONFIG', 'SET', name, value)
        server.do('SET', 'key', f'kept-by-{name}')
        done = bench.ok(HOOK, 'freeze')
        server.do('CONFIG', 'SET', name, usual)
        expect(not server.is_saved(f'kept-by-{name}'), f'{name}: saved; {done}')


def a_save_that_fails_ends_the_freeze_or_not_as_configured(bench: Bench) -> None:
    server = bench.server(Redis)
    server.settings(bench)
    server.do('SET', 'key', 'cannot-be-saved')
    obstacle = server.folder / 'in-the-way.rdb'
    obstacle.mkdir()
    server.do('CONFIG', 'SET', 'dbfilename', obstacle.name)
    try:
        done = bench.run(HOOK, 'freeze')
        lenient = bench.run(HOOK, 'freeze', REDIS_ON_FAILURE='degrade')
    finally:
        server.do('CONFIG', 'SET', 'dbfilename', 'dump.rdb')
    expect(done.status == 1 and 'has failed to save' in done.output, str(done))
    expect(lenient.status == 0 and 'has to do without' in lenient.output, str(lenient))
    expect(not server.is_saved('cannot-be-saved'), 'it was saved after all')
    bench.ok(HOOK, 'freeze')
    expect(server.is_saved('cannot-be-saved'), 'not saved by the next freeze')


def a_password_is_taken_from_the_settings(bench: Bench) -> None:
    server = bench.server(Redis)
    server.do('CONFIG', 'SET', 'requirepass', 'secret')
    try:
        server.settings(bench)
        refused = bench.run(HOOK, 'freeze')
        server.settings(bench, REDISCLI_AUTH='secret')
        done = bench.run(HOOK, 'freeze')
    finally:
        server.ask('redis-cli', '-s', str(server.socket), '--no-auth-warning', '-a', 'secret',
                   'CONFIG', 'SET', 'requirepass', '')
    expect(refused.status == 1 and 'NOAUTH' in refused.output, str(refused))
    expect(done.status == 0, str(done))


CHECKS = [
    what_is_only_in_memory_is_saved,
    what_is_saved_already_is_not_saved_again,
    nothing_is_saved_where_the_operator_saves_otherwise,
    a_save_that_fails_ends_the_freeze_or_not_as_configured,
    a_password_is_taken_from_the_settings,
]
