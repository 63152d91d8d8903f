# SPDX-License-Identifier: GPL-2.0-or-later
"""vsock-listen: addresses everywhere, traffic where the kernel has the loopback transport."""
import random
import socket
from typing import Optional

from lib.agent import Agent
from lib.check import PING, PONG, Check, Skip, expect
from lib.connection import Connection

LOOPBACK = 1


class VsockAgent(Agent):
    """On a random port of every address; its socket path is only a name."""
    port = 0

    def channel_arguments(self) -> 'list[str]':
        return ['-m', 'vsock-listen', '-p', f'{socket.VMADDR_CID_ANY}:{self.port}']


def free_port() -> int:
    return random.randrange(50_000, 1 << 31)


def loopback_works() -> bool:
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as server, \
                socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as client:
            port = free_port()
            server.bind((socket.VMADDR_CID_ANY, port))
            server.listen(1)
            client.settimeout(1)
            client.connect((LOOPBACK, port))
            return True
    except OSError:
        return False


def start_on_vsock(check: Check, configuration: str) -> VsockAgent:
    if not loopback_works():
        raise Skip('the kernel offers no vsock loopback')
    agent = VsockAgent(check.program)
    agent.port = free_port()
    (agent.folder / 'agent.conf').write_text(configuration)
    agent.arguments = ['-c', str(agent.folder / 'agent.conf')]
    check.agents.append(agent)
    return agent.start()


def answer_over_vsock(agent: VsockAgent) -> Optional[bytes]:
    """None: the agent hung up."""
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as peer:
        peer.settimeout(5)
        peer.connect((LOOPBACK, agent.port))
        return Connection(peer).ask(PING, 5) or None


def bad_addresses_are_refused(check: Check) -> None:
    agent = check.prepare()
    for address, message in (
            ('bad', "error parsing address 'bad'"),
            ('', "error parsing address ''"),
            ('x:1', "Failed to parse cid 'x'"),
            ('3:x', "Failed to parse port 'x'"),
            ('3:1:2', "Failed to parse port '1:2'"),
            ('3::1', "Failed to parse port ':1'"),
            ('77777:1', 'Failed to bind socket: Cannot assign requested address')):
        ended = check.run('-m', 'vsock-listen', '-p', address, '-t', str(agent.state))
        expect(ended.returncode == 1, f'status {ended.returncode} for {address!r}')
        expect(message in ended.stderr, f'{message!r} is missing in {ended.stderr!r}')


def a_local_user_is_refused(check: Check) -> None:
    agent = start_on_vsock(check, '[general]\n')
    for _ in range(3):
        expect(answer_over_vsock(agent) is None, 'a peer that is not the host is answered')
    expect(agent.is_running(), 'the agent ended')


def any_peer_is_answered_where_allowed(check: Check) -> None:
    agent = start_on_vsock(check, '[novacron]\nvsock-any-peer=true\n')
    expect(answer_over_vsock(agent) == PONG, 'no answer')


CHECKS = [bad_addresses_are_refused, a_local_user_is_refused, any_peer_is_answered_where_allowed]
