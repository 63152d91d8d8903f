# SPDX-License-Identifier: GPL-2.0-or-later
"""novacron-info, novacron-capabilities: what the agent says of itself."""
import signal

from lib.agent import Agent
from lib.check import Check, expect


def crash(agent: Agent) -> None:
    assert agent.process
    agent.process.send_signal(signal.SIGKILL)
    agent.process.wait()


def after_crashes_in_a_row_only_what_upstream_has_is_there(check: Check) -> None:
    agent = check.prepare()
    (agent.folder / 'agent.conf').write_text('[novacron]\nareas=exec\n')
    agent.arguments = ['-c', str(agent.folder / 'agent.conf')]
    for _ in range(3):
        agent.start()
        with agent.connect() as client:
            expect(not client.call('novacron-info')['safe-mode'], 'too early')
            client.call('novacron-exec-list')
        crash(agent)
    agent.start()
    with agent.connect() as client:
        expect(client.call('novacron-info')['safe-mode'], 'no safe mode')
        expect('not allowed' in client.answer('novacron-exec-list')['error']['desc'], 'exec is on')
        reasons = {command['name']: command.get('reason') for area
                   in client.call('novacron-capabilities') for command in area['commands']}
        expect(reasons['novacron-exec-list'] == 'safe-mode' and not reasons['novacron-info'],
               f'{reasons}')
        expect(client.call('guest-ping') == {}, 'guest-ping')
    agent.stop()
    agent.start()
    with agent.connect() as client:
        expect(not client.call('novacron-info')['safe-mode'], 'a clean end did not help')


def an_area_that_there_is_not_is_told_when_the_agent_starts(check: Check) -> None:
    agent = check.prepare()
    (agent.folder / 'agent.conf').write_text('[novacron]\nareas=exec;flie\n')
    agent.arguments = ['-c', str(agent.folder / 'agent.conf')]
    agent.start()
    with agent.connect() as client:
        client.call('novacron-exec-list')
    log = agent.log.read_text()
    expect("there is no area 'flie'" in log and "'exec'" not in log, log)


CHECKS = [after_crashes_in_a_row_only_what_upstream_has_is_there,
          an_area_that_there_is_not_is_told_when_the_agent_starts]
