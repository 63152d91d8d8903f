# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that do not behave."""
import json
import signal
import socket
import time
from typing import Any

from lib import process
from lib.agent import Agent
from lib.check import PING, PONG, Check, expect, expect_cost
from lib.connection import Connection
from lib.process import MIB

SECOND_OF_IDLENESS = 0.05       # CPU seconds that pass for none, on a noisy machine
RESYNC = b'\xff{"execute":"guest-sync-delimited","arguments":{"id":4711}}\n'
IN_STEP = b'\xff{"return": 4711}\n'


def request(command: str, **arguments: Any) -> bytes:
    return json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n'


def cpu_over(agent: Agent, seconds: float) -> float:
    before = process.cpu_seconds(agent.pid)
    time.sleep(seconds)
    return process.cpu_seconds(agent.pid) - before


def fill(connection: Connection, data: bytes, seconds: float = 1.0) -> int:
    """Send `data` again and again until the agent has taken nothing for a while; bytes taken."""
    connection.socket.settimeout(seconds)
    taken = 0
    try:
        while taken < 64 * MIB:
            taken += connection.socket.send(data)
    except socket.timeout:
        pass
    return taken


def a_client_that_does_not_read_costs_nothing(check: Check) -> None:
    agent, (other,) = check.start_with_sessions()
    with agent.connect() as stuck, agent.connect(other) as neighbour:
        expect(stuck.ask(PING) == PONG, 'no answer to begin with')
        before = process.resident(agent.pid)
        taken = fill(stuck, PING * 1000)
        expect(taken < 32 * MIB, f'{taken} bytes of requests were taken')
        grown = process.resident(agent.pid) - before
        expect_cost(grown < 8 * MIB, f'{grown} bytes of memory for a client that does not read')
        used = cpu_over(agent, 1)
        expect(used < SECOND_OF_IDLENESS, f'{used:.3f} CPU seconds in a second of waiting')
        expect(neighbour.ask(PING, 1) == PONG, 'the other session waits too')


def a_late_reader_gets_every_answer(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        taken = fill(client, PING * 1000)
        whole, part = divmod(taken, len(PING))
        client.send_aside(PING[part:] if part else b'', half_close=True)
        answers = client.read_to_end()
        wanted = whole + (1 if part else 0)
        expect(answers == PONG * wanted,
               f'{answers.count(PONG)} answers to {wanted} requests, {len(answers)} bytes')


def a_byte_at_a_time_costs_nothing(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        client.ask(PING)
        before = process.cpu_seconds(agent.pid), process.wakeups(agent.pid)
        for byte in PING:
            client.send(bytes([byte]))
            time.sleep(0.05)
        expect(client.read_line() == PONG, 'no answer')
        used = process.cpu_seconds(agent.pid) - before[0]
        expect(used < SECOND_OF_IDLENESS, f'{used:.3f} CPU seconds')
        woken = process.wakeups(agent.pid) - before[1]
        expect(woken <= 3 * len(PING), f'{woken} wake-ups for {len(PING)} bytes')


def an_idle_agent_sleeps(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        client.ask(PING)
        time.sleep(0.1)
        before = process.wakeups(agent.pid)
        time.sleep(2)
        woken = process.wakeups(agent.pid) - before
    expect(woken == 0, f'{woken} wake-ups in two seconds with nothing to do')


def a_client_may_vanish_inside_a_request(check: Check) -> None:
    agent = check.start()
    for beginning in (b'{"execute":"guest-pi', b'{"execute":"guest-ping","id":[[[', b'"\\u12',
                      b'{"a":@', b'[' * 1000, b'{"execute":"guest-file-write","arguments":'
                      b'{"handle":1000,"buf-b64":"' + b'QUJD' * 100000):
        with agent.connect() as client:
            client.send(beginning)
        with agent.connect() as client:
            client.send(RESYNC)
            expect(client.read_through(IN_STEP, 5).endswith(IN_STEP),
                   f'no step after {beginning[:40]!r}')
            expect(client.ask(PING) == PONG, f'no answer after {beginning[:40]!r}')


def a_client_may_vanish_with_an_answer_unread(check: Check) -> None:
    """qemu-ga ends here, with status 0."""
    agent = check.start()
    (agent.files / 'large').write_bytes(bytes(8 * MIB))
    with agent.connect() as client:
        handle = client.call('guest-file-open', path='large')
    for size in (1, 100, 1 * MIB, 8 * MIB):
        with agent.connect() as client:
            client.call('guest-file-seek', handle=handle, offset=0, whence=0)
            client.send(request('guest-file-read', handle=handle, count=size))
            client.socket.recv(1)
        expect(agent.is_running(), f'the agent ended with an answer of {size} bytes unread')
    with agent.connect() as client:
        client.send(PING)
        time.sleep(0.1)
    with agent.connect() as client:
        expect(client.ask(PING) == PONG, 'the next client gets something else')


def what_a_vanished_client_asked_for_is_done(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        client.send(PING * 100 + request('guest-file-open', path='proof', mode='w'))
    expect(process.wait_until((agent.files / 'proof').exists), 'the last request was dropped')


def a_half_closed_client_gets_its_answers(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        client.send_aside(PING * 5000 + b'{"execute"', half_close=True)
        expect(client.read_to_end() == PONG * 5000, 'answers are missing')
    with agent.connect() as client:
        client.send(RESYNC)
        expect(client.read_through(IN_STEP, 5).endswith(IN_STEP), 'the next client gets no answer')


def a_thousand_clients_leave_no_trace(check: Check) -> None:
    agent = check.start()
    for number in range(1100):
        with agent.connect() as client:
            if number % 3 == 0:
                expect(client.ask(PING) == PONG, f'client {number} gets no answer')
            elif number % 3 == 1:
                client.send(PING)
        if number == 100:
            before = process.descriptors(agent.pid), process.resident(agent.pid)
    with agent.connect() as client:
        expect(client.ask(PING) == PONG, 'no answer afterwards')
        descriptors = process.descriptors(agent.pid) - 1        # this client's
    process.wait_until(lambda: process.descriptors(agent.pid) <= before[0])
    after = process.descriptors(agent.pid)
    expect(after <= before[0], f'{before[0]} descriptors became {after}, {descriptors} connected')
    grown = process.resident(agent.pid) - before[1]
    expect_cost(grown < MIB, f'{grown} bytes of memory for a thousand clients')


def a_second_client_waits_for_the_first(check: Check) -> None:
    agent = check.start()
    with agent.connect() as first:
        first.ask(PING)
        with agent.connect() as second:
            second.send(PING)
            expect(second.read_exactly(1, 0.3) == b'', 'the second client is answered at once')
            expect(first.ask(PING) == PONG, 'the first client is forgotten')
            used = cpu_over(agent, 0.5)
            expect(used < SECOND_OF_IDLENESS, f'{used:.3f} CPU seconds while a client waits')
            first.close()
            expect(second.read_line(5) == PONG, 'the second client is never answered')


def white_space_is_not_stored(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        client.ask(PING)
        before = process.resident(agent.pid)
        for _ in range(64):
            client.send(b' ' * MIB)
        expect(client.ask(PING) == PONG, 'no answer after white space')
        grown = process.peak_resident(agent.pid) - before
    expect_cost(grown < MIB, f'{grown} bytes of memory for white space')


def memory_of_a_giant_request_is_given_back(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        client.ask(PING)
        before = process.resident(agent.pid)
        client.send_aside(b'"' + b'x' * (60 * MIB) + b'"\n')
        expect(b'must be a JSON object' in client.read_line(), 'no error')
        expect(client.ask(PING) == PONG, 'no answer after a giant')
        peak = process.peak_resident(agent.pid) - before
        expect_cost(peak < 160 * MIB, f'{peak} bytes of memory for a request of 60 MiB')
        kept = process.resident(agent.pid) - before
    expect_cost(kept < 8 * MIB, f'{kept} bytes of memory are kept')


def sigterm_ends_an_agent_with_a_stuck_reader(check: Check) -> None:
    agent = check.start()
    with agent.connect() as client:
        fill(client, PING * 1000, 0.3)
        started = time.monotonic()
        agent.process.send_signal(signal.SIGTERM)
        status = agent.process.wait(5)
        expect(status == 0, f'status {status}')
        waited = time.monotonic() - started
        expect(waited < 1, f'{waited:.1f} seconds to end')


CHECKS = [
    a_client_that_does_not_read_costs_nothing, a_late_reader_gets_every_answer,
    a_byte_at_a_time_costs_nothing, an_idle_agent_sleeps, a_client_may_vanish_inside_a_request,
    a_client_may_vanish_with_an_answer_unread, what_a_vanished_client_asked_for_is_done,
    a_half_closed_client_gets_its_answers, a_thousand_clients_leave_no_trace,
    a_second_client_waits_for_the_first, white_space_is_not_stored,
    memory_of_a_giant_request_is_given_back, sigterm_ends_an_agent_with_a_stuck_reader,
]
