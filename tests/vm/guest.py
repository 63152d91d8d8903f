# SPDX-License-Identifier: GPL-2.0-or-later
"""One emulated guest: QEMU, the witness shell inside it, and its monitor.

The guest dies with this program whatever ends it: QEMU is our child, and the kernel kills it
when we go without saying goodbye.
"""
import ctypes
import json
import random
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Tuple

from channel import PATIENCE, Channel
from image import Kernel

AGENT_PORT = 'org.qemu.guest_agent.0'
SECOND_PORT = 'org.novacron.agent.0'
IDLE_PORT = 'test.idle.0'           # nobody on the host ever opens it
WITNESS_PORT = 'test.witness.0'
PORTS = {'agent': AGENT_PORT, 'second': SECOND_PORT, 'idle': IDLE_PORT, 'witness': WITNESS_PORT}
TICKS_PER_SECOND = 100


class GuestFailed(Exception):
    """The guest itself, not the agent, did not do what it should."""


class Agent(NamedTuple):
    """A program started in the guest: its name there names its log and status files."""
    name: str
    pid: int


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


class Monitor:
    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(str(path))
        self._stream = self._socket.makefile('rb')
        self._stream.readline()
        self.execute('qmp_capabilities')

    def execute(self, command: str, **arguments: Any) -> Any:
        message = {'execute': command, 'arguments': arguments}
        self._socket.sendall(json.dumps(message).encode())
        while True:
            answer = json.loads(self._stream.readline())
            if 'error' in answer:
                raise GuestFailed('%s: %s' % (command, answer['error']['desc']))
            if 'return' in answer:
                return answer['return']


class Guest:
    def __init__(self, kernel: Kernel, initramfs: Path, directory: Path) -> None:
        self._directory = directory
        self._console = directory / 'console.log'
        self._process = subprocess.Popen(
            self._command(kernel, initramfs), stdin=subprocess.DEVNULL,
            stdout=(directory / 'qemu.log').open('wb'), stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent)
        self._witness: Optional[Channel] = None

    def __enter__(self) -> 'Guest':
        return self

    def __exit__(self, *unused: object) -> None:
        self._process.kill()
        self._process.wait()

    def socket(self, name: str) -> str:
        return str(self._directory / (name + '.sock'))

    def _command(self, kernel: Kernel, initramfs: Path) -> List[str]:
        command = [
            'qemu-system-x86_64', '-accel', 'tcg', '-machine', 'q35', '-cpu', 'qemu64,+rdrand',
            '-m', '320', '-smp', '2', '-nodefaults', '-display', 'none', '-no-reboot',
            '-kernel', str(kernel.image), '-initrd', str(initramfs),
            '-append', 'console=ttyS0 panic=-1 quiet',
            '-serial', 'file:%s' % self._console,
            '-chardev', 'socket,id=isa,path=%s,server=on,wait=off' % self.socket('isa'),
            '-device', 'isa-serial,chardev=isa',
            '-qmp', 'unix:%s,server=on,wait=off' % self.socket('monitor'),
            '-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci,id=serial',
        ]
        for name, port in PORTS.items():
            command += [
                '-chardev', 'socket,id=%s,path=%s,server=on,wait=off' % (name, self.socket(name)),
                '-device', 'virtserialport,bus=serial.0,id=port-%s,chardev=%s,name=%s'
                % (name, name, port)]
        return command

    def boot(self, seconds: float = 60) -> None:
        """Wait until the guest's witness answers."""
        until = time.monotonic() + seconds
        while self._witness is None:
            self._check_alive(until)
            try:
                self._witness = Channel(self.socket('witness'))
            except OSError:
                time.sleep(0.05)
        try:
            self.status('true', patience=until - time.monotonic())
        except (OSError, TimeoutError) as error:
            self._check_alive(until)
            raise GuestFailed('no answer from the guest:\n' + self.console()) from error
        self.monitor = Monitor(Path(self.socket('monitor')))

    def _check_alive(self, until: float) -> None:
        if self._process.poll() is not None:
            log = (self._directory / 'qemu.log').read_text()
            raise GuestFailed('QEMU ended: %s\n%s' % (log, self.console()))
        if time.monotonic() > until:
            raise GuestFailed('the guest does not start:\n' + self.console())

    def console(self) -> str:
        if not self._console.exists():
            return ''
        return self._console.read_text(errors='replace')[-2000:]

    def status(self, line: str, patience: float = PATIENCE) -> Tuple[int, str]:
        """Run a line of shell in the guest, without the agent: (exit status, output)."""
        assert self._witness is not None
        token = '%x' % random.getrandbits(64)
        self._witness.send(('%s %s\n' % (token, line)).encode())
        output: List[str] = []
        while True:
            text = self._witness.line(patience).decode(errors='replace')
            if text.startswith(token + ' '):
                return int(text.split()[1]), '\n'.join(output).strip()
            output.append(text.rstrip('\n'))

    def shell(self, line: str) -> str:
        status, output = self.status(line)
        if status != 0:
            raise GuestFailed('%s: status %d: %s' % (line, status, output))
        return output

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

    def unplug(self, name: str) -> None:
        self.monitor.execute('device_del', id='port-' + name)
        self.shell('while grep -qx %s /sys/class/virtio-ports/*/name; do usleep 10000; done; '
                   'name-ports' % PORTS[name])

    def plug(self, name: str) -> None:
        self.monitor.execute('device_add', driver='virtserialport', bus='serial.0',
                             id='port-' + name, chardev=name, name=PORTS[name])
        self.shell('while ! grep -qx %s /sys/class/virtio-ports/*/name; do usleep 10000; done; '
                   'name-ports' % PORTS[name])
