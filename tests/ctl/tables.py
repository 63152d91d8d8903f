# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables for people, what the agent can do, its jobs, and a freeze, which only a made-up agent
may be asked for here."""
import os
import signal
import subprocess
import time
from typing import Any, Callable, Dict, List

from bench import FAILED, NO_ANSWER, PATIENCE, USAGE, Bench, Problem, expect, first, outcome, parsed
from fake import error, result
from programs import Screen, is_ours, with_streams

GUEST = {
    'guest-get-fsinfo': [
        {'name': 'vda1', 'mountpoint': '/srv', 'type': 'ext4', 'used-bytes': 1 << 30,
         'total-bytes': 4 << 30, 'disk': [
             {'pci-controller': {'domain': 0, 'bus': 0, 'slot': 5, 'function': 0},
              'bus-type': 'virtio', 'bus': 0, 'target': 0, 'unit': 0, 'dev': '/dev/vda1'}]},
        {'name': 'x', 'mountpoint': '/a\x1b[2Jb', 'type': 'nfs', 'disk': []}],
    'guest-network-get-interfaces': [
        {'name': 'eth0', 'hardware-address': '52:54:00:12:34:56', 'ip-addresses': [
            {'ip-address': '192.0.2.5', 'ip-address-type': 'ipv4', 'prefix': 24},
            {'ip-address': '2001:db8::5', 'ip-address-type': 'ipv6', 'prefix': 64}]},
        {'name': 'dummy'}],
    'guest-get-disks': [
        {'name': '/dev/vda', 'partition': False, 'address': {
            'pci-controller': {'domain': 0, 'bus': 0, 'slot': 5, 'function': 0}, 'serial': 'S1',
            'bus-type': 'virtio', 'bus': 0, 'target': 0, 'unit': 0, 'dev': '/dev/vda'}},
        {'name': '/dev/vda1', 'partition': True, 'dependencies': ['/dev/vda']}],
}
JOB = {'id': 'j1', 'command': 'novacron-file-digest', 'status': 'running', 'generation': 1,
       'changes-guest': False, 'created-ns': 1_700_000_000_000_000_000,
       'progress': {'current': 1, 'total': 4, 'unit': 'bytes'}}
OVER = {**JOB, 'status': 'concluded', 'outcome': 'success', 'generation': 2}


def table(*rows: Dict[str, Any], **more: Any) -> Dict[str, Any]:
    """A page of a table, as the agent tells it."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return {'columns': columns, 'rows': [[row.get(name) for name in columns] for row in rows],
            **more}


def answers(values: Dict[str, Any]) -> Dict[str, Callable[[Dict[str, Any]], bytes]]:
    return {name: lambda _, value=value: result(value) for name, value in values.items()}


def tables_show_what_there_is(bench: Bench) -> Problem:
    with bench.fake(answers(GUEST)):
        fs, net, disks = (bench.run_fake(word).stdout.decode().splitlines()
                          for word in ('fs', 'net', 'disks'))
        chosen = bench.run_fake('fs', '-o', 'size,Mounted').stdout
        wrong = bench.run_fake('fs', '-o', 'nothing')
        as_json = [parsed(bench.run_fake('fs', *words)) for words in (('-j',), ('-o', 'json'))]
    rows = [line.split() for line in fs + net + disks]
    wanted = (['/srv', 'ext4', '4.0', 'GiB', '1.0', 'GiB', '25', '%', 'vda1', '/dev/vda1'],
              ['/a?[2Jb', 'nfs', '-', '-', '-', 'x', '-'],
              ['eth0', '2001:db8::5/64', '52:54:00:12:34:56', '-', '-'],
              ['dummy', '-', '-', '-', '-'],
              ['/dev/vda', 'disk', 'virtio', 'S1', '-', '-'],
              ['/dev/vda1', 'partition', '-', '-', '-', '/dev/vda'])
    return first(*(expect(row in rows, f'no {row} in {rows}') for row in wanted),
                 expect(chosen.splitlines()[0].split() == [b'SIZE', b'MOUNTED'], repr(chosen)),
                 outcome(wrong, USAGE, b'', says='known: mounted, type'),
                 expect(as_json == [GUEST['guest-get-fsinfo']] * 2, f'{as_json}'))


def columns_stay_in_line(bench: Bench) -> Problem:
    """Where characters are as wide as two, or have no width."""
    mounts = ('/日本', '/e\u0301', '/plain')
    with bench.fake(answers({'guest-get-fsinfo': [
            {'name': 'x', 'mountpoint': mount, 'type': 'nfs', 'disk': []} for mount in mounts]})):
        shown = bench.run_fake('fs', '-o', 'mounted,type').stdout.decode().splitlines()
    lines = {'MOUNTED  TYPE', '/日本    nfs', '/e\u0301       nfs', '/plain   nfs'}
    return expect(set(shown) == lines, f'{shown}')


def colour_is_for_terminals(bench: Bench) -> Problem:
    with Screen(bench, 'commands') as screen:
        coloured = screen.shows(b'\x1b[1mCOMMAND')
    os.environ['NO_COLOR'] = '1'
    with Screen(bench, 'commands') as screen:
        plain = screen.shows(b'COMMAND')
        spared = expect(b'\x1b' not in screen.seen, 'colour in spite of NO_COLOR')
    del os.environ['NO_COLOR']
    return first(coloured, plain, spared,
                 expect(b'\x1b' not in bench.run('commands').stdout, 'colour in a pipe'))


def info_tells_the_agents_apart(bench: Bench) -> Problem:
    info = bench.run('info').stdout.decode()
    areas = bench.run('areas')
    if not is_ours(bench):
        return expect('qemu-ga' in info, info) or \
            outcome(areas, FAILED, b'', says='does not have this command')
    return first(expect('NovaCron' in info and 'exec (policy)' in info, info),
                 expect(any(line.split()[:5] == ['exec', '2', 'of', '7', 'policy']
                            for line in areas.stdout.decode().splitlines()), repr(areas.stdout)))


def jobs_are_listed_and_followed(bench: Bench) -> Problem:
    states = [OVER, JOB, JOB]
    known = {**answers({'novacron-job-query': table(OVER, generation='a'),
                        'novacron-job-cancel': JOB, 'novacron-job-dismiss': {},
                        'novacron-job-result': {'job': OVER, 'result': {'sha256': 'ab'}}}),
             'novacron-job-wait': lambda _: result(states.pop())}
    with bench.fake(known) as agent:
        listed = bench.run_fake('jobs').stdout.decode().splitlines()
        waited = bench.run_fake('jobs', 'wait', 'j1')
        told = parsed(bench.run_fake('jobs', 'result', 'j1')) or {}
        others = [bench.run_fake('jobs', verb, 'j1') for verb in ('cancel', 'dismiss')]
        waits = agent.calls.count('novacron-job-wait')
    with bench.fake(known):
        told_as_json = parsed(bench.run_fake('jobs', '--json'))
    wrong = [bench.run('jobs', *words) for words in (('nonsense',), ('wait',), ('list', 'j1'))]
    return first(expect(listed[1].split()[:4] == ['j1', 'novacron-file-digest', 'success', '25'],
                        f'{listed}'),
                 expect(told_as_json == [OVER], f'{told_as_json}'),
                 outcome(waited, 0, err=b''), expect(waits == 3, f'{waits} waits'),
                 expect(told.get('result') == {'sha256': 'ab'}, f'{told}'),
                 *(outcome(done, 0) for done in others),
                 *(outcome(done, USAGE, says='usage') for done in wrong))


def a_job_that_failed_is_a_failure(bench: Bench) -> Problem:
    job = {**JOB, 'status': 'concluded', 'outcome': 'failed',
           'error': {'code': 'no-space', 'desc': 'the disk is full', 'retryable': True}}
    with bench.fake(answers({'novacron-job-wait': job})):
        done = bench.run_fake('jobs', 'wait', 'j1')
    return outcome(done, FAILED) or expect(b'the disk is full' in done.stdout, repr(done.stdout))


class FrozenGuest:
    """`thaws_itself`: the guest's own deadline strikes."""

    def __init__(self, thaws_itself: bool = False):
        self.frozen = False
        self.thaws_itself = thaws_itself
        self.answers = {'guest-fsfreeze-freeze': self._freeze, 'guest-fsfreeze-thaw': self._thaw,
                        'guest-fsfreeze-status': self._status}

    def _freeze(self, _: Dict[str, Any]) -> bytes:
        self.frozen = not self.thaws_itself
        return result(3)

    def _thaw(self, _: Dict[str, Any]) -> bytes:
        was, self.frozen = self.frozen, False
        return result(3 if was else 0)

    def _status(self, _: Dict[str, Any]) -> bytes:
        return result('frozen' if self.frozen else 'thawed')


CALLS = ['guest-fsfreeze-freeze', 'guest-fsfreeze-status', 'guest-fsfreeze-thaw']


def freezing_calls(agent: Any) -> List[str]:
    return [name for name in agent.calls if 'fsfreeze' in name]


def a_command_runs_while_the_guest_is_frozen(bench: Bench) -> Problem:
    problems = []
    for command, status in ((('sh', '-c', 'echo ran; exit 6'), 6), (('/nonexistent',), FAILED),
                            (('sh', '-c', 'kill -9 $$'), 137)):
        with bench.fake(FrozenGuest().answers) as agent:
            done = bench.run_fake('freeze', '--', *command)
            calls = freezing_calls(agent)
        problems += [outcome(done, status, b'ran\n' if status == 6 else b''),
                     expect(calls == CALLS, f'{command}: {calls}')]
    return first(*problems)


def a_freeze_ends_in_time(bench: Bench) -> Problem:
    with bench.fake(FrozenGuest().answers) as agent:
        alone = bench.run_fake('freeze', '--for', '0.3')
        began = time.monotonic()
        late = bench.run_fake('freeze', '-f', '0.3', '--', 'sh', '-c', 'exec sleep 2 >&- 2>&-')
        took = time.monotonic() - began
        calls = freezing_calls(agent)
    return first(outcome(alone, 0, says='3 file systems are thawed'),
                 outcome(late, FAILED, says='not consistent'),
                 expect(took < 1.5, f'{took:.1f} s'), expect(calls == CALLS * 2, f'{calls}'))


def without_a_deadline_in_the_guest_it_is_said(bench: Bench) -> Problem:
    words = 'freeze', '--for', '0.3'
    info = answers({'guest-info': {'version': '9.1.0', 'supported_commands': []}})
    with bench.fake({**FrozenGuest().answers, **info}) as agent:
        with Screen(bench, *words, address=str(agent.path)) as screen:
            told = first(screen.shows(b'without novacron-quiesce'), screen.shows(b'9.1.0'),
                         screen.shows(b'thawed'))
        with Screen(bench, '-q', *words, address=str(agent.path)) as screen:
            screen.process.wait(PATIENCE)
            spared = expect(b'without' not in screen.seen, 'advice in spite of -q')
    return first(told, spared)


def a_freeze_that_the_guest_has_ended_is_a_failure(bench: Bench) -> Problem:
    with bench.fake(FrozenGuest(thaws_itself=True).answers):
        return outcome(bench.run_fake('freeze', '--', 'true'), FAILED, says='has thawed before')


def the_guest_tells_what_a_freeze_was_worth(bench: Bench) -> Problem:
    begun = {'token': 't', 'frozen-ns': 1, 'left-ms': 4500, 'extensible-ms': 0, 'file-systems': 3}
    asked: List[Dict[str, Any]] = []
    verdicts = {'consistent': (0, '3 file systems'), 'expired': (FAILED, 'at its deadline'),
                'thawed-by-other': (FAILED, 'something else'), 'hook-failed': (FAILED, 'hook'),
                'application-failed': (FAILED, 'an application was not held')}

    def freeze(arguments: Dict[str, Any]) -> bytes:
        asked.append(arguments)
        return result(begun)
    problems = []
    for verdict, (status, words) in verdicts.items():
        thawed = {'verdict': verdict, 'held-ms': 9, 'file-systems': 3, 'thawed': 3}
        with bench.fake({'novacron-quiesce-freeze': freeze,
                         **answers({'novacron-quiesce-thaw': thawed})}) as agent:
            problems.append(outcome(bench.run_fake('freeze', '-f', '2.5', 'true'), status,
                                    says=words))
            problems.append(expect(not freezing_calls(agent), f'{agent.calls}'))
    return first(*problems, expect(asked == [{'deadline-ms': 4500}] * 5, f'{asked}'))


class PreparingGuest:
    """An agent that prepares applications in a job, which is over at the third look unless it waits
    to be cancelled."""

    def __init__(self, outcome_: str, apps: List[Dict[str, Any]], is_endless: bool = False):
        self.looks = 0
        self.is_endless = is_endless
        self.is_cancelled = False
        self.lenient: List[Any] = []
        self.jobs: List[Any] = []
        self.outcome = outcome_
        self.apps = apps
        thawed = {'verdict': 'consistent', 'held-ms': 9, 'file-systems': 1, 'thawed': 1}
        self.answers = {'novacron-quiesce-begin': self._begin, 'novacron-job-wait': self._look,
                        'novacron-job-cancel': self._cancel, 'novacron-job-result': self._result,
                        'novacron-quiesce-freeze': self._freeze,
                        **answers({'novacron-quiesce-thaw': thawed})}

    def _job(self) -> Dict[str, Any]:
        job = {'id': 'j', 'command': 'novacron-quiesce-begin', 'status': 'running',
               'generation': 1, 'changes-guest': False, 'created-ns': 1}
        if self.is_cancelled or (self.looks > 2 and not self.is_endless):
            job['status'] = 'concluded'
            job['outcome'] = 'cancelled' if self.is_cancelled else self.outcome
            if job['outcome'] in ('failed', 'cancelled'):
                job['error'] = {'code': 'failed', 'desc': 'it will not', 'retryable': False}
        return job

    def _begin(self, arguments: Dict[str, Any]) -> bytes:
        self.lenient.append(arguments['lenient'])
        return result(self._job())

    def _look(self, _: Dict[str, Any]) -> bytes:
        self.looks += 1
        time.sleep(0.02)
        return result(self._job())

    def _cancel(self, _: Dict[str, Any]) -> bytes:
        self.is_cancelled = True
        return result(self._job())

    def _result(self, _: Dict[str, Any]) -> bytes:
        return result({'job': self._job(), 'result': {'apps': self.apps}})

    def _freeze(self, arguments: Dict[str, Any]) -> bytes:
        self.jobs.append(arguments.get('job'))
        return result({'token': 't', 'frozen-ns': 1, 'left-ms': 4500, 'extensible-ms': 0,
                       'file-systems': 1})


def applications_are_made_ready_before_a_freeze(bench: Bench) -> Problem:
    good = {'kind': 'postgresql', 'pid': 7, 'state': 'prepared', 'version': '15.1',
            'detail': 'a checkpoint was made'}
    bad = {'kind': 'redis', 'pid': 8, 'state': 'failed', 'error': 'failed: \x1b[2Jno'}
    guest = PreparingGuest('success', [good])
    with bench.fake(guest.answers):
        done = bench.run_fake('freeze', '--', 'true')
        quiet = bench.run_fake('-q', 'freeze', '--', 'true')
    lenient = PreparingGuest('partial', [good, bad])
    with bench.fake(lenient.answers):
        partial = bench.run_fake('freeze', '--lenient', '--', 'true')
    return first(outcome(done, 0, b'', says='postgresql 15.1: a checkpoint was made\n'),
                 outcome(quiet, 0, b'', b''),
                 outcome(partial, 0, b'', says='redis (process 8) is left out: failed: '),
                 expect(b'\x1b' not in partial.stderr, f'{partial.stderr!r}'),
                 expect(guest.jobs == ['j', 'j'] and guest.lenient == [False, False],
                        f'{guest.jobs} {guest.lenient}'),
                 expect(lenient.lenient == [True], f'{lenient.lenient}'))


def nothing_is_frozen_where_they_cannot_be(bench: Bench) -> Problem:
    guest = PreparingGuest('failed', [])
    with bench.fake(guest.answers):
        done = bench.run_fake('freeze', '--', 'true')
    return first(outcome(done, FAILED, says='applications are not ready: it will not'),
                 expect(not guest.jobs, 'frozen'))


def whoever_is_told_to_stop_gives_the_preparation_up(bench: Bench) -> Problem:
    guest = PreparingGuest('success', [], is_endless=True)
    with bench.fake(guest.answers) as agent:
        process = subprocess.Popen([bench.client, '-c', str(agent.path), 'freeze'],
                                   stderr=subprocess.PIPE)
        while not guest.looks and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        words = process.communicate(timeout=PATIENCE)[1]
    return first(expect(process.returncode == FAILED, f'{process.returncode}: {words!r}'),
                 expect(guest.is_cancelled and not guest.jobs, 'not cancelled, or frozen'))


def a_freeze_without_an_answer_is_a_warning(bench: Bench) -> Problem:
    with bench.fake({'guest-fsfreeze-freeze': lambda _: b''}):
        return outcome(bench.run_fake('-T', '0.3', 'freeze'), NO_ANSWER, b'',
                       says='the guest may be frozen')


def whoever_is_told_to_stop_thaws_first(bench: Bench) -> Problem:
    with bench.fake(FrozenGuest().answers) as agent:
        process = subprocess.Popen([bench.client, '-c', str(agent.path), 'freeze'],
                                   stderr=subprocess.PIPE)
        while not freezing_calls(agent) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        words = process.communicate(timeout=PATIENCE)[1]
        calls = freezing_calls(agent)
    return first(expect(process.returncode == 0, f'{process.returncode}: {words!r}'),
                 expect(calls == CALLS, f'{calls}'))


def thaw_tells_how_many(bench: Bench) -> Problem:
    with bench.fake(answers({'guest-fsfreeze-thaw': 4})):
        return outcome(bench.run_fake('thaw'), 0, b'4 file systems are thawed.\n') or \
            outcome(bench.run_fake('thaw', '-j'), 0, b'4\n')


def folders_are_listed(bench: Bench) -> Problem:
    folder = bench.agent.files / 'listed'
    folder.mkdir()
    for number in range(1500):      # more than a page of 64 KiB
        (folder / f'file-{number:04}').touch()
    (folder / 'file-0007').write_bytes(bytes(2048))
    done = bench.run('ls', '-o', 'name,size', f'guest:{folder}')
    lines = done.stdout.decode().splitlines()
    listed = parsed(bench.run('ls', '-j', str(folder))) or []
    return first(outcome(done, 0, err=b''), expect(len(lines) == 1501, f'{len(lines)} lines'),
                 expect(lines[8].split() == ['file-0007', '2.0', 'KiB'], lines[8]),
                 expect(len(listed) == 1500 and listed[0]['type'] == 'regular', f'{listed[:1]}'),
                 outcome(bench.run('ls', '/nonexistent'), FAILED, b'', says='not-found'))


def rows_that_do_not_fit_are_refused(bench: Bench) -> Problem:
    page = {'columns': ['name', 'type'], 'rows': [['only']]}
    with bench.fake(answers({'novacron-file-list': page})):
        return outcome(bench.run_fake('ls', '/'), NO_ANSWER, b'', says='cells')


def a_list_that_the_agent_forgets_is_asked_for_again(bench: Bench) -> Problem:
    gone = error('GenericError', 'cursor-expired: start over')
    first_page = table({'name': 'a'}, next='2')
    replies = [result(table({'name': 'b'})), result(first_page), gone, result(first_page)]
    with bench.fake({'novacron-file-list': lambda _: replies.pop()}):
        listed = parsed(bench.run_fake('ls', '-j', '/'))
    with bench.fake({'novacron-file-list': lambda asked: gone if 'cursor' in asked
                     else result(first_page)}) as agent:
        given_up = bench.run_fake('ls', '/')
        asked = agent.calls.count('novacron-file-list')
    return first(expect(listed == [{'name': 'a'}, {'name': 'b'}], f'{listed}'),
                 outcome(given_up, FAILED, b'', says='cursor-expired'),
                 expect(asked == 6, f'asked {asked} times'))


def columns_of_a_newer_agent_are_passed_over(bench: Bench) -> Problem:
    page = table({'colour': {'red': [1]}, 'name': 'a', 'uid': None})
    with bench.fake(answers({'novacron-file-list': page})):
        listed = parsed(bench.run_fake('ls', '-j', '/'))
    with bench.fake(answers({'novacron-file-list': table({'uid': 0})})):
        nameless = bench.run_fake('ls', '/')
    return first(expect(listed == [{'name': 'a'}], f'{listed}'),
                 outcome(nameless, NO_ANSWER, b'', says="'row.name' is missing"))


def jobs_need_their_commands(bench: Bench) -> Problem:
    with bench.fake({'novacron-job-query': lambda _: error('CommandNotFound', 'no'),
                     'guest-info': lambda _: result({'version': '8.0', 'supported_commands': []})}):
        return outcome(bench.run_fake('jobs'), FAILED, b'', says='NovaCron')


TESTS: List[Callable[[Bench], Problem]] = [
    tables_show_what_there_is, columns_stay_in_line,
    colour_is_for_terminals, info_tells_the_agents_apart,
    jobs_are_listed_and_followed, a_job_that_failed_is_a_failure, jobs_need_their_commands,
    a_command_runs_while_the_guest_is_frozen, a_freeze_ends_in_time,
    without_a_deadline_in_the_guest_it_is_said,
    a_freeze_that_the_guest_has_ended_is_a_failure, the_guest_tells_what_a_freeze_was_worth,
    applications_are_made_ready_before_a_freeze, nothing_is_frozen_where_they_cannot_be,
    whoever_is_told_to_stop_gives_the_preparation_up,
    a_freeze_without_an_answer_is_a_warning, whoever_is_told_to_stop_thaws_first,
    thaw_tells_how_many, with_streams(folders_are_listed), rows_that_do_not_fit_are_refused,
    a_list_that_the_agent_forgets_is_asked_for_again, columns_of_a_newer_agent_are_passed_over,
]
