# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that break: what was under way goes on, nothing is done twice, and it is said."""
import os
import random
import re
import select
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

from bench import FAILED, NO_ANSWER, PATIENCE, USAGE, Bench, Done, Problem, expect, first, \
    outcome, parsed
from channels import libvirt_of
from fake import Listener, error, result
from lib.agent import Agent
from lib.text import difference
from programs import Screen, programs_left, start, with_streams
from tables import OVER
from trees import differences, make_tree

SYNC = 400              # bytes both ways until a client is in step
ROUGH = (5_000, 70_000, 900, 300_000, SYNC - 300, 150_000, 20_000)
BIG = (1 << 20) + 7


class Proxy(Listener):
    """Lets clients through to an agent. The first connection ends after `cuts[0]` bytes of both
    directions, the next after `cuts[1]`; later ones do not."""

    def __init__(self, path: Path, agent: Path, cuts: Sequence[int] = ()):
        super().__init__(path)
        self.agent = agent
        self.cuts = list(cuts)
        self.passed = 0

    def talk(self, client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as agent:
            agent.connect(str(self.agent))
            self._pass(client, agent, self.cuts.pop(0) if self.cuts else None)

    def _pass(self, client: socket.socket, agent: socket.socket, left: Any) -> None:
        while left is None or left > 0:
            ready, _, _ = select.select([client, agent], [], [])
            for one in ready:
                data = one.recv(65536 if left is None else min(65536, left))
                if not data:
                    return
                (agent if one is client else client).sendall(data)
                self.passed += len(data)
                if left is not None:
                    left -= len(data)


def run_cut(bench: Bench, cuts: Sequence[int], *words: str, stdin: bytes = b'') -> Done:
    path = bench.folder / 'proxy'
    with Proxy(path, bench.socket, cuts):
        return bench.run(*words, stdin=stdin, address=str(path))


def points_of(bench: Bench, *words: str) -> List[int]:
    """Where to cut this conversation: everywhere, roughly."""
    path = bench.folder / 'proxy'
    with Proxy(path, bench.socket) as proxy:
        problem = outcome(bench.run(*words, address=str(path)), 0)
    assert not problem, problem
    step = max((proxy.passed - SYNC) // bench.points, 1)
    return [at + random.randrange(step) for at in range(SYNC, proxy.passed, step)]


def said(done: Done) -> Problem:
    return expect(b'to go on' in done.stderr and b'connected again' in done.stderr,
                  repr(done.stderr))


def copies_survive_a_cut_anywhere(bench: Bench) -> Problem:
    data = os.urandom(30_000)
    (bench.folder / 'here').write_bytes(data)
    there = bench.agent.files / 'there'
    into, out = ('cp', 'here', f'guest:{there}'), ('cp', f'guest:{there}', 'back')
    for words, copy in ((into, there), (out, bench.folder / 'back')):
        for point in points_of(bench, *words):
            copy.unlink()
            problem = first(outcome(run_cut(bench, [point], *words), 0, b''),
                            difference(data, copy.read_bytes() if copy.exists() else b''))
            if not copy.exists() and words == out:
                copy.touch()
            if problem:
                return f'{words} cut at {point}: {problem}'
    left = [*bench.agent.files.glob('.*'), *bench.folder.glob('.*')]
    return expect(not left, f'left: {left}')


def copies_survive_many_cuts(bench: Bench) -> Problem:
    data = os.urandom(BIG)
    (bench.folder / 'here').write_bytes(data)
    there, source = bench.agent.files / 'there', bench.agent.files / 'source'
    make_tree(source)
    into = run_cut(bench, ROUGH, 'cp', 'here', f'guest:{there}')
    out = run_cut(bench, ROUGH, 'cp', f'guest:{there}', 'back')
    tree_out = run_cut(bench, ROUGH[:4], 'cp', '-r', f'guest:{source}', 'tree')
    tree_in = run_cut(bench, ROUGH[:4], 'cp', '-r', 'tree', f'guest:{there}-tree')
    return first(*(outcome(done, 0, b'') or said(done) for done in (into, out, tree_out, tree_in)),
                 difference(data, there.read_bytes()),
                 difference(data, (bench.folder / 'back').read_bytes()),
                 differences(source, bench.folder / 'tree'),
                 differences(source, Path(f'{there}-tree')))


def a_folder_survives_a_cut_anywhere(bench: Bench) -> Problem:
    """Links, permissions and the name at the end, too."""
    source, there = bench.folder / 'source', bench.agent.files / 'there'
    (source / 'closed').mkdir(parents=True)
    (source / 'closed/file').write_bytes(b'inside')
    (source / 'closed').chmod(0o500)
    (source / 'link').symlink_to('closed')
    for words, copy in ((('cp', '-r', 'source', f'guest:{there}'), there),
                        (('cp', '-r', f'guest:{there}', 'back'), bench.folder / 'back')):
        for point in points_of(bench, *words):
            if copy == there or there.exists():
                subprocess.run(['rm', '-rf', copy], check=True)
            problem = first(outcome(run_cut(bench, [point], *words), 0, b''),
                            differences(source, copy))
            if problem:
                return f'{words} cut at {point}: {problem}'
    return None


def programs_survive_cuts(bench: Bench) -> Problem:
    script = 'i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo $i; echo -$i >&2; done; exit 7'
    out = b''.join(b'%d\n' % number for number in range(1, 3001))
    with Proxy(bench.folder / 'proxy', bench.socket) as proxy:
        whole = bench.run('exec', 'sh', '-c', script, address=str(proxy.path))
        step = max((proxy.passed - 1500) // (bench.points // 2), 1)
    problem = outcome(whole, 7, out)
    for point in range(1500, proxy.passed, step):
        if problem:
            return problem
        done = run_cut(bench, [point, SYNC + 100, 3 * step], 'exec', 'sh', '-c', script)
        err = re.sub(rb'novacronctl: .*\n', b'', done.stderr)
        problem = first(outcome(done, 7, out), difference(out.replace(b'\n', b'\n-')[:-1],
                                                          err.lstrip(b'-')))
        problem = problem and f'cut at {point}: {problem}'
    return problem or programs_left(bench)


def ids(bench: Bench) -> List[str]:
    """Asked by the client, which clears away the half requests that cuts leave."""
    return [program['id'] for program in parsed(bench.run('exec', '--list', '-j')) or []]


def close_all(bench: Bench) -> None:
    for name in ids(bench):
        bench.run('exec', '--close', name)


def input_is_never_sent_twice(bench: Bench) -> Problem:
    """It arrives, or the end says that it may not have; what has arrived is its beginning."""
    data = os.urandom(400_000)
    lost = 0
    for point in random.sample(range(1500, 540_000), bench.points):
        there = bench.agent.files / f'input-{point}'
        done = run_cut(bench, [point], 'exec', '-i', 'sh', '-c', f'cat > {there}', stdin=data)
        if done.returncode != 0:
            lost += 1
            problem = outcome(done, NO_ANSWER, says='how much of the input arrived')
            close_all(bench)
        else:
            problem = expect(there.read_bytes() == data, 'something is missing')
        arrived = there.read_bytes() if there.exists() else b''     # it may not have run yet
        problem = problem or difference(data[:len(arrived)], arrived)
        if problem:
            return f'cut at {point}: {problem}'
    return expect(lost > 0, 'no cut hit the input') or programs_left(bench)


EXEC = {'id': '7-1', 'pid': 5, 'argv': ['true'], 'started-ns': 0, 'running': True,
        'timed-out': False}
ENDED = {**EXEC, 'running': False, 'exit-code': 0}


def output(running: bool) -> bytes:
    piece = {'offset': 0, 'buf-b64': '', 'lost-bytes': 0, 'eof': not running}
    return result({'out': piece, 'err': piece, 'exec': EXEC if running else ENDED})


def slowly(answer: bytes) -> bytes:
    time.sleep(0.05)
    return answer


class Forgetful:
    """Carries a command out, and is gone before it answers: the first time."""

    def __init__(self, answer: bytes):
        self.answer = answer
        self.times = 0

    def __call__(self, _: Dict[str, Any]) -> bytes:
        self.times += 1
        if self.times == 1:
            raise OSError
        return self.answer


def what_may_have_been_done_is_not_asked_for_again(bench: Bench) -> Problem:
    """To start a program, to write to it, to send it a signal. To read from it is another thing."""
    known = {'novacron-exec-start': lambda _: result(EXEC),
             'novacron-exec-close': lambda _: result({}), 'guest-ping': lambda _: result({})}
    began, written, read = Forgetful(result(EXEC)), Forgetful(result({})), Forgetful(output(False))
    with bench.fake({'novacron-exec-start': began}):
        no_start = bench.run_fake('exec', 'true')
    with bench.fake({**known, 'novacron-exec-write': written,
                     'novacron-exec-read': lambda _: output(True)}):
        no_write = bench.run('exec', '-i', 'cat', stdin=b'x',
                             address=str(bench.folder / 'machines'))
    with bench.fake({**known, 'novacron-exec-read': read}):
        again = bench.run_fake('exec', 'true')
    sent = Forgetful(result({}))
    ended: List[bool] = []
    with bench.fake({**known, 'novacron-exec-signal': sent,
                     'novacron-exec-read': lambda _: slowly(output(not ended))}) as agent:
        process = subprocess.Popen([bench.client, '-c', str(agent.path), 'exec', 'sleep'],
                                   stderr=subprocess.PIPE)
        while 'novacron-exec-read' not in agent.calls and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGUSR1)
        while not sent.times and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.3)
        ended.append(True)
        words = process.communicate(timeout=PATIENCE)[1]
    return first(outcome(no_start, NO_ANSWER, b'', says='was lost'),
                 outcome(no_write, NO_ANSWER, b'', says='how much of the input arrived'),
                 outcome(again, 0, b''), said(again),
                 expect(process.returncode == 0 and b'whether SIGUSR1 arrived' in words,
                        f'{words!r}'),
                 expect((began.times, written.times, sent.times, read.times) == (1, 1, 1, 2),
                        f'{began.times} {written.times} {sent.times} {read.times}'))


def restart(agent: Agent, pause: float) -> None:
    """As after a crash. It is not about how often: three times in a row would mean safe mode."""
    assert agent.process is not None
    agent.process.kill()
    agent.process.wait()
    (agent.state / 'qga.starts').unlink()
    agent.socket.unlink()
    time.sleep(pause)
    agent.start()


def a_restarted_agent_goes_on_with_copies(bench: Bench) -> Problem:
    """Killed at any time, also while it puts a file in its place."""
    data = os.urandom(6 << 20)
    (bench.folder / 'here').write_bytes(data)
    there = bench.agent.files / 'there'
    for words, copy in ((['cp', 'here', f'guest:{there}'], there),
                        (['cp', f'guest:{there}', 'back'], bench.folder / 'back')):
        for delay in (0.01, 0.04, 0.08, 0.16):
            if copy != there or delay > 0.01:
                copy.unlink(missing_ok=True)
            process = start(bench, *words)
            time.sleep(delay)
            restart(bench.agent, 0.3)
            message = process.communicate(timeout=PATIENCE)[1]
            if process.returncode == NO_ANSWER and b'connect' in message \
                    and b'to go on' not in message:
                continue        # it had not even begun
            problem = expect(process.returncode == 0, f'{process.returncode}: {message!r}') or \
                expect(copy.read_bytes() == data, 'another file')
            if problem:
                return f'{words}, after {delay} s: {problem}'
        if copy == there:
            there.write_bytes(data)
    bench.agent.connect().close()
    return None


def libvirts_connection_is_made_again(bench: Bench) -> Problem:
    world = libvirt_of(bench)
    if not world:
        return None
    data, there = os.urandom(3 << 20), bench.agent.files / 'there'
    (bench.folder / 'here').write_bytes(data)
    process = subprocess.Popen([bench.client, '-d', 'web1', 'cp', 'here', f'guest:{there}'],
                               cwd=bench.folder, stderr=subprocess.PIPE,
                               env={**os.environ, **world})
    deadline = time.monotonic() + PATIENCE
    while not list(there.parent.glob('.novacron-*')) and time.monotonic() < deadline:
        time.sleep(0.001)
    restart(bench.agent, 0.5)
    message = process.communicate(timeout=PATIENCE)[1]
    bench.agent.connect().close()
    return expect(process.returncode == 0 and b'agent is not connected; trying' in message,
                  f'{process.returncode}: {message!r}') or difference(data, there.read_bytes())


def a_program_that_went_with_its_agent_is_missed(bench: Bench) -> Problem:
    process = start(bench, 'exec', 'sh', '-c', 'echo ready; exec sleep 60')
    assert process.stdout
    process.stdout.readline()
    restart(bench.agent, 0)
    message = process.communicate(timeout=PATIENCE)[1]
    bench.agent.connect().close()
    return first(expect(process.returncode == NO_ANSWER, f'{process.returncode}: {message!r}'),
                 expect(b'does not know the program' in message, f'{message!r}'))


def whoever_waits_in_vain_gives_up(bench: Bench) -> Problem:
    there = bench.agent.files / 'there'
    there.write_bytes(os.urandom(BIG))
    path = bench.folder / 'proxy'

    def run(*words: str) -> Done:
        """The way to the agent is cut for good."""
        with Proxy(path, bench.socket, [100_000, *(0 for _ in range(1000))]):
            return bench.run(*words, address=str(path))
    began = time.monotonic()
    copied = run('cp', '--reconnect', '1', f'guest:{there}', 'back')
    took = time.monotonic() - began
    at_once = run('cp', '--reconnect', '0', f'guest:{there}', 'back')
    with Proxy(path, bench.socket, [2000, *(0 for _ in range(1000))]):
        program = bench.run('exec', '--reconnect', '0.5', 'sh', '-c', 'seq 1000; sleep 60',
                            address=str(path))
    name = ids(bench)[0]
    return first(outcome(copied, NO_ANSWER, b'', says='gave up after 1 s'),
                 expect(0.9 < took < 5, f'{took:.1f} s'),
                 outcome(at_once, NO_ANSWER, b'', says='was lost'),
                 expect(b'to go on' not in at_once.stderr, repr(at_once.stderr)),
                 outcome(program, NO_ANSWER, says=f'the program ({name}) goes on'),
                 outcome(bench.run('exec', '--close', name), 0),
                 outcome(bench.run('cp', f'guest:{there}', 'back'), 0, b'', b''),
                 outcome(bench.run('cp', '--reconnect', '-1', 'x', 'guest:y'), USAGE))


def whoever_waits_can_be_told_to_stop(bench: Bench) -> Problem:
    there = bench.agent.files / 'there'
    there.write_bytes(os.urandom(BIG))
    path = bench.folder / 'proxy'
    problems = []
    for words, cut in ((['cp', f'guest:{there}', 'back'], 500_000),
                       (['exec', 'sh', '-c', 'seq 1000; sleep 60'], 2000)):
        with Proxy(path, bench.socket, [cut, *(0 for _ in range(1000))]):
            process = subprocess.Popen([bench.client, '-c', str(path), *words], cwd=bench.folder,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            began = time.monotonic()
            message = process.communicate(timeout=PATIENCE)[1]
        problems += [expect(process.returncode == FAILED, f'{process.returncode}: {message!r}'),
                     expect(b'told to stop' in message, repr(message)),
                     expect(time.monotonic() - began < 2, 'it went on')]
    close_all(bench)
    return first(*problems)


def a_terminal_survives_a_cut(bench: Bench) -> Problem:
    path = bench.folder / 'proxy'
    with Proxy(path, bench.socket, [4000, 2000]), \
            Screen(bench, 'exec', '-t', 'sh', address=str(path)) as screen:
        for number in range(30):
            screen.type(b'echo $((%d + 1000))\r' % number)
            if screen.shows(b'%d\r\n' % (number + 1000)):     # behind a prompt, or not
                screen.type(b'\recho $((%d + 1000))\r' % number)    # as a person would
                problem = screen.shows(b'%d\r\n' % (number + 1000))
                if problem:
                    return problem
        screen.type(b'exit 3\r')
        return expect(screen.process.wait(PATIENCE) == 3, 'another status')


def jobs_are_waited_for_in_spite_of_it(bench: Bench) -> Problem:
    wait = Forgetful(result(OVER))
    with bench.fake({'novacron-job-wait': wait}):
        done = bench.run_fake('jobs', 'wait', 'j1')
    return outcome(done, 0) or said(done)


def a_request_that_was_half_heard_is_sent_again(bench: Bench) -> Problem:
    """On a port, an agent that ends takes the beginning with it, and the next one gets the rest."""
    answers = [error('GenericError', "1:1: JSON parse error, stray 'Z'"), result(OVER)]
    with bench.fake({'novacron-job-wait': lambda _: answers.pop(0)}):
        done = bench.run_fake('jobs', 'wait', 'j1')
    with bench.fake({'guest-exec': lambda _: error('GenericError', '1:1: JSON parse error, x')}):
        once = bench.run_fake('exec', 'true')
    return first(outcome(done, 0) or said(done),
                 outcome(once, NO_ANSWER, says='of what was sent to the agent a part is lost'))


def silence_is_taken_for_a_loss(bench: Bench) -> Problem:
    """Behind QEMU's socket, nobody is told that the agent was restarted."""
    piece = {'buf-b64': 'eA==', 'count': 1, 'eof': True, 'version': 'v', 'size-bytes': 1,
             'sha256': '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'}
    silent: List[bytes] = [result(piece), b'']
    with bench.fake({'novacron-file-read': lambda _: silent.pop()}):
        done = bench.run_fake('-T', '0.5', 'cp', 'guest:/x', 'x')
    return first(outcome(done, 0, b''), said(done),
                 expect((bench.folder / 'x').read_bytes() == b'x', 'another file'))


TESTS: List[Callable[[Bench], Problem]] = [
    *map(with_streams, (
        copies_survive_a_cut_anywhere, copies_survive_many_cuts, a_folder_survives_a_cut_anywhere,
        libvirts_connection_is_made_again, programs_survive_cuts, input_is_never_sent_twice,
        a_restarted_agent_goes_on_with_copies,
        a_program_that_went_with_its_agent_is_missed, whoever_waits_in_vain_gives_up,
        whoever_waits_can_be_told_to_stop, a_terminal_survives_a_cut)),
    what_may_have_been_done_is_not_asked_for_again, jobs_are_waited_for_in_spite_of_it,
    a_request_that_was_half_heard_is_sent_again, silence_is_taken_for_a_loss,
]
