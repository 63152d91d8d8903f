# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that the agent runs: what they hold up, what ends with them, what they are told."""
import base64
import re
import signal
import time
from pathlib import Path
from typing import List

from lib.check import expect
from stage import Scene, Stage, request, stubs
from world import Node

PING = b'{"execute": "guest-ping"}\n'
PASSWORD = b'correct-horse-battery-staple/' * 9     # more than the first buffer holds
ENCODED = base64.b64encode(PASSWORD)
SLOW = 1.5
QUICK = 0.5


def a_slow_program_holds_up_its_own_session_only(stage: Stage) -> None:
    slow = ['sleep %d' % (SLOW * 1000)]
    scene = stage.play(stubs('sbin/chpasswd', 'sbin/poweroff', 'sbin/hwclock', 'bin/systemctl',
                             chpasswd=slow, poweroff=slow, hwclock=slow,
                             systemctl=[*slow, 'exit 4']))
    with scene.connect() as first, scene.connect(second=True) as second:
        for line in (request('set-user-password', username='bob', password='YQ==', crypted=False),
                     request('shutdown'), request('set-time'), request('suspend-ram')):
            began = time.monotonic()
            first.send(line + b'{"execute": "guest-sync", "arguments": {"id": 7}}\n')
            second.ask(PING)
            pinged = time.monotonic() - began
            first.read_through(b'{"return": 7}\n')
            ended = time.monotonic() - began
            expect(pinged < QUICK, f'{line!r}: the other session waited {pinged:.2f} s')
            expect(ended >= SLOW, f'{line!r}: over after {ended:.2f} s')


def ended_after_its_program_the_agent_tells_no_failure(stage: Stage) -> None:
    """What a service manager does: it ends the program that shuts down, and then the agent."""
    scene = stage.play(stubs('sbin/poweroff', poweroff=['out Shutdown scheduled\\n', 'kill 15']))
    with scene.connect() as client:
        client.send(request('shutdown'))
        scene.wait_for_call()
        time.sleep(0.15)                        # it has been killed meanwhile
        scene.agent.process.send_signal(signal.SIGTERM)
        answer = client.read_to_end(10)
        expect(answer == b'', f'answered {answer!r}')
        expect(scene.agent.process.wait(10) == 0, 'not ended in order')


def else_it_does(stage: Stage) -> None:
    scene = stage.play(stubs('sbin/poweroff', poweroff=['out Shutdown scheduled\\n', 'kill 15']))
    with scene.connect() as client:
        answer = client.ask(request('shutdown'), 10)
        expect(b'terminated abnormally: Shutdown scheduled' in answer, repr(answer))


def a_program_that_runs_does_not_keep_the_agent(stage: Stage) -> None:
    scene = stage.play(stubs('sbin/poweroff', poweroff=['sleep 3000', 'out over\\n']))
    with scene.connect() as client:
        client.send(request('shutdown'))
        scene.wait_for_call()
        began = time.monotonic()
        scene.agent.process.send_signal(signal.SIGTERM)
        expect(client.read_to_end(10) == b'', 'answered')
        expect(scene.agent.process.wait(10) == 0, 'not ended in order')
        expect(time.monotonic() - began < 1, 'ended late')


def a_time_goes_to_the_clock(stage: Stage) -> None:
    """strace answers the call: it never gets to the kernel, which would refuse it here."""
    calls = 'clock_settime,settimeofday'
    traced = f'-e trace=exit_group,{calls} -e inject={calls}:retval=0'
    scene = stage.play(stubs('sbin/hwclock'), traced=traced)
    with scene.connect() as client:
        for nanoseconds in (0, -1, 1_700_000_000_123_456_789, 3_155_759_999_999_999_999):
            answer = client.ask(request('set-time', time=nanoseconds))
            expect(answer == b'{"return": {}}\n', repr(answer))
    expect(scene.world.calls().count(b'"/sbin/hwclock" "-w"') == 4, 'not saved each time')
    set_to = re.findall(r'CLOCK_REALTIME, \{tv_sec=(\d+), tv_nsec=(\d+)\}\) = 0 \(INJECTED\)',
                        '\n'.join(scene.system_calls()))
    expect(set_to == [('0', '0'), ('0', '0'), ('1700000000', '123456000'),
                      ('3155759999', '999999000')], f'set to {set_to}')


def a_kernel_that_does_not_suspend_says_why(stage: Stage) -> None:
    setting = stubs()
    setting.nodes['sys/power/state'] = Node(text=b'freeze mem disk\n')
    scene = stage.play(setting, traced='-e trace=write -e inject=write:error=EBUSY '
                       '-P /sys/power/state')
    with scene.connect() as client:
        answer = client.ask(request('suspend-ram'))
    expect(b"suspend: cannot write to '/sys/power/state': Device or resource busy" in answer,
           repr(answer))


def set_password(scene: Scene, cut: int) -> None:
    """In one piece, or with a cut somewhere in the password."""
    line = (b'{"execute": "guest-set-user-password", "arguments": {"username": "bob", "password": '
            b'"%s", "crypted": false}}\n' % ENCODED)
    with scene.connect() as client:
        client.send(line[:cut])
        time.sleep(0.1 if cut else 0)
        client.send(line[cut:])
        expect(client.read_line() == b'{"return": {}}\n', 'not set')
        client.ask(PING)
    expect(PASSWORD in scene.world.calls(), 'the program did not get it')


def places_in_memory(pid: int, text: bytes) -> List[str]:
    found = []
    with open(f'/proc/{pid}/mem', 'rb', 0) as memory:
        for line in Path(f'/proc/{pid}/maps').read_text(encoding='utf-8').splitlines():
            bounds, permissions = line.split()[:2]
            start, end = (int(number, 16) for number in bounds.split('-'))
            if permissions.startswith('rw'):
                memory.seek(start)
                at = memory.read(end - start).find(text)
                found += [f'{start + at:x} in {line.split()[-1]}'] if at >= 0 else []
    return found


def a_password_does_not_stay_in_memory(stage: Stage) -> None:
    scene = stage.play(stubs('sbin/chpasswd'))
    for cut in (0, 150, 400):
        set_password(scene, cut)
        for name, text in (('the password', PASSWORD), ('its encoding', ENCODED)):
            for piece in (text[:24], text[-24:]):
                places = places_in_memory(scene.agent.pid, piece)
                expect(not places, f'{name}, cut at {cut}: {places}')


def a_password_is_not_logged(stage: Stage) -> None:
    scene = stage.play(stubs('sbin/chpasswd'), ['-v'])
    for cut in (0, 150, 400):
        set_password(scene, cut)
    log = scene.agent.log.read_bytes()
    for text in (PASSWORD[:24], PASSWORD[-24:], ENCODED[:24], ENCODED[-24:]):
        expect(text not in log, f'{text!r} is in the log')
    expect(log.count(b'data: {"execute": "guest-ping"}') == 3, 'nor is anything else')


CHECKS = [
    a_password_does_not_stay_in_memory,
    a_password_is_not_logged,
    a_slow_program_holds_up_its_own_session_only,
    ended_after_its_program_the_agent_tells_no_failure,
    else_it_does,
    a_program_that_runs_does_not_keep_the_agent,
    a_time_goes_to_the_clock,
    a_kernel_that_does_not_suspend_says_why,
]
