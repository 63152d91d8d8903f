# SPDX-License-Identifier: GPL-2.0-or-later
"""MySQL and MongoDB: Debian has no servers of theirs. Stand-ins for their clients keep a journal of
what they were told and behave as the clients' manuals say. They show that the scripts keep to the
protocol of their holder, not that a real server likes the statements. MongoDB's are JavaScript,
which a real interpreter runs.
"""
import os
import signal
import socket
from pathlib import Path
from typing import List

from bench import SCRIPTS, Bench
from lib.check import expect
from lib.process import wait_until

MYSQL = SCRIPTS / '60-mariadb-mysql'
MONGODB = SCRIPTS / '40-mongodb'

MYSQL_CLIENT = r'''#!/usr/bin/python3
import os, pathlib, re, sys
folder = pathlib.Path(sys.argv[0]).parent
def journal(line):
    with open(folder / 'journal', 'a') as file:
        file.write(line + '\n')
if '-e' in sys.argv:
    print(os.environ.get('VERSION', '8.0.36'))
    sys.exit()
for statement in (part for line in sys.stdin for part in re.findall(r'[^;\n]+;', line)):
    statement = ' '.join(statement.split())
    journal(statement)
    if statement.startswith('LOCK') and os.environ.get('REFUSES'):
        sys.exit('ERROR 1227 (42000): Access denied; you need BACKUP_ADMIN')
    word = re.match(r"SELECT '(\w+)'", statement)
    if word:
        print(word[1], flush=True)
journal('end')
'''

MONGO_CLIENT = r'''
const fs = require('fs'), folder = __dirname;
const path = folder + '/locks';
const count = () => Number(fs.existsSync(path) ? fs.readFileSync(path) : 0);
if (process.env.ABSENT) {
    console.log('MongoNetworkError: connect ECONNREFUSED 127.0.0.1:27017');
    process.exit(1);
}
if (process.env.NONBLOCKING) process.stdin.on('error', () => {});
const print = text => fs.writeSync(1, text + '\n');
const sleep = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const db = { version: () => '7.0.5', getSiblingDB: () => ({ runCommand: command => {
    fs.appendFileSync(folder + '/journal', JSON.stringify(command) + '\n');
    if (process.env.REFUSES) return { ok: 0, errmsg: 'not authorized on admin' };
    if (command.fsyncUnlock && !count()) return { ok: 0, errmsg: 'not locked' };
    if (command.fsyncUnlock) fs.writeFileSync(path, String(count() - 1));
    if (command.lock) fs.writeFileSync(path, String(count() + 1));
    return { ok: 1 };
} }) };
const words = process.argv;
eval(words[words.indexOf('--eval') + 1]);
process.exit(0);
'''


class StandIn:
    def __init__(self, bench: Bench):
        self.bench = bench
        self.folder = bench.run_folder / 'bin'
        self.folder.mkdir()
        bench.settings(PATH=f'{self.folder}:{bench.environment["PATH"]}')

    def add(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def journal(self) -> List[str]:
        path = self.folder / 'journal'
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines


class MySQL(StandIn):
    def __init__(self, bench: Bench):
        super().__init__(bench)
        self.add('mariadb', MYSQL_CLIENT)
        self.add('mysql', MYSQL_CLIENT)
        path = bench.run_folder / 'socket'
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        with open(bench.settings_file, 'a', encoding='ascii') as file:
            file.write(f'MYSQL_SOCKET={path}\nLOCK_LIMIT=20\n')


class MongoDB(StandIn):
    def __init__(self, bench: Bench):
        super().__init__(bench)
        self.add('mongosh.js', MONGO_CLIENT)
        self.add('mongosh', '#!/bin/sh\nexec node "${0%/*}/mongosh.js" "$@"\n')

    def locks(self) -> int:
        path = self.folder / 'locks'
        return int(path.read_text() or 0) if path.exists() else 0


SETTINGS = 'SET SESSION lock_wait_timeout = 5, wait_timeout = 80;'


def mysql_is_held_by_an_idle_session(bench: Bench) -> None:
    server = MySQL(bench)
    cases = {'backup-lock': ('LOCK INSTANCE FOR BACKUP;', 'UNLOCK INSTANCE;'),
             'read-lock': ('FLUSH TABLES WITH READ LOCK;', 'UNLOCK TABLES;')}
    for mode, (lock, unlock) in cases.items():
        bench.ok(MYSQL, 'freeze', MYSQL_MODE=mode)
        expect(server.journal() == [SETTINGS, lock, "SELECT 'held';"], f'{mode}: other statements')
        bench.ok(MYSQL, 'thaw', MYSQL_MODE=mode)
        expect(server.journal() == [unlock, "SELECT 'kept';", 'end'], f'{mode}: not given back')


def mysql_is_let_alone_if_so_configured(bench: Bench) -> None:
    server = MySQL(bench)
    bench.ok(MYSQL, 'freeze', MYSQL_MODE='off')
    expect(not server.journal(), 'it was asked for something')
    done = bench.run(MYSQL, 'freeze', MYSQL_MODE='block-commit')
    expect(done.status == 1 and 'block-commit is unknown to MySQL' in done.output, str(done))


def mysql_without_the_privilege_fails_the_freeze_or_not(bench: Bench) -> None:
    MySQL(bench)
    done = bench.run(MYSQL, 'freeze', REFUSES='yes')
    expect(done.status == 1 and 'BACKUP_ADMIN' in done.output, str(done))
    done = bench.run(MYSQL, 'freeze', REFUSES='yes', MYSQL_ON_FAILURE='degrade')
    expect(done.status == 0 and 'has to do without' in done.output, str(done))
    bench.ok(MYSQL, 'thaw')


def mongodb_is_flushed_without_a_lock(bench: Bench) -> None:
    server = MongoDB(bench)
    done = bench.ok(MONGODB, 'freeze')
    expect(not done.output and server.journal() == ['{"fsync":1}'], str(done))
    bench.ok(MONGODB, 'thaw')
    expect(not server.journal(), 'the thaw has asked for something')


def mongodb_that_the_agent_has_flushed_is_locked_at_most(bench: Bench) -> None:
    server = MongoDB(bench)
    for mode, locks in (('fsync', 0), ('lock', 1)):
        bench.ok(MONGODB, 'freeze', MONGODB_MODE=mode, NOVACRON_QUIESCE_HELD='redis mongodb')
        expect(server.locks() == locks and '{"fsync":1}' not in server.journal(), mode)
        bench.ok(MONGODB, 'thaw', MONGODB_MODE=mode, NOVACRON_QUIESCE_HELD='redis mongodb')
        expect(server.locks() == 0, f'{mode}: still locked')


def mongodb_that_does_not_run_is_skipped(bench: Bench) -> None:
    MongoDB(bench)
    for mode in ('fsync', 'lock'):
        done = bench.run(MONGODB, 'freeze', ABSENT='yes', MONGODB_MODE=mode)
        expect(done.status == 0 and not done.output, f'{mode}: {done}')


def mongodb_that_refuses_us_fails_the_freeze(bench: Bench) -> None:
    MongoDB(bench)
    for mode in ('fsync', 'lock'):
        done = bench.run(MONGODB, 'freeze', REFUSES='yes', MONGODB_MODE=mode)
        expect(done.status == 1 and 'not authorized' in done.output, f'{mode}: {done}')


def mongodb_is_unlocked_by_the_thaw(bench: Bench) -> None:
    server = MongoDB(bench)
    for blocking in ({}, {'NONBLOCKING': 'yes'}):
        bench.ok(MONGODB, 'freeze', MONGODB_MODE='lock', **blocking)
        expect(server.locks() == 1, f'{blocking}: not locked')
        bench.ok(MONGODB, 'thaw', MONGODB_MODE='lock', **blocking)
        expect(server.locks() == 0, f'{blocking}: still locked')
        expect('"fsyncLockAcquisitionTimeoutMillis":30000' in server.journal()[0], 'no limit')


def mongodb_is_unlocked_once_whoever_is_killed(bench: Bench) -> None:
    """The lock is a counter: one unlock too many would open somebody else's."""
    server = MongoDB(bench)
    for victim in ('agent', 'holder', 'session', 'holder and session'):
        bench.settings(PATH=f'{server.folder}:{bench.environment["PATH"]}', MONGODB_MODE='lock')
        agent = bench.run_under_agent(MONGODB, 'freeze')
        expect(server.locks() == 1, f'{victim}: not locked')
        holder = bench.holder('mongodb')
        children = Path(f'/proc/{holder}/task/{holder}/children').read_text().split()
        sessions = [int(pid) for pid in children
                    if 'node' in Path(f'/proc/{pid}/comm').read_text()]
        expect(len(sessions) == 1, f'the children of the holder are {children}')
        victims = {'agent': [agent.pid], 'holder': [holder], 'session': sessions,
                   'holder and session': [holder, *sessions]}[victim]
        for pid in victims:
            os.kill(pid, signal.SIGSTOP)
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        agent.poll()
        if len(victims) == 1:
            expect(wait_until(lambda: server.locks() == 0), f'{victim}: still locked')
        expect(bench.run(MONGODB, 'thaw').status == 1, f'{victim}: the thaw does not tell')
        expect(server.locks() == 0, f'{victim}: still locked after the thaw')
        expect(''.join(server.journal()).count('fsyncUnlock') == 1, f'{victim}: unlocked twice')


CHECKS = [
    mysql_is_held_by_an_idle_session,
    mysql_is_let_alone_if_so_configured,
    mysql_without_the_privilege_fails_the_freeze_or_not,
    mongodb_is_flushed_without_a_lock,
    mongodb_that_the_agent_has_flushed_is_locked_at_most,
    mongodb_that_does_not_run_is_skipped,
    mongodb_that_refuses_us_fails_the_freeze,
    mongodb_is_unlocked_by_the_thaw,
    mongodb_is_unlocked_once_whoever_is_killed,
]
