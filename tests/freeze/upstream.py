# SPDX-License-Identifier: GPL-2.0-or-later
"""Without a deadline: the same answers, logs, hook calls and files as qemu-ga 11.1's.

But for the hook, which we tell to thaw whenever nothing is frozen in the end.
"""
import contextlib
import json
import os
import re
import socket
import stat
import subprocess
import threading
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from lib import stage
from lib.check import expect
from scene import PATIENCE, Actor, Scene, calls

# What each program logs of its own ways, and our extensions.
PRIVATE = re.compile(r'debug: (read data|process_event|processing command|sending data|received EOF'
                     r'|Guest agent version|g_unix_open_pipe|\w+ command: novacron-)')
LOG_LINE = re.compile(r'\d+\.\d{6}: ((?:debug|warning|critical): .*)')
ACCOUNT_LINE = re.compile(rb'.*qemu-ga(?:\[\d+\])?: (info: .*)', re.S)
HOOK = '[ ! -e ${0%hook}fail ] || { echo no; exit 3; }'
RUN_HOOK = b"info: executing fsfreeze hook with arg '%s'"


class Request(NamedTuple):
    command: str
    arguments: Dict[str, object] = {}
    frozen: Tuple[int, ...] = ()        # by us, just before
    hook_fails: bool = False


def requests(scene: Scene) -> List[Request]:
    points = [scene.stage.inside(mount) for mount in scene.mounts]
    status, freeze, thaw = Request('status'), Request('freeze'), Request('thaw')

    def listed(*names: str) -> Request:
        return Request('freeze-list', {'mountpoints': list(names)})

    return [
        status, thaw, status, freeze, status, freeze, listed(points[0]), thaw,
        Request('freeze', hook_fails=True), status, thaw,
        listed(points[1]), status, Request('thaw', hook_fails=True), status, thaw,
        listed('/none'), status, listed(), listed(points[0] + '/'),
        Request('freeze', frozen=(0,)), thaw, Request('thaw', frozen=(0, 2)),
        Request('freeze', frozen=(0, 1, 2)), status, thaw,
        Request('freeze-list', {'mountpoints': 'x'}), Request('thaw', {'x': 1}), status,
    ]


class Heard(NamedTuple):
    answers: List[bytes]
    log: List[str]
    account: List[bytes]
    hooks: List[List[str]]              # by request
    left: List[str]


def listen(listener: socket.socket, lines: List[bytes]) -> None:
    """Until an empty one. Upstream stands still when nobody listens."""
    for text in iter(lambda: listener.recv(1 << 16), b''):
        found = ACCOUNT_LINE.fullmatch(text)
        lines.append(found[1].rstrip(b'\n\0') if found else text)


@contextlib.contextmanager
def system_log(scene: Scene, lines: List[bytes]) -> Iterator[None]:
    """A /dev of our own, with a log in it; the other one is the machine's."""
    folder = scene.stage.root / 'dev'
    loops = [path for path in folder.glob('loop[0-9]*') if stat.S_ISBLK(path.stat().st_mode)]
    nodes = {path.name: path.stat() for path in (folder / 'null', *loops)}
    subprocess.run(['mount', '-t', 'tmpfs', 'dev', str(folder)], check=True)
    try:
        for name, info in nodes.items():
            os.mknod(folder / name, info.st_mode, info.st_rdev)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(folder / 'log'))
            thread = threading.Thread(target=listen, args=(listener, lines))
            thread.start()
            try:
                yield
            finally:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                    sender.sendto(b'', str(folder / 'log'))
                thread.join()
    finally:
        subprocess.run(['umount', '--lazy', str(folder)], check=True)


def log_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        found = LOG_LINE.fullmatch(line)
        if found and not PRIVATE.match(found[1]):
            yield found[1]


def play(scene: Scene, program: Sequence[str]) -> Heard:
    account: List[bytes] = []
    with system_log(scene, account):
        agent = scene.prepare(hook=HOOK, program=program)
        log = agent.folder / 'agent.log'
        agent.arguments += ['-v', '-l', str(log)]
        actor = Actor(scene.stage, agent)
        answers, hooks = [], []
        for request in requests(scene):
            for number in request.frozen:
                stage.freeze(scene.mounts[number])
            scene.stage.forbid_others(agent.pid)
            message = {'execute': 'guest-fsfreeze-' + request.command,
                       'arguments': dict(request.arguments), 'id': len(answers)}
            before = len(calls(actor))
            if request.hook_fails:
                (agent.folder / 'fail').touch()
            answers.append(actor.client.ask(json.dumps(message).encode() + b'\n', PATIENCE))
            hooks.append(calls(actor)[before:])
            (agent.folder / 'fail').unlink(missing_ok=True)
        left = actor.left()
        expect(actor.end() == 0, 'its status')
    return Heard(answers, list(log_lines(log.read_text())), account, hooks, left)


def as_upstreams(heard: Heard) -> Heard:
    """Without what we tell the hook in addition."""
    hooks = [told[:1] if told == ['freeze-', 'thaw-'] else told for told in heard.hooks]
    account = [line for before, line in zip([b'', *heard.account], heard.account)
               if line != RUN_HOOK % b'thaw' or before != RUN_HOOK % b'freeze']
    log = [line for line in heard.log if not line.startswith('warning: child process has failed')]
    return heard._replace(log=log, hooks=hooks, account=account)


def everything_is_as_with_upstream(scene: Scene) -> None:
    ours, theirs = as_upstreams(play(scene, scene.program)), play(scene, scene.upstream)
    for name, mine, yours in zip(Heard._fields, ours, theirs):
        for number, (one, other) in enumerate(zip(mine, yours)):
            expect(one == other, f'{name} {number}: {one!r}, but upstream {other!r}')
        expect(len(mine) == len(yours), f'{name}: {len(mine)}, upstream {len(yours)}: '
               f'{(mine + yours)[min(len(mine), len(yours)):]}')
        expect(bool(mine), f'no {name}')
    refused = sum(b'"error"' in answer for answer in ours.answers)
    expect(refused == 6, f'{refused} answers are errors: hooks do not fail as they were told')


CHECKS: List[object] = [everything_is_as_with_upstream]
