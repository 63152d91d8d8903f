#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients in a guest that is really frozen, which is on a stage, see lib/stage.py."""
import json
import sys
import time
from pathlib import Path
from typing import List, Sequence

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parent / 'changes')]

from kubevirt import synchronise
from lib import check, stage, suite
from lib.agent import Agent
from lib.check import Check, expect
from lib.process import wait_until
from lib.stage import Stage
from proxmox import Client

REFUSED = 'Command %s has been disabled: the command is not allowed'
POLLS = 50


class Bench(Check):
    def __init__(self, where: Stage, program: Sequence[str]):
        super().__init__(program, False)
        self.stage = where
        self.places: List[str] = [where.inside(mount) for mount in where.mounts]

    def start_confined(self) -> Agent:
        """An agent that sees nothing but the stage."""
        agent = self.start()
        agent.connect().close()
        self.stage.forbid_others(agent.pid)
        return agent

    def close(self) -> None:
        self.stage.thaw()
        super().close()


def status(client: Client) -> str:
    return client.ask('guest-fsfreeze-status')


def proxmox_polls_the_status_and_thaws_over_other_connections(bench: Bench) -> None:
    client = Client(bench.start_confined())
    expect(status(client) == 'thawed', 'frozen already: it would not freeze')
    count = client.ask('guest-fsfreeze-freeze-list', mountpoints=bench.places)
    expect(count == len(bench.places), f'{count} are frozen')
    for _ in range(POLLS):
        expect(status(client) == 'frozen' and client.ask('guest-ping') == {}, 'not frozen')
    again = client.call('guest-fsfreeze-freeze-list', mountpoints=bench.places)
    expect(again['error'] == {'class': 'CommandNotFound',
                              'desc': REFUSED % 'guest-fsfreeze-freeze-list'}, f'{again}')
    refused = client.call('guest-file-open', path='/file', mode='w')
    expect(refused['error']['desc'] == REFUSED % 'guest-file-open', f'{refused}')
    expect(client.ask('guest-fsfreeze-thaw') == len(bench.places), 'not all are thawed')
    expect(status(client) == 'thawed', 'still frozen')


def a_freeze_whose_client_has_left_is_found_and_thawed(bench: Bench) -> None:
    """What libvirt does when its own client gives up: nothing."""
    client = Client(bench.start_confined())
    _, packet = client.packet('guest-fsfreeze-freeze-list', mountpoints=bench.places)
    with client.agent.connect() as connection:
        connection.send(packet)
    expect(wait_until(lambda: status(client) == 'frozen'), 'the freeze is lost')
    expect(client.ask('guest-fsfreeze-thaw') == len(bench.places), 'not all are thawed')


def kubevirt_polls_on_while_frozen(bench: Bench) -> None:
    agent = bench.start_confined()
    with agent.connect() as connection:
        synchronise(connection)
        connection.call('guest-fsfreeze-freeze-list', mountpoints=bench.places)
        slowest = 0.0
        for _ in range(POLLS):
            for command, text in (('guest-fsfreeze-status', '"frozen"'), ('guest-ping', '{}')):
                started = time.monotonic()
                line = connection.ask(json.dumps({'execute': command}).encode() + b'\n').decode()
                expect(line == '{"return": %s}\n' % text, line)
                slowest = max(slowest, time.monotonic() - started)
            info = connection.call('guest-info')['supported_commands']
            expect({'enabled': True, 'name': 'guest-fsfreeze-thaw', 'success-response': True}
                   in info, f'{info}')
        connection.call('guest-fsfreeze-thaw')
        info = connection.call('guest-info')['supported_commands']
        expect(all(entry['enabled'] for entry in info if entry['name'].startswith('guest-')),
               'commands stay disabled after the thaw')
    print(f'  frozen: the slowest answer took {slowest * 1e3:.1f} ms', flush=True)
    expect(slowest < 0.5, 'an answer took too long')


CHECKS = [
    proxmox_polls_the_status_and_thaws_over_other_connections,
    a_freeze_whose_client_has_left_is_found_and_thawed,
    kubevirt_polls_on_while_frozen,
]


def main() -> int:
    chosen = check.parser(__doc__).parse_args()
    program = suite.program(chosen.agent)

    def body(where: Stage) -> int:
        confined = where.confine(program)
        return check.run_all([sys.modules[__name__]], chosen, lambda: Bench(where, confined))

    return stage.perform(['ext4', 'xfs'], body)


if __name__ == '__main__':
    sys.exit(main())
