# SPDX-License-Identifier: GPL-2.0-or-later
"""What libvirt does with a command that it passes through: it synchronises first, drops what is
not the answer, and hands the answer on as JSON of its own."""
import json
import os
import socket
import time
from typing import Dict

from libvirt import libvirtError

REPLY_LIMIT = 10 << 20      # libvirt reads no longer line
TEXT_LIMIT = 4 << 20        # and passes no longer text on
_ends: Dict[int, socket.socket] = {}


def _line(end: socket.socket, seconds: int) -> bytes:
    end.settimeout(seconds)
    data = b''
    while not data.endswith(b'\n'):
        more = end.recv(1 << 16)
        data += more
        if not more or len(data) > REPLY_LIMIT:
            raise libvirtError('Guest agent is not responding')
    return data


def _end() -> socket.socket:
    """One connection for each process: Ansible forks."""
    if os.getpid() not in _ends:
        end = socket.socket(socket.AF_UNIX)
        end.connect(os.environ['NOVACRON_SOCKET'])
        number = int(time.time() * 1000)
        end.sendall(json.dumps({'execute': 'guest-sync', 'arguments': {'id': number}}).encode()
                    + b'\n')
        if json.loads(_line(end, 5)) != {'return': number}:
            raise libvirtError('out of step')
        _ends[os.getpid()] = end
    return _ends[os.getpid()]


def qemuAgentCommand(_domain: str, command: str, timeout: int, _flags: int) -> str:
    end = _end()
    end.sendall(json.dumps(json.loads(command)).encode() + b'\n')
    reply = json.loads(_line(end, timeout))
    if 'error' in reply:
        raise libvirtError(reply['error']['desc'])
    if os.environ.get('NOVACRON_SPOIL'):        # what an agent must not do
        for entry in reply['return'].get('supported_commands', []):
            entry['reason'] = 'one member more'
    text = json.dumps(reply)
    if len(text) > TEXT_LIMIT:
        raise libvirtError('Unable to encode message payload')
    return text
