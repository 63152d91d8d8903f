# SPDX-License-Identifier: GPL-2.0-or-later
"""VDSM (oVirt): an answer that takes more than a second counts as none, and the virtual machine is
not asked again for a minute. It gets all that it asks for, also while others keep the agent busy.
"""
import time
from typing import Dict

from bench import Bench
from kubevirt import supported
from lib.check import expect, expect_cost
from lib.connection import Connection
from sessions import flood_for_ever, in_background, make_large_file, read_for_ever, write_for_ever

LIMIT = 1.0
WELL_BELOW = LIMIT / 2
ROUNDS = 5
QUESTIONS = ('guest-info', 'guest-get-users', 'guest-get-vcpus', 'guest-get-osinfo',
             'guest-get-host-name', 'guest-get-timezone', 'guest-network-get-interfaces',
             'guest-get-fsinfo', 'guest-get-disks')
BURDENS = (read_for_ever, write_for_ever, flood_for_ever)


def slowest(connection: Connection) -> Dict[str, float]:
    """Seconds that each took at most."""
    times = dict.fromkeys(QUESTIONS, 0.0)
    for _ in range(ROUNDS):
        for name in QUESTIONS:
            started = time.monotonic()
            connection.call(name, timeout=60)
            times[name] = max(times[name], time.monotonic() - started)
        time.sleep(0.05)
    return times


def judge(what: str, times: Dict[str, float]) -> None:
    name = max(times, key=lambda key: times[key])
    print(f'  {what}: the slowest is {name} with {times[name] * 1e3:.1f} ms', flush=True)
    expect_cost(times[name] <= WELL_BELOW, f'{what}: {name} takes {times[name]:.2f} s')


def what_it_asks_is_enabled(check: Bench) -> None:
    with check.start().connect() as connection:
        missing = set(QUESTIONS) - set(supported(connection))
    expect(not missing, f'never asked for: {sorted(missing)}')


def every_answer_takes_less_than_half_a_second(check: Bench) -> None:
    with check.start().connect() as connection:
        judge('alone', slowest(connection))


def heavy_work_of_another_session_does_not_change_that(check: Bench) -> None:
    for burden in BURDENS:
        agent, (socket,) = check.start_with_sessions()
        make_large_file(agent.files / 'large')
        with agent.connect(socket) as connection:
            with in_background(lambda: burden(agent)):
                judge(f'beside {burden.__name__}', slowest(connection))
        agent.stop()


def an_operating_system_with_an_id_has_a_kernel_release(check: Bench) -> None:
    """It looks for that without asking whether it is there."""
    with check.start().connect() as connection:
        system = connection.call('guest-get-osinfo')
    expect('id' not in system or system.get('kernel-release'), f'{system}')


CHECKS = [
    what_it_asks_is_enabled,
    every_answer_takes_less_than_half_a_second,
    heavy_work_of_another_session_does_not_change_that,
    an_operating_system_with_an_id_has_a_kernel_release,
]
