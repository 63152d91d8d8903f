# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that go on without us: started, listed, taken up again, ended; and limits."""
import signal
import time
from typing import Any, Callable, Dict, List

from bench import FAILED, PATIENCE, USAGE, Bench, Problem, expect, first, outcome, parsed
from fake import result
from programs import Screen, programs_left, start, with_streams

LIMITS = ('--memory', '1.5M', '--cpu', '50', '--processes', '9', '--buffer', '64k',
          '--time-limit', '2')
MUCH = 100_000      # more than a pipe holds
EXEC = {'id': '7-1', 'pid': 5, 'argv': ['true'], 'started-ns': 0, 'running': True,
        'timed-out': False}


def detach(bench: Bench, *words: str) -> str:
    return bench.run('exec', '--detach', *words).stdout.decode().strip()


def rows(bench: Bench) -> List[List[str]]:
    lines = bench.run('exec', '--list', '-o', 'id,state,program').stdout.decode().splitlines()
    return [line.split(None, 2) for line in lines[1:]]


def await_end(bench: Bench, name: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while [name, 'running'] in [row[:2] for row in rows(bench)] and time.monotonic() < deadline:
        time.sleep(0.05)


def a_program_is_left_and_taken_up_again(bench: Bench) -> Problem:
    name = detach(bench, 'sh', '-c', 'echo one; echo two >&2; read x; echo "<$x>"; exit 7')
    await_end(bench, name)
    done = bench.run('exec', '--attach', name)
    typed = detach(bench, '-i', 'sh', '-c', 'echo ready; read x; echo "<$x>"; exit 6')
    again = bench.run('exec', '-i', '--attach', typed, stdin=b'word\n')
    return first(outcome(done, 7, b'one\n<>\n', b'two\n'),
                 outcome(again, 6, b'ready\n<word>\n', b''), programs_left(bench),
                 outcome(bench.run('exec', '--attach', name), FAILED, b'', says='not-found'))


def programs_are_listed_and_ended(bench: Bench) -> Problem:
    name = detach(bench, 'sh', '-c', 'trap "exit 3" USR1; while :; do sleep 0.02; done')
    asleep = detach(bench, 'sh', '-c', 'exec sleep 60')
    time.sleep(0.3)         # until the trap is set
    listed = rows(bench)
    problem = first(
        expect([row[:2] for row in listed] == [[name, 'running'], [asleep, 'running']]
               and listed[1][2] == "sh -c 'exec sleep 60'", f'{listed}'),
        outcome(bench.run('exec', '--kill', name, '--signal', 'USR1'), 0, b'', b''),
        outcome(bench.run('exec', '--kill', asleep), 0, b'', b''))
    await_end(bench, name)
    await_end(bench, asleep)
    ended = [' '.join(row[1:3]) for row in rows(bench)]
    as_json = parsed(bench.run('exec', '--list', '--json')) or []
    return first(problem, expect(ended[0].startswith('exit 3') and
                                 ended[1].startswith('signal 15'), f'{ended}'),
                 expect([program['id'] for program in as_json] == [name, asleep], f'{as_json}'),
                 outcome(bench.run('exec', '--kill', name), FAILED, says='has ended'),
                 *(outcome(bench.run('exec', '--close', each), 0) for each in (name, asleep)),
                 programs_left(bench))


def long_programs_are_cut_on_terminals(bench: Bench) -> Problem:
    word = 'x' * 200
    name = detach(bench, 'true', word)
    with Screen(bench, 'exec', '--list') as screen:
        screen.process.wait(PATIENCE)
        cut = screen.shows(b'  true ' + word[:10].encode())
        end = screen.seen.split(b'\r\n')[0]
    return first(cut, expect(end.endswith(b'x...') and len(end) < 40, repr(end)),
                 expect(word in rows(bench)[0][2], 'cut in a pipe'),
                 outcome(bench.run('exec', '--close', name), 0))


def a_terminal_for_nobody_is_said(bench: Bench) -> Problem:
    with Screen(bench, 'exec', '-t', '--attach', '7') as screen:
        return screen.shows(b'novacron-exec-read: not-found: there is no program 7')


def whoever_attaches_can_leave(bench: Bench) -> Problem:
    name = detach(bench, 'sh', '-c', 'echo ready; exec sleep 60')
    process = start(bench, 'exec', '--attach', name)
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    words = process.communicate(timeout=PATIENCE)[1]
    problem = first(expect(process.returncode == FAILED, f'{process.returncode}'),
                    expect(b'goes on' in words, repr(words)),
                    expect([row[1] for row in rows(bench)] == ['running'], f'{rows(bench)}'))
    return problem or outcome(bench.run('exec', '--close', name), 0)


def a_terminal_is_left_by_its_key(bench: Bench) -> Problem:
    name = detach(bench, '-t', 'sh')
    for text in (b'one', b'two'):
        with Screen(bench, 'exec', '-t', '--attach', name) as screen:
            screen.type(b'stty size; echo ' + text + b'-$((1 + 1))\r')
            problem = first(screen.shows(b'33 91'), screen.shows(text + b'-2'))
            screen.type(b'\x1d')
            problem = problem or screen.shows(b'goes on')
            if problem:
                return problem
            screen.process.wait(PATIENCE)
    return outcome(bench.run('exec', '-i', '--attach', name, stdin=b'exit 5\n'), 5)


def output_that_nobody_reads_waits_or_is_lost(bench: Bench) -> Problem:
    """What is lost is said; what a reader before us has got is not there twice."""
    script = f'head -c {MUCH} /dev/zero; echo end'
    lost = detach(bench, '--buffer', '8192', 'sh', '-c', script)
    held = detach(bench, '--buffer', '8192', '--hold', 'sh', '-c', script)
    await_end(bench, lost)
    time.sleep(0.2)
    states = [row[:2] for row in rows(bench)]
    return first(expect(states == [[lost, 'exit'], [held, 'running']], f'{states}'),
                 outcome(bench.run('exec', '--attach', lost), 0, bytes(8188) + b'end\n',
                         b'novacronctl: %d bytes of output were not kept until now\n'
                         % (MUCH - 8188)),
                 outcome(bench.run('exec', '--attach', held), 0, bytes(MUCH) + b'end\n', b''))


def limits_are_passed_on(bench: Bench) -> Problem:
    asked: List[Dict[str, Any]] = []

    def begin(arguments: Dict[str, Any]) -> bytes:
        asked.append(arguments)
        return result(EXEC)
    with bench.fake({'novacron-exec-start': begin}):
        done = bench.run_fake('exec', '--detach', *LIMITS, 'true')
    problem = outcome(done, 0, b'7-1\n', b'')
    if problem:
        return problem
    got = asked[0]
    return first(expect(got['limits'] == {'memory-bytes': 3 << 19, 'cpu-percent': 50,
                                          'processes': 9}, f'{got}'),
                 expect((got['output-bytes'], got['timeout-ms'], got['overflow'])
                        == (65536, 2000, 'drop'), f'{got}'),
                 expect(bool(got['request-id']), 'it could be started twice'))


def what_makes_no_sense_is_refused(bench: Bench) -> Problem:
    lines = (('--list', 'ls'), ('--list', '--attach', '1'), ('--signal', 'HUP', 'ls'),
             ('--memory', '1Z', 'ls'), ('--memory', '', 'ls'), ('--buffer', '-1', 'ls'),
             ('--buffer', '1e99', 'ls'), ('--cpu', '-1', 'ls'), ('--processes', 'x', 'ls'))
    return first(*(outcome(bench.run('exec', *words), USAGE, b'', says='novacronctl: ')
                   for words in lines))


TESTS: List[Callable[[Bench], Problem]] = [
    *map(with_streams, (a_program_is_left_and_taken_up_again, programs_are_listed_and_ended,
                        long_programs_are_cut_on_terminals, a_terminal_for_nobody_is_said,
                        whoever_attaches_can_leave, a_terminal_is_left_by_its_key,
                        output_that_nobody_reads_waits_or_is_lost)),
    limits_are_passed_on, what_makes_no_sense_is_refused,
]
