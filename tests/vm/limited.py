# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs in control groups, and what is left of programs and uploads when their agent dies."""
import time
from functools import partial
from typing import Callable, Dict

from console import PORTS, SECOND, SHARED, Console, finish
from extended import MIB, digest_in_guest, random_file
from witness import expect

GROUPS = '/sys/fs/cgroup/novacron'
HUNGRY = 'BEGIN { text = "x"; while (1) text = text text }'
MANY = 'for i in 1 2 3 4 5 6; do sleep 1000 > /dev/null 2>&1 & echo $i; done'


def expect_no_groups(console: Console) -> None:
    console.session.domain.wait_for('[ ! -e %s ]' % GROUPS)


def a_program_has_the_memory_that_it_may_use(console: Console) -> None:
    done = console.run(SECOND, 'exec', '--memory', '24M', '--', 'awk', HUNGRY)
    expect(done.returncode == 137 and b'was killed for lack of memory' in done.stderr,
           '%d, %r' % (done.returncode, done.stderr))
    done = console.run(SHARED, 'exec', '--memory', '24M', '--', 'sh', '-c', 'kill -9 $$')
    expect((done.returncode, done.stderr) == (137, b''), 'killed by itself: %r' % done.stderr)
    expect_no_groups(console)


def a_program_has_no_more_processes(console: Console) -> None:
    """Those that it has started stay in its group, which goes when they have ended."""
    done = console.run(SECOND, 'exec', '--processes', '4', '--', 'sh', '-c', MANY)
    expect(done.stdout == b'1\n2\n3\n' and b"can't fork" in done.stderr and done.returncode != 0,
           '%d, %r, %r' % (done.returncode, done.stdout, done.stderr))
    guest = console.session.domain
    expect(guest.shell('cat %s/*/cgroup.procs | wc -l' % GROUPS) == '3', 'who is in its group')
    guest.shell('kill $(cat %s/*/cgroup.procs)' % GROUPS)
    console.must(SECOND, 'exec', '--processes', '4', 'true')
    expect_no_groups(console)


def all_that_a_program_has_started_ends_with_it(console: Console) -> None:
    """Also what has left its process group."""
    guest = console.session.domain
    program = console.must(SECOND, 'exec', '--detach', '--processes', '9', '--', 'sh', '-c',
                           'setsid sleep 1000 & exec sleep 1000')
    procs = 'cat %s/%s/cgroup.procs 2>&-' % (GROUPS, program)
    guest.wait_for('[ $(%s | wc -l) = 2 ]' % procs)
    console.must(SECOND, 'exec', '--close', program)
    guest.wait_for('[ -z "$(%s)" ]' % procs)
    console.must(SECOND, 'exec', '--processes', '4', 'true')
    expect_no_groups(console)


def a_program_has_its_share_of_a_processor(console: Console) -> None:
    guest = console.session.domain
    program = console.must(SECOND, 'exec', '--detach', '--cpu', '20', '--', 'sh', '-c',
                           'while :; do :; done')
    look = "awk '{ print $2 }' %s/%s/cpu.stat | head -1; cut -d' ' -f1 /proc/uptime" \
        % (GROUPS, program)
    before = [float(word) for word in guest.shell(look).split()]
    time.sleep(2)
    after = [float(word) for word in guest.shell(look).split()]
    share = (after[0] - before[0]) / 1e6 / (after[1] - before[1])
    expect(0.05 < share < 0.3, 'it has had %.2f of a processor' % share)
    console.must(SECOND, 'exec', '--close', program)
    expect_no_groups(console)


def what_has_left_its_session_ends_when_its_time_is_over(console: Console) -> None:
    """Five seconds after the program."""
    guest = console.session.domain
    program = console.must(SECOND, 'exec', '--detach', '--processes', '9', '--time-limit', '2',
                           '--', 'sh', '-c', 'setsid sleep 1000 & exec sleep 1000')
    guest.wait_for('[ -z "$(cat %s/%s/cgroup.procs)" ]' % (GROUPS, program))
    console.must(SECOND, 'exec', '--close', program)
    expect_no_groups(console)


def nothing_is_left_of_an_agent_that_ends(console: Console) -> None:
    """It was told to: what has ended is forgotten, its group with it."""
    program = console.must(SECOND, 'exec', '--detach', '--memory', '24M', '--', 'true')
    console.session.domain.wait_for('[ -z "$(cat %s/%s/cgroup.procs)" ]' % (GROUPS, program))
    console.session.restart_agent(console.config)
    expect_no_groups(console)


def nothing_is_left_of_an_agent_that_was_killed(console: Console) -> None:
    """A program that waits for input sees its end; the next agent clears its group away."""
    guest, session = console.session.domain, console.session
    console.must(SECOND, 'exec', '--detach', '-i', '--memory', '24M', '--', 'cat')
    pid = guest.shell('cat %s/*/cgroup.procs' % GROUPS)
    session.kill_agent()
    guest.wait_for('[ ! -e /proc/%s ]' % pid)
    session.start_agent(console.config)
    listed = console.must(SHARED, 'exec', '--list', '-o', 'id')
    expect(listed == 'ID', 'still listed: ' + listed)
    expect_no_groups(console)


def an_upload_goes_on_after_its_agent_was_killed(console: Console, port: str) -> None:
    """novacronctl tries for a while, and the next agent takes it up where the last one was."""
    guest, session = console.session.domain, console.session
    session.restart_agent(console.config)   # three deaths in a row would lead to safe mode
    digest = random_file(console, 'large', 8 * MIB)
    guest.shell('rm -rf /srv/killed; mkdir /srv/killed')
    copy = console.begin(port, '-T', '5', 'cp', 'large', 'guest:/srv/killed/copy')
    guest.wait_for('[ $(stat -c %%s $(find /srv/killed -type f)) -ge %d ]' % MIB)
    session.kill_agent()
    inode = guest.shell('stat -c %i $(find /srv/killed -type f)')
    session.start_agent(console.config)
    status, _, err = finish(copy)
    expect(status == 0 and b'to go on' in err, 'cp: %d, %r' % (status, err))
    expect(digest_in_guest(console, '/srv/killed/copy') == digest, 'it is another file')
    expect(guest.shell('stat -c %i /srv/killed/*; find /srv/killed -type f').split()
           == [inode, '/srv/killed/copy'], 'it did not go on with what was there')
    guest.shell('rm -r /srv/killed')


CASES: Dict[str, Callable[[Console], None]] = {
    **{function.__name__.replace('_', ' '): function for function in (
        a_program_has_the_memory_that_it_may_use,
        a_program_has_no_more_processes,
        all_that_a_program_has_started_ends_with_it,
        a_program_has_its_share_of_a_processor,
        what_has_left_its_session_ends_when_its_time_is_over,
        nothing_is_left_of_an_agent_that_ends,
        nothing_is_left_of_an_agent_that_was_killed,
    )},
    **{'an upload goes on after its agent was killed over ' + port:
       partial(an_upload_goes_on_after_its_agent_was_killed, port=port) for port in PORTS},
}
