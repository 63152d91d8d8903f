# SPDX-License-Identifier: GPL-2.0-or-later
"""Homes belong to users, who may be up to no good, or quick, or have odd files."""
import os
import re
import subprocess
import sys
import threading
import time
from typing import Any, Set

from lib import oracle
from lib.check import Skip, expect
from stage import AT_HOME, BOB, BOBS, FILE, FOLDER, HOME, Scene, Stage, request
from world import Node, Setting

ROUNDS = 120
PATIENCE = 20.0
KEYS_EACH = 40
ALL = [request('ssh-get-authorized-keys', username='bob'),
       request('ssh-add-authorized-keys', username='bob', keys=['k']),
       request('ssh-remove-authorized-keys', username='bob', keys=['k'])]

VAULT = {'home/vault': Node('folder', mode=0o755),
         'home/vault/authorized_keys': Node(text=b'precious', mode=0o600)}

# As a user, puts links to where only root may go in the place of a folder, as fast as it can.
ATTACK = '''
import os, shutil, sys
home, uid, gid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.setgroups([])
os.setgid(gid)
os.setuid(uid)
os.chdir(home)
def attempt(function, *arguments):
    try:
        function(*arguments)
    except OSError:
        pass
while True:
    shutil.rmtree('.ssh', ignore_errors=True)
    attempt(os.symlink, '/home/vault', '.ssh')
    attempt(os.unlink, '.ssh')
    attempt(os.mkdir, '.ssh', 0o700)
    attempt(os.symlink, '/home/vault/authorized_keys', '.ssh/authorized_keys')
'''

TOUCHING = ('open,openat,mkdir,mkdirat,chown,fchown,fchownat,chmod,fchmod,fchmodat,rename,renameat,'
            'renameat2,unlink,unlinkat,stat,newfstatat,access,faccessat,faccessat2')
BECOMING = 'setgroups,setresgid,setresuid,setuid,setreuid,setgid,setregid,setfsuid,setfsgid'
CALL = re.compile(r'^(\d+) +(\w+)\((.*)')


def vault(scene: Scene) -> Any:
    info = os.stat(scene.world.folder / 'home/vault')
    return scene.world.tree('home/vault'), info.st_mode, info.st_uid, info.st_gid


def vault_survives_a_link(scene: Scene) -> bool:
    before = vault(scene)
    with scene.connect() as client:
        client.ask(request('ssh-add-authorized-keys', username='bob', keys=['k'], reset=True))
        answers = [client.ask(line) for line in ALL]
    return vault(scene) == before and b'precious' not in b''.join(answers)


def linked() -> Setting:
    return Setting({HOME: AT_HOME[HOME], FOLDER: Node('link', b'/home/vault'), **VAULT})


def a_link_leads_the_agent_nowhere(stage: Stage) -> None:
    expect(vault_survives_a_link(stage.play(linked())), 'the agent went there')


def it_leads_an_agent_that_is_root(stage: Stage) -> None:
    """The check before this one would find it: here is qemu-ga 10.0."""
    try:
        program = oracle.program('10.0')
    except oracle.Unavailable as reason:
        raise Skip(f'qemu-ga 10.0 cannot be had: {reason}') from reason
    expect(not vault_survives_a_link(stage.play(linked(), program=program)),
           'not even that one went there')


def is_met(answers: Set[bytes]) -> bool:
    return any(b'Permission denied' in answer for answer in answers)


def nor_does_one_that_comes_and_goes(stage: Stage) -> None:
    scene = stage.play(Setting({HOME: AT_HOME[HOME], **VAULT}))
    scene.world.folder.chmod(0o711)
    before = vault(scene)
    answers: Set[bytes] = set()
    with scene.connect() as client, subprocess.Popen(
            [sys.executable, '-c', ATTACK, str(scene.world.folder / HOME), str(BOB), str(BOBS)],
            stderr=subprocess.DEVNULL) as attacker:
        try:
            deadline = time.monotonic() + PATIENCE
            number = 0
            while number < ROUNDS or time.monotonic() < deadline and not is_met(answers):
                answers.add(re.sub(rb'keys\.\w{6}', b'keys.X', client.ask(ALL[number % 3])))
                number += 1
            expect(attacker.poll() is None, 'the attacker gave up')
        finally:
            attacker.kill()
    expect(vault(scene) == before, f'changed: {vault(scene)}')
    expect(not any(b'precious' in answer for answer in answers), f'told: {answers}')
    expect(is_met(answers), f'the link never was there: {answers}')


def what_is_no_list_of_keys_is_an_error(stage: Stage) -> None:
    cases = [(Node('fifo', mode=0o666), b'Is a FIFO'),
             (Node('zero', mode=0o666), b'File too large'),
             (Node(text=b'k\n' * (3 << 20), owner=BOB, group=BOBS), b'File too large')]
    scene = stage.play(Setting(AT_HOME))
    with scene.connect() as client:
        for node, reason in cases:
            scene.world.set(Setting({**AT_HOME, FILE: node}))
            before = scene.world.tree('home')
            for line in ALL:
                began = time.monotonic()
                answer = client.ask(line)
                expect(reason in answer, repr(answer))
                expect(time.monotonic() - began < 5, f'{line!r} took its time')
            expect(before == scene.world.tree('home'), f'the {node.kind} was changed')


def two_sessions_add_all_their_keys(stage: Stage) -> None:
    scene = stage.play(Setting(AT_HOME))

    def add(name: str) -> None:
        with scene.connect(second=name == 'two') as client:
            for number in range(KEYS_EACH):
                client.call('guest-ssh-add-authorized-keys', username='bob',
                            keys=[f'{name} {number}'])

    threads = [threading.Thread(target=add, args=(name,)) for name in ('one', 'two')]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = (scene.world.folder / FILE).read_text(encoding='utf-8').split('\n')
    expect(sorted(found) == sorted(f'{name} {number}' for name in ('one', 'two')
                                   for number in range(KEYS_EACH)),
           f'{len(found)} of {2 * KEYS_EACH}: {found}')


def only_the_user_touches_a_home(stage: Stage) -> None:
    """By the system calls: whatever names a home comes after the rights were given up for good."""
    scene = stage.play(Setting(AT_HOME), traced=f'-e trace=exit_group,{TOUCHING},{BECOMING}')
    with scene.connect() as client:
        for line in (ALL[1], ALL[0], ALL[2]):
            expect(b'return' in client.ask(line), repr(line))
    calls = [found.groups() for found in map(CALL.match, scene.system_calls()) if found]
    users, changed, touched = set(), set(), 0
    for pid, name, rest in calls:
        if name == 'setresuid' and re.match(rf'{BOB}, {BOB}, {BOB}\) += 0', rest):
            users.add(pid)
        elif '"/home/' in rest:
            touched += 1
            expect(pid in users, f'as root: {name}({rest}')
        if name in BECOMING.split(','):
            changed.add(pid)
    expect(touched > 5 and len(users) >= 5, f'{touched} calls by {len(users)} children')
    expect(changed == users, f'the rights of {changed - users} have changed, too')


CHECKS = [
    a_link_leads_the_agent_nowhere,
    it_leads_an_agent_that_is_root,
    nor_does_one_that_comes_and_goes,
    what_is_no_list_of_keys_is_an_error,
    two_sessions_add_all_their_keys,
    only_the_user_touches_a_home,
]
