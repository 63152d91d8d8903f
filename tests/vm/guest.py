# SPDX-License-Identifier: GPL-2.0-or-later
"""One emulated guest: QEMU, the witness inside it, and its monitor.

The guest dies with this program whatever ends it: QEMU is our child, and the kernel kills it
when we go without saying goodbye.
"""
import ctypes
import json
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, List

from image import Kernel
from witness import WITNESS_PORT, GuestFailed, Witness

AGENT_PORT = 'org.qemu.guest_agent.0'
SECOND_PORT = 'org.novacron.agent.0'
IDLE_PORT = 'test.idle.0'           # nobody on the host ever opens it
PORTS = {'agent': AGENT_PORT, 'second': SECOND_PORT, 'idle': IDLE_PORT, 'witness': WITNESS_PORT}


def die_with_parent(number: int = signal.SIGKILL) -> None:
    ctypes.CDLL(None).prctl(1, number)      # PR_SET_PDEATHSIG


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


class Guest(Witness):
    def __init__(self, kernel: Kernel, initramfs: Path, directory: Path) -> None:
        self._directory = directory
        self._console = directory / 'console.log'
        self._process = subprocess.Popen(
            self._command(kernel, initramfs), stdin=subprocess.DEVNULL,
            stdout=(directory / 'qemu.log').open('wb'), stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent)
        super().__init__(self.socket('witness'))

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

    def boot(self) -> None:
        self.wait()
        self.monitor = Monitor(Path(self.socket('monitor')))

    def check_alive(self) -> None:
        if self._process.poll() is not None:
            log = (self._directory / 'qemu.log').read_text()
            raise GuestFailed('QEMU ended: %s\n%s' % (log, self.console()))

    def console(self) -> str:
        if not self._console.exists():
            return ''
        return self._console.read_text(errors='replace')[-2000:]

    def unplug(self, name: str) -> None:
        self.monitor.execute('device_del', id='port-' + name)
        self.shell('while grep -qx %s /sys/class/virtio-ports/*/name; do usleep 10000; done; '
                   'name-ports' % PORTS[name])

    def plug(self, name: str) -> None:
        # the unplugged port lets go of its socket a moment after it has left the guest
        until = time.monotonic() + 5
        while True:
            try:
                self.monitor.execute('device_add', driver='virtserialport', bus='serial.0',
                                     id='port-' + name, chardev=name, name=PORTS[name])
                break
            except GuestFailed:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        self.shell('while ! grep -qx %s /sys/class/virtio-ports/*/name; do usleep 10000; done; '
                   'name-ports' % PORTS[name])
