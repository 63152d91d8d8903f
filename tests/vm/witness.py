# SPDX-License-Identifier: GPL-2.0-or-later
"""What is true inside a guest: the shell on its witness port, which knows nothing of the agent.

It also starts and stops the agents under test.
"""
import random
import time
from typing import List, NamedTuple, Optional, Tuple

from channel import PATIENCE, Channel

WITNESS_PORT = 'test.witness.0'
TICKS_PER_SECOND = 100


def expect(claim: bool, text: str) -> None:
    if not claim:
        raise AssertionError(text)


class GuestFailed(Exception):
    """The guest itself, not the agent, did not do what it should."""


class Agent(NamedTuple):
    """A program started in the guest: its name there names its log and status files."""
    name: str
    pid: int


class Witness:
    """`path` is the socket of the witness port."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._channel: Optional[Channel] = None

    def check_alive(self) -> None:
        """Raise if there is no point in waiting for the guest."""

    def console(self) -> str:
        """The last that the guest has printed."""
        return ''

    def wait(self, seconds: float = 60) -> None:
        """Until the guest's witness answers."""
        until = time.monotonic() + seconds
        while self._channel is None:
            self.check_alive()
            try:
                self._channel = Channel(self._path)
            except OSError:
                if time.monotonic() > until:
                    raise GuestFailed('no witness port\n' + self.console()) from None
                time.sleep(0.05)
        try:
            self.status('true', patience=until - time.monotonic())
        except (OSError, TimeoutError) as error:
            self.check_alive()
            raise GuestFailed('no answer from the guest\n' + self.console()) from error

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def status(self, line: str, patience: float = PATIENCE) -> Tuple[int, str]:
        """Run a line of shell in the guest, without the agent: (exit status, output)."""
        assert self._channel is not None
        token = '%x' % random.getrandbits(64)
        self._channel.send(('%s %s\n' % (token, line)).encode())
        output: List[str] = []
        while True:
            text = self._channel.line(patience).decode(errors='replace')
            if text.startswith(token + ' '):
                return int(text.split()[1]), '\n'.join(output).strip()
            output.append(text.rstrip('\n'))

    def shell(self, line: str, patience: float = PATIENCE) -> str:
        status, output = self.status(line, patience)
        if status != 0:
            raise GuestFailed('%s: status %d: %s' % (line, status, output))
        return output

    def wait_for(self, condition: str, seconds: float = PATIENCE) -> None:
        """Until the shell condition holds in the guest."""
        # a subshell, since a background child of a mere group would keep our output open
        now = '$(cut -d. -f1 /proc/uptime)'
        status, _ = self.status('end=$((%s + %d)); while ! (%s) 2> /dev/null; do '
                                '[ %s -lt $end ] || exit 1; usleep 50000; done'
                                % (now, seconds + 1, condition, now), patience=seconds + PATIENCE)
        if status != 0:
            raise GuestFailed('not within %d s: %s' % (seconds, condition))

    def start(self, name: str, arguments: str) -> Agent:
        """Start /usr/sbin/NAME with arguments; its log is /run/NAME.log."""
        # the shell in between leaves the exit status behind in /run/NAME.exit
        self.shell("rm -f /run/{0}.*; (sh -c 'echo $$ > /run/{0}.new; mv /run/{0}.new "
                   "/run/{0}.pid; exec /usr/sbin/{0} {1}'; echo $? > /run/{0}.exit) "
                   '> /run/{0}.log 2>&1 < /dev/null &'.format(name, arguments))
        pid = self.shell('while [ ! -e /run/%s.pid ]; do usleep 10000; done; cat /run/%s.pid'
                         % (name, name))
        return Agent(name, int(pid))

    def stop(self, agent: Agent) -> Optional[int]:
        """End it and return its exit status; None if it had to be killed."""
        self.status('kill %d' % agent.pid)
        status = self.exit_status(agent, 5)
        if status is None:
            self.status('kill -9 %d' % agent.pid)
            self.exit_status(agent, 5)
        return status

    def exit_status(self, agent: Agent, seconds: float) -> Optional[int]:
        """How it ended, if it does so in time."""
        turns = int(seconds * 20)
        status, text = self.status('i=0; while [ ! -s /run/{0}.exit ] && [ $i -lt {1} ]; do '
                                   'usleep 50000; i=$((i+1)); done; cat /run/{0}.exit'
                                   .format(agent.name, turns))
        return int(text) if status == 0 else None

    def log(self, agent: Agent) -> str:
        return self.shell('tail -c 1500 /run/%s.log' % agent.name)

    def voluntary_switches(self, agent: Agent) -> int:
        """How often the agent's threads have gone to sleep, so once per wake-up."""
        lines = self.shell('grep -h ^voluntary_ctxt_switches /proc/%d/task/*/status' % agent.pid)
        return sum(int(line.split()[1]) for line in lines.splitlines())

    def cpu_seconds(self, agent: Agent) -> float:
        fields = self.shell('cat /proc/%d/stat' % agent.pid).rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
