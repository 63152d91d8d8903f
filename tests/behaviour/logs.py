# SPDX-License-Identifier: GPL-2.0-or-later
"""What the agent tells: its log, and the system's log of who asked for what."""
import os
import re
import shutil
import signal
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, List, Tuple

from lib.agent import Agent
from lib.check import PING, PONG, Check, Skip, expect
from lib.process import wait_until

LINE = re.compile(r'(\d{10,})\.\d{6}: (error|critical|warning|message|info|debug): (.*)\n', re.S)
LINE_START = re.compile(r'^(?=\d{10,}\.\d{6}: )', re.M)
SYSLOG_LINE = re.compile(r'<14>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d qemu-ga: info: (.*)', re.S)
LINES_PER_SECOND = 20

# The agent in a mount namespace of its own, with a /dev that holds only what $0 holds.
IN_OWN_DEV = ['unshare', '--mount', 'sh', '-c',
              'mount --bind /dev/null "$0/null" && mount --rbind "$0" /dev && exec "$@"']


def messages(path: Path) -> List[Tuple[str, str]]:
    """(level, text) of every line of a log; each must be well-formed and from just now. What was
    read from the client is in there as it came, with its newlines."""
    found = []
    for line in filter(None, LINE_START.split(path.read_text())):
        match = LINE.fullmatch(line)
        expect(match is not None, f'not a line of a log: {line!r}')
        expect(abs(int(match[1]) - time.time()) < 60, f'not the time: {line!r}')
        found.append((match[2], match[3]))
    return found


def ping(agent: Agent) -> None:
    with agent.connect() as client:
        expect(client.ask(PING, 5) == PONG, 'no answer')


def by_default_nothing_is_logged(check: Check) -> None:
    agent = check.start()
    ping(agent)
    agent.stop()
    expect(agent.log.read_text() == '', f'logged: {agent.log.read_text()!r}')


def verbose_tells_what_goes_on(check: Check) -> None:
    agent = check.start(['-v'])
    ping(agent)
    expect(wait_until(lambda: 'received EOF' in agent.log.read_text()), 'no word of the end')
    agent.process.send_signal(signal.SIGTERM)
    agent.process.wait(5)
    log = messages(agent.log)
    for start in ('Guest agent version ', 'read data, count: 25, data: ', 'processing command',
                  'received signal num 15, quitting'):
        expect(any(level == 'debug' and text.startswith(start) for level, text in log),
               f'{start!r} is missing in {log}')
    expect(log[0][1].endswith(' started'), f'first is {log[0]}')
    expect(log[-1][1].endswith('quitting'), f'last is {log[-1]}')


def a_log_file_is_appended_to(check: Check) -> None:
    agent = check.prepare()
    path = agent.folder / 'agent.log'
    agent.arguments = ['-v', '-l', str(path)]
    for _ in range(2):
        agent.start()
        ping(agent)
        agent.stop()
    quits = [text for _, text in messages(path) if text.endswith('quitting')]
    expect(len(quits) == 2, f'{quits} after two runs')


def sigusr1_toggles_verbosity(check: Check) -> None:
    agent = check.start()
    ping(agent)
    for is_verbose in (True, False, True):
        agent.process.send_signal(signal.SIGUSR1)
        time.sleep(0.1)
        before = agent.log.stat().st_size
        ping(agent)
        time.sleep(0.1)
        grown = agent.log.stat().st_size - before
        expect((grown > 0) == is_verbose, f'{grown} bytes of log, verbose {is_verbose}')


class Logger:
    """A logging daemon for one agent."""

    def __init__(self, agent: Agent):
        self.folder = agent.folder / 'dev'
        self.folder.mkdir()
        (self.folder / 'null').touch()
        agent.program = [*IN_OWN_DEV, str(self.folder), *agent.program]
        self.start()

    def start(self) -> None:
        path = self.folder / 'log'
        path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))

    def lines(self, seconds: float) -> List[str]:
        """Every line of so many seconds, without what stands before the text in each."""
        deadline = time.monotonic() + seconds
        found = []
        while True:
            self.socket.settimeout(max(0, deadline - time.monotonic()))
            try:
                text = self.socket.recv(65536).decode()
            except (socket.timeout, BlockingIOError):
                return found
            match = SYSLOG_LINE.fullmatch(text)
            expect(match is not None, f'not a line for the system log: {text!r}')
            found.append(match[1])

    def fill(self) -> None:
        """Until the queue takes no more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as flood:
            flood.setblocking(False)
            flood.connect(str(self.folder / 'log'))
            try:
                while True:
                    flood.send(b'x')
            except BlockingIOError:
                pass


@contextmanager
def logging_agent(check: Check) -> 'Iterator[Tuple[Agent, Logger]]':
    if os.geteuid() != 0 or not shutil.which('unshare'):
        raise Skip('it takes root and unshare(1) to give the agent a logger of its own')
    agent = check.prepare()
    logger = Logger(agent)
    try:
        agent.start()
        yield agent, logger
    finally:
        logger.socket.close()


def what_is_asked_for_is_told_to_the_system_log(check: Check) -> None:
    with logging_agent(check) as (agent, logger):
        with agent.connect() as client:
            client.ask(PING)
            expect(logger.lines(0.3) == ['guest-ping called'], 'guest-ping is not told')
            client.call('guest-exec', path='/bin/true')
            told = logger.lines(0.3)
        expect(len(told) == 1 and told[0].startswith('guest-exec called: "/bin/true"'),
               f'told of guest-exec: {told}')


def an_odd_line_of_a_processor_is_told_to_the_system_log(check: Check) -> None:
    script = 'echo cpu0 1 2 3 > "$0" && mount --bind "$0" /proc/stat && exec "$@"'
    check.program = ['unshare', '--mount', 'sh', '-c', script, 'stat', *check.program]
    with logging_agent(check) as (agent, logger):
        with agent.connect() as client:
            expect(client.call('guest-get-cpustats') == [], 'not an empty list')
            told = logger.lines(0.3)
        expect(told == ['Parsing cpu stat from /proc/stat failed, see "man proc"'], f'told: {told}')


def a_flood_is_cut_and_counted(check: Check) -> None:
    asked = 100
    told = []
    with logging_agent(check) as (agent, logger):
        with agent.connect() as client:
            for _ in range(asked):
                client.ask(PING)
                told += logger.lines(0)         # the queue holds but a few
            client.ask(b'{"execute":"guest-exec-status","arguments":{"pid":5}}\n')
            told += logger.lines(1.5)
            expect(told.count('guest-ping called') == LINES_PER_SECOND, f'{len(told)} lines')
            expect('guest-exec-status called, pid: 5' in told, 'another command is cut, too')
            cut = [line for line in told if line.endswith(' suppressed')]
            expect(cut == [f'guest-ping: {asked - LINES_PER_SECOND} suppressed'], f'{cut}')
            client.ask(PING)
            expect(logger.lines(0.3)[-1:] == ['guest-ping called'], 'the next second is mute')


def a_stuck_logger_blocks_nobody(check: Check) -> None:
    with logging_agent(check) as (agent, logger):
        ping(agent)
        logger.fill()
        started = time.monotonic()
        for _ in range(LINES_PER_SECOND):
            ping(agent)
        expect(time.monotonic() - started < 2, 'a full queue delays answers')


def a_restarted_logger_is_found(check: Check) -> None:
    with logging_agent(check) as (agent, logger):
        ping(agent)
        logger.socket.close()
        (logger.folder / 'log').unlink()
        ping(agent)
        logger.start()

        def is_told() -> bool:
            ping(agent)
            return bool(logger.lines(0.1))
        expect(wait_until(is_told, 5), 'the new logger is never told')


CHECKS: List[Callable[[Check], None]] = [
    by_default_nothing_is_logged, verbose_tells_what_goes_on, a_log_file_is_appended_to,
    sigusr1_toggles_verbosity, what_is_asked_for_is_told_to_the_system_log,
    an_odd_line_of_a_processor_is_told_to_the_system_log,
    a_flood_is_cut_and_counted, a_stuck_logger_blocks_nobody, a_restarted_logger_is_found,
]
