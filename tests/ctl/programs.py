# SPDX-License-Identifier: GPL-2.0-or-later
"""exec with streams, terminals, users and signals, through novacron-exec-*."""
import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import time
from typing import Callable, Iterator, List

from bench import FAILED, PATIENCE, Bench, Problem, expect, first, outcome, parsed
from lib.agent import Agent
from lib.text import difference

BIG = 3 << 20


def is_ours(bench: Bench) -> bool:
    return b'novacron-info' in bench.run('commands').stdout


@contextlib.contextmanager
def streams(bench: Bench) -> Iterator[Bench]:
    """The same client, and an agent that may do more."""
    with Agent(bench.agent.program) as agent:
        configuration = agent.folder / 'conf'
        configuration.write_text('[novacron]\nareas=exec;file\n'
                                 f'data-directory={agent.folder}/data\n')
        agent.arguments = ['-c', str(configuration)]
        agent.start().connect().close()
        yield Bench(bench.client, agent, bench.folder, bench.points)


Popen = 'subprocess.Popen[bytes]'


def start(bench: Bench, *words: str) -> Popen:
    return subprocess.Popen([bench.client, '-c', str(bench.socket), *words], cwd=bench.folder,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def programs_left(bench: Bench) -> Problem:
    with bench.agent.connect() as client:
        left = client.rows('novacron-exec-list')
    return expect(left == [], f'left in the guest: {left}')


def streams_are_live(bench: Bench) -> Problem:
    """What is typed after the start is answered before the end."""
    process = start(bench, 'exec', '-i', 'sh', '-c', 'echo ready; read x; echo "<$x>" >&2; cat')
    assert process.stdin and process.stdout and process.stderr
    ready = process.stdout.readline()
    process.stdin.write(b'word\n')
    process.stdin.flush()
    answer = process.stderr.readline()
    began = time.monotonic()
    process.stdin.write(b'more\n')
    process.stdin.flush()
    more = process.stdout.readline()
    took = time.monotonic() - began
    rest = process.communicate(timeout=PATIENCE)
    return first(expect((ready, answer, more) == (b'ready\n', b'<word>\n', b'more\n'),
                        f'{ready!r} {answer!r} {more!r}'),
                 expect(took < 0.2, f'an answer took {took:.3f} s'),
                 expect(rest == (b'', b'') and process.returncode == 0, f'{rest}'))


def much_passes_both_ways(bench: Bench) -> Problem:
    data = os.urandom(BIG)
    done = bench.run('exec', '-i', 'sh', '-c', 'tee /dev/stderr', stdin=data)
    return outcome(done, 0) or difference(data, done.stdout) or difference(data, done.stderr)


def a_program_that_does_not_read_hinders_nobody(bench: Bench) -> Problem:
    done = bench.run('exec', '-i', 'sh', '-c', 'exec <&-; echo done; exit 5', stdin=bytes(BIG))
    slow = bench.run('exec', '-i', 'sh', '-c', 'sleep 0.5; wc -c', stdin=bytes(BIG))
    return outcome(done, 5, b'done\n') or outcome(slow, 0, f'{BIG}\n'.encode())


def signals_are_passed_on(bench: Bench) -> Problem:
    script = 'trap "echo usr; exit 9" USR1; echo ready; while :; do sleep 0.05; done'
    process = start(bench, 'exec', 'sh', '-c', script)
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGUSR1)
    out = process.communicate(timeout=PATIENCE)
    ended = start(bench, 'exec', 'sh', '-c', 'echo ready; exec sleep 60')
    assert ended.stdout
    ended.stdout.readline()
    ended.send_signal(signal.SIGTERM)
    ended.communicate(timeout=PATIENCE)
    return first(expect(out[0] == b'usr\n' and process.returncode == 9, f'{out}'),
                 expect(ended.returncode == 128 + signal.SIGTERM, f'{ended.returncode}'))


def the_third_signal_kills(bench: Bench) -> Problem:
    process = start(bench, 'exec', 'sh', '-c', 'trap "" INT; echo ready; while :; do :; done')
    assert process.stdout
    process.stdout.readline()
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    words = process.communicate(timeout=PATIENCE)[1]
    return first(expect(process.returncode == FAILED, f'{process.returncode}'),
                 expect(b'was killed' in words, repr(words)), programs_left(bench))


def a_program_gets_what_was_asked_for(bench: Bench) -> Problem:
    script = 'echo "$ONE $TWO"; pwd; sleep 60'
    done = bench.run('exec', '-e', 'ONE=1', '--env', 'TWO=two words', '-C', '/',
                     '--time-limit', '0.5', 'sh', '-c', script)
    problem = outcome(done, 128 + signal.SIGTERM, b'1 two words\n/\n', says='time was over')
    if problem or os.geteuid() != 0:
        return problem
    rights = 'id -un; id -gn'
    return first(
        outcome(bench.run('exec', '-u', 'nobody', 'id', '-un'), 0, b'nobody\n', b''),
        outcome(bench.run('exec', '-g', 'daemon', 'sh', '-c', rights), 0, b'root\ndaemon\n', b''),
        outcome(bench.run('exec', '--user', 'nobody', '--group', 'daemon', 'sh', '-c', rights), 0,
                b'nobody\ndaemon\n', b''))


def nothing_is_left_in_the_guest(bench: Bench) -> Problem:
    json = parsed(bench.run('-j', 'exec', 'true'))
    return expect(json == {'exited': True, 'exitcode': 0}, f'{json}') or programs_left(bench)


class Screen:
    """A terminal with the client in it."""

    def __init__(self, bench: Bench, *words: str, address: str = '', columns: int = 91):
        self.seen = b''
        self.master, slave = pty.openpty()
        self.resize(columns, 33)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [bench.client, '-c', address or str(bench.socket), *words], stdin=slave, stdout=slave,
            stderr=slave, cwd=bench.folder, start_new_session=True,
            env={**os.environ, 'TERM': 'vt220'},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.set_blocking(self.master, False)

    def __enter__(self) -> 'Screen':
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def shows(self, text: bytes) -> Problem:
        """Since it was last asked."""
        deadline = time.monotonic() + 10
        while text not in self.seen:
            if time.monotonic() > deadline:
                return f'the screen does not show {text!r} but {self.seen!r}'
            try:
                self.seen += os.read(self.master, 65536)
            except BlockingIOError:
                time.sleep(0.01)
        self.seen = self.seen.split(text, 1)[1]
        return None


def a_terminal_is_one(bench: Bench) -> Problem:
    """Size, keys, the name of the terminal; ours is as before in the end."""
    with Screen(bench, 'exec', '-t', 'sh') as screen:
        screen.type(b'stty size; tty; echo $TERM-$((6 * 7))\r')
        problem = first(screen.shows(b'33 91\r\n/dev/pts/'), screen.shows(b'vt220-42'))
        screen.resize(132, 50)
        time.sleep(0.3)
        screen.type(b'stty size\r')
        problem = problem or screen.shows(b'50 132')
        screen.type(b'sleep 60 || echo broken-$((1 + 1))\r')
        time.sleep(0.3)
        screen.type(b'\x03')                    # to the program there, not to the client here
        time.sleep(0.3)
        screen.type(b'echo still-$((1 + 2)); exit 4\r')
        problem = problem or screen.shows(b'still-3')
        if problem:
            return problem
        status = screen.process.wait(PATIENCE)
        return first(expect(status == 4, f'exit status {status}'),
                     expect(termios.tcgetattr(screen.slave) == screen.before,
                            'the terminal is not as it was'), programs_left(bench))


WITH_STREAMS: List[Callable[[Bench], Problem]] = [
    streams_are_live, much_passes_both_ways, a_program_that_does_not_read_hinders_nobody,
    signals_are_passed_on, the_third_signal_kills, a_program_gets_what_was_asked_for,
    nothing_is_left_in_the_guest, a_terminal_is_one,
]


def with_streams(test: Callable[[Bench], Problem]) -> Callable[[Bench], Problem]:
    def run(bench: Bench) -> Problem:
        if not is_ours(bench):
            return None
        with streams(bench) as other:
            problem = test(other)
            other.agent.stop()
            return problem or other.agent.complaint()
    run.__name__ = test.__name__
    return run


def without_streams_it_is_said_to_people(bench: Bench) -> Problem:
    with Screen(bench, 'exec', 'echo', 'done') as screen:
        told = first(screen.shows(b'without novacron-exec'), screen.shows(b'done'))
    with Screen(bench, '-q', 'exec', 'echo', 'done') as screen:
        quiet = screen.shows(b'done')
        spared = expect(b'without' not in screen.seen, 'advice in spite of -q')
    return first(told, quiet, spared,
                 outcome(bench.run('exec', '-t', 'true'), FAILED, b'', says='--tty'))


TESTS: List[Callable[[Bench], Problem]] = [
    *map(with_streams, WITH_STREAMS), without_streams_it_is_said_to_people,
]
