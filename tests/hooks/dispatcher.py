# SPDX-License-Identifier: GPL-2.0-or-later
"""The program that runs the scripts, with scripts that tell what was asked of them."""
import os
import signal
import subprocess
from typing import List

from bench import DISPATCHER, HOOKS, SCRIPTS, Bench, Done
from lib.check import expect
from lib.process import wait_until

SHELLS = (['dash'], ['bash', '--posix'], ['busybox', 'sh'])
LEFTOVERS = ('~', '.bak', '.orig', '.sample', '.rpmnew', '.rpmorig', '.rpmsave', '.dpkg-old',
             '.dpkg-new', '.dpkg-dist', '.dpkg-tmp', '.dpkg-bak')


class Scripts:
    """A folder of scripts; each writes its name and what it was asked for into a journal."""

    def __init__(self, bench: Bench):
        self.bench = bench
        self.folder = bench.run_folder / 'scripts.d'
        self.folder.mkdir()
        self.path = bench.run_folder / 'journal'

    def add(self, name: str, more: str = '', mode: int = 0o755) -> None:
        script = self.folder / name
        script.write_text(f'#!/bin/sh\necho "{name} $1" >> {self.path}\n{more}\n')
        script.chmod(mode)

    def run(self, action: str, *shell: str) -> Done:
        return self.bench.run(DISPATCHER, action, *shell, FSFREEZE_HOOK_DIR=str(self.folder))

    def journal(self) -> List[str]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.path.unlink(missing_ok=True)
        return lines


def scripts_run_in_order_and_are_undone_in_reverse(bench: Bench) -> None:
    for shell in SHELLS:
        bench.close()
        scripts = Scripts(bench)
        for name in ('30-c', '10-a', '20 b'):
            scripts.add(name)
        done = scripts.run('freeze', *shell)
        expect(done.status == 0 and scripts.journal() == [
            '10-a freeze', '20 b freeze', '30-c freeze'], f'{shell} freeze: {done}')
        done = scripts.run('thaw', *shell)
        expect(done.status == 0 and scripts.journal() == [
            '30-c thaw', '20 b thaw', '10-a thaw'], f'{shell} thaw: {done}')


def no_scripts_at_all_are_fine(bench: Bench) -> None:
    scripts = Scripts(bench)
    for action in ('freeze', 'thaw'):
        expect(scripts.run(action).status == 0, action)


def leftovers_and_what_is_not_executable_do_not_run(bench: Bench) -> None:
    scripts = Scripts(bench)
    for ending in LEFTOVERS:
        scripts.add('10-a' + ending)
    scripts.add('README', mode=0o644)
    (scripts.folder / 'folder').mkdir()
    scripts.add('20-b')
    expect(scripts.run('freeze').status == 0 and scripts.journal() == ['20-b freeze'],
           'something else ran')


def a_script_that_fails_ends_the_freeze_and_undoes_it(bench: Bench) -> None:
    for shell in SHELLS:
        bench.close()
        scripts = Scripts(bench)
        scripts.add('10-a')
        scripts.add('20-b', 'if [ $1 = freeze ]; then echo "b: the reason" >&2; exit 3; fi')
        scripts.add('30-c')
        done = scripts.run('freeze', *shell)
        expect(done.status == 1, f'{shell}: {done}')
        expect(scripts.journal() == ['10-a freeze', '20-b freeze', '20-b thaw', '10-a thaw'],
               f'{shell}: other scripts ran')
        for text in ('b: the reason', '20-b freeze: exit status 3', 'the freeze is given up'):
            expect(text in done.output, f'{shell}: {text!r} is not in {done.output!r}')


def a_script_that_fails_does_not_end_the_thaw(bench: Bench) -> None:
    scripts = Scripts(bench)
    scripts.add('10-a')
    scripts.add('20-b', '[ $1 = freeze ]')
    done = scripts.run('thaw')
    expect(done.status == 1 and '20-b thaw: exit status 1' in done.output, str(done))
    expect(scripts.journal() == ['20-b thaw', '10-a thaw'], '10-a was not thawed')


def a_process_left_behind_does_not_hold_the_output(bench: Bench) -> None:
    scripts = Scripts(bench)
    scripts.add('10-a', 'sleep 20 &\necho $! > ${0%/*}/../pid')
    done = scripts.run('freeze')
    os.kill(int((bench.run_folder / 'pid').read_text()), signal.SIGTERM)
    expect(done.status == 0 and done.seconds < 10, str(done))


def a_freeze_that_is_interrupted_is_undone(bench: Bench) -> None:
    scripts = Scripts(bench)
    scripts.add('10-a')
    scripts.add('20-b', '[ $1 = thaw ] || sleep 1')
    scripts.add('30-c')
    process = subprocess.Popen([str(DISPATCHER), 'freeze'], env={
        **bench.environment, 'FSFREEZE_HOOK_DIR': str(scripts.folder)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bench.processes.append(process)
    expect(wait_until(lambda: scripts.path.exists() and '20-b' in scripts.path.read_text()),
           '20-b does not run')
    process.terminate()
    expect(process.wait(20) == 1, 'the freeze went on')
    expect(scripts.journal() == ['10-a freeze', '20-b freeze', '20-b thaw', '10-a thaw'],
           'not undone')


def other_words_are_refused(bench: Bench) -> None:
    for word in ('', 'freez', 'status'):
        done = bench.run(DISPATCHER, word)
        expect(done.status == 2 and 'usage:' in done.output, f'{word!r}: {done}')


def where_no_server_runs_the_hooks_say_nothing(bench: Bench) -> None:
    for script in sorted(SCRIPTS.iterdir()):
        for action in ('freeze', 'thaw'):
            done = bench.run(script, action, REDIS_SERVERS='127.0.0.1:1',
                             POSTGRESQL_SERVERS='/nonexistent:1', MYSQL_SOCKET='/nonexistent')
            expect(done.status == 0 and not done.output, f'{script.name} {action}: {done}')


def where_no_client_is_installed_the_hooks_say_nothing(bench: Bench) -> None:
    tools = bench.run_folder / 'bin'
    tools.mkdir()
    for name in ('dirname', 'readlink'):
        os.symlink('/usr/bin/' + name, tools / name)
    for script in sorted(SCRIPTS.iterdir()):
        done = bench.run(script, 'freeze', '/bin/sh', PATH=str(tools))
        expect(done.status == 0 and not done.output, f'{script.name}: {done}')


def links_to_a_packages_folder_are_enough(bench: Bench) -> None:
    """As packages install it; the settings are read beside the link."""
    etc = bench.run_folder / 'etc'
    (etc / 'fsfreeze-hook.d').mkdir(parents=True)
    (etc / DISPATCHER.name).symlink_to(DISPATCHER)
    (etc / 'fsfreeze-hook.d' / '20-postgresql').symlink_to(SCRIPTS / '20-postgresql')
    for mode, status in (('off', 0), ('strange', 1)):
        (etc / 'fsfreeze-hook.conf').write_text(f'POSTGRESQL_MODE={mode}\n')
        done = bench.run(etc / DISPATCHER.name, 'freeze', FSFREEZE_HOOK_CONF='')
        expect(done.status == status and '20-postgresql freeze\n' in done.output, f'{mode}: {done}')


def shellcheck_has_nothing_to_say(bench: Bench) -> None:
    done = subprocess.run(['shellcheck', '-x', '-s', 'sh', str(DISPATCHER),
                           *map(str, sorted(SCRIPTS.iterdir()))], cwd=HOOKS.parents[1], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    expect(done.returncode == 0, done.stdout)


CHECKS = [
    scripts_run_in_order_and_are_undone_in_reverse,
    no_scripts_at_all_are_fine,
    leftovers_and_what_is_not_executable_do_not_run,
    a_script_that_fails_ends_the_freeze_and_undoes_it,
    a_script_that_fails_does_not_end_the_thaw,
    a_process_left_behind_does_not_hold_the_output,
    a_freeze_that_is_interrupted_is_undone,
    other_words_are_refused,
    where_no_server_runs_the_hooks_say_nothing,
    where_no_client_is_installed_the_hooks_say_nothing,
    links_to_a_packages_folder_are_enough,
    shellcheck_has_nothing_to_say,
]
