# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to an agent: sockets, vsock, libvirt, and from within the guest."""
import random
import shutil
import socket
import subprocess
from typing import Callable, Dict, List

from bench import NO_ANSWER, USAGE, Bench, Problem, expect, first, outcome
from lib import suite
from lib.agent import Agent

LOOPBACK = 1
STANDIN = suite.ROOT / 'tests' / 'ctl' / 'libvirt-standin.c'


class VsockAgent(Agent):
    port = 0

    def channel_arguments(self) -> List[str]:
        return ['-m', 'vsock-listen', '-p', f'{socket.VMADDR_CID_ANY}:{self.port}']


def loopback_works() -> bool:
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as server, \
                socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as client:
            server.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
            server.listen(1)
            client.settimeout(1)
            client.connect((LOOPBACK, server.getsockname()[1]))
            return True
    except OSError:
        return False


def vsock_reaches_an_agent(bench: Bench) -> Problem:
    port = random.randrange(50_000, 1 << 31)
    address = f'vsock:{LOOPBACK}:{port}'
    nobody = outcome(bench.run('ping', address=address), NO_ANSWER, b'', says='cannot connect')
    if nobody or not loopback_works():
        return nobody
    with VsockAgent(bench.agent.program) as agent:
        configuration = agent.folder / 'conf'
        configuration.write_text('[novacron]\nvsock-any-peer=true\n')
        agent.arguments = ['-c', str(configuration)]
        agent.port = port
        agent.start()
        for _ in range(100):
            done = bench.run('exec', 'echo', 'here', address=address)
            if done.returncode == 0:
                break
        return outcome(done, 0, b'here\n')


def addresses_are_checked(bench: Bench) -> Problem:
    addresses = ('nonsense', 'vsock:5', 'vsock:a:1', 'vsock:1:4294967296', 'unix:', 'libvirt:',
                 '/' + 'x' * 200)
    return first(*(outcome(bench.run('ping', address=address), USAGE, b'', says='novacronctl: ')
                   for address in addresses),
                 outcome(bench.run_alone('ping'), USAGE, says='which agent?'),
                 outcome(bench.run_alone('-c', '/x', '-l', 'ping'), USAGE, says='one is enough'))


def the_environment_names_an_agent(bench: Bench) -> Problem:
    return outcome(bench.run_alone('ping', NOVACRONCTL_CONNECT=str(bench.socket)), 0)


def the_agents_configuration_names_its_session(bench: Bench) -> Problem:
    configuration = bench.folder / 'conf'
    address = f'local:{configuration}'
    missing = outcome(bench.run('ping', address=address), NO_ANSWER, says='cannot read')
    configuration.write_text('[novacron]\nsessions=vsock-listen:1:2\n')
    none = outcome(bench.run('ping', address=address), NO_ANSWER, says='sessions=unix-listen:')
    configuration.write_text('[general]\n[novacron]\nsessions=virtio-serial:/dev/null;'
                             f'unix-listen:{bench.socket}\n')
    return first(missing, none, outcome(bench.run('ping', address=address), 0))


def libvirt_of(bench: Bench) -> Dict[str, str]:
    """The environment in which libvirt's library is ours: it asks the agent that LIBVIRT_STANDIN
    names, loses the class of an error and adds words of its own as libvirt does. Empty: there is no
    compiler."""
    compiler = shutil.which('cc')
    if not compiler:
        return {}
    subprocess.run([compiler, '-shared', '-fPIC', '-o', bench.folder / 'libvirt.so.0', STANDIN],
                   check=True)
    (bench.folder / 'libvirt-qemu.so.0').symlink_to('libvirt.so.0')
    return {'LD_LIBRARY_PATH': str(bench.folder), 'LIBVIRT_STANDIN': str(bench.socket)}


def libvirt_reaches_a_domain(bench: Bench) -> Problem:
    world = libvirt_of(bench)
    if not world:
        return None

    def run(*words: str) -> 'subprocess.CompletedProcess[bytes]':
        return bench.run_alone('-d', 'web1', *words, stdin=b'typed', **world)
    (bench.folder / 'large').write_bytes(random.Random(3).randbytes(300 << 10))
    target = bench.agent.files / 'through-libvirt'
    return first(outcome(run('ping'), 0, err=b''),
                 outcome(run('cp', 'large', f'guest:{target}'), 0, b'', b''),
                 outcome(run('raw', '{"execute": "guest-ping", "id": "%s"}' % ('x' * 110000)),
                         NO_ANSWER, b'', says='libvirt cannot pass a request of'),
                 outcome(run('exec', '-i', 'sh', '-c', 'cat; exit 3'), 3, b'typed', b''),
                 outcome(run('exec', '/nonexistent'), 1, b'', says='No such file or directory'),
                 outcome(bench.run_alone('-d', 'other', 'ping', **world), NO_ANSWER, b'',
                         says="Domain not found: no domain 'other'"),
                 expect(b'virsh list' in bench.run_alone('-d', 'other', 'ping', **world).stderr,
                        'no advice'))


TESTS: List[Callable[[Bench], Problem]] = [
    addresses_are_checked, the_environment_names_an_agent,
    the_agents_configuration_names_its_session, vsock_reaches_an_agent, libvirt_reaches_a_domain,
]
