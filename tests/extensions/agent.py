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


CHECKS = [after_crashes_in_a_row_only_what_upstream_has_is_there]
