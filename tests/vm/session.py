# SPDX-License-Identifier: GPL-2.0-or-later
"""One agent in one guest, and the client that speaks to it through libvirt."""
import json
import shlex
import time
from typing import Any, Optional

from conversation import Conversation, request
from domain import MOUNTED, NAME, Domain
from guest import AGENT_PORT
from libvirtd import Libvirtd, LibvirtFailed, Result
from witness import Agent, expect

# its log and its state lie on a file system that gets frozen
ARGUMENTS = ('-m virtio-serial -p /dev/virtio-ports/%s -F/etc/qemu/fsfreeze-hook '
             '-t /mnt/ext4/state -l /mnt/ext4/qemu-ga.log' % AGENT_PORT)
PLACES = tuple(disk.place for disk in MOUNTED)
CHANNEL_STATE = "state='connected'"


class Session:
    def __init__(self, domain: Domain, is_ours: bool, verbose: bool = True) -> None:
        self.domain = domain
        self.libvirtd: Libvirtd = domain.libvirtd
        self.client = Conversation(domain)
        self.is_ours = is_ours
        self._arguments = ARGUMENTS + (' -v' if verbose else '')
        self.agent: Optional[Agent] = None

    def start_agent(self, config: str = '') -> None:
        self.domain.shell('mkdir -p /mnt/ext4/state; printf %s > /etc/qemu/qemu-ga.conf'
                          % shlex.quote(config.replace('\n', '\\n')))
        self.agent = self.domain.start('qemu-ga', self._arguments)
        self.wait_until_connected()

    def stop_agent(self) -> None:
        """Ours leaves with status 0 when told to; qemu-ga at times hangs in its signal handler."""
        if not self.is_ours:
            return self.kill_agent()
        assert self.agent is not None
        status = self.domain.stop(self.agent)
        expect(status == 0, 'the agent left with %s: %s' % (status, self.log()))
        self.wait_until_connected(False)

    def kill_agent(self) -> None:
        assert self.agent is not None
        self.domain.shell('kill -9 %d' % self.agent.pid)
        self.wait_until_connected(False)

    def restart_agent(self, config: str = '') -> None:
        self.stop_agent()
        self.start_agent(config)

    def log(self) -> str:
        return self.domain.shell('tail -c 1000 /mnt/ext4/qemu-ga.log /run/qemu-ga.log')

    def wait_until_connected(self, connected: bool = True) -> None:
        """Until libvirt has noticed that the agent has opened, or closed, its port."""
        until = time.monotonic() + 20
        while (CHANNEL_STATE in self._channel()) != connected:
            if time.monotonic() > until:
                raise LibvirtFailed('the agent is not %s: %s'
                                    % ('there' if connected else 'gone', self.log()))
            time.sleep(0.05)

    def wait_until_answering(self) -> None:
        """A libvirtd that starts opens the channel of a guest that runs a moment later."""
        text = request('guest-ping', {})
        until = time.monotonic() + 20
        while self.libvirtd.virsh('qemu-agent-command', NAME, text).status != 0:
            if time.monotonic() > until:
                raise LibvirtFailed('no answer through the new libvirtd: ' + self.log())
            time.sleep(0.05)

    def _channel(self) -> str:
        description = self.libvirtd.must('dumpxml', NAME)
        return next(line for line in description.splitlines() if AGENT_PORT in line)

    def quiet(self, command: str, **arguments: Any) -> Any:
        """An agent's command that is not written down."""
        answer = self.libvirtd.must('qemu-agent-command', NAME, request(command, arguments))
        return json.loads(answer)['return']

    def begin_writes(self) -> None:
        """Touch a file on every file system, from the background: frozen ones make it wait."""
        self.domain.shell('rm -f /run/written; for place in %s; do '
                          '(touch $place/written && echo $place >> /run/written) '
                          '> /dev/null 2>&1 < /dev/null & done' % ' '.join(PLACES))

    def expect_writable(self, *places: str) -> None:
        """Once things have settled, exactly these let the touch of begin_writes() through."""
        self.domain.wait_for('[ $(cat /run/written | wc -l) -ge %d ]' % len(places))
        if len(places) < len(PLACES):
            time.sleep(0.5)
        written = self.domain.shell('cat /run/written 2> /dev/null | sort').split()
        expect(sorted(places) == written, 'writable: %s' % written)

    def wait_until_frozen(self) -> None:
        """Until whoever writes has to wait, on every file system."""
        self.domain.wait_for(
            'pids=; for place in %s; do touch $place/probe > /dev/null 2>&1 < /dev/null & '
            'pids="$pids $!"; done; usleep 200000; '
            'for pid in $pids; do grep -q "^State:.D" /proc/$pid/status || exit 1; done'
            % ' '.join(PLACES))

    def hold_hook(self) -> None:
        """From now on the hook writes down that it was called, and waits."""
        self.domain.shell('rm -f /run/hook.log; touch /run/hook.wait')

    def wait_for_hook(self) -> None:
        self.domain.wait_for('grep -q freeze /run/hook.log')

    def release_hook(self) -> None:
        self.domain.shell('rm /run/hook.wait')

    def expect_hooks(self, *calls: str) -> None:
        """Our agent calls the hook so since the last time; what qemu-ga did is compared."""
        if self.is_ours:        # some calls come a moment after the thaw
            self.domain.wait_for('[ $(wc -l < /run/hook.log) -ge %d ]' % len(calls))
        done = self.domain.status('cat /run/hook.log; rm -f /run/hook.log')[1].split()
        called = [word for word in done if word in ('freeze', 'thaw')]
        self.client.write_down('(the hook)', Result(0, ' '.join(called)))
        expect(called == [*calls] or not self.is_ours, 'hook calls: %s' % called)

    def recover(self, config: str = '') -> None:
        """After a step that failed: the next one finds a guest that can write, and an agent."""
        self.domain.status('rm -f /run/hook.*; for place in %s; do fsfreeze --unfreeze $place; '
                           'done; rm -f /mnt/ext4/state/qga.state.isfrozen' % ' '.join(PLACES))
        if not self.libvirtd.is_running():
            self.libvirtd.start()
        if self.agent is not None:
            self.domain.stop(self.agent)
            self.wait_until_connected(False)
            self.start_agent(config)
