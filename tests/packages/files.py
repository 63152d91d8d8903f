# SPDX-License-Identifier: GPL-2.0-or-later
"""What needs no running system: what the packages say and hold, and whose files are whose."""
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, Callable, List, Set

import materials
from lib.suite import ROOT
from materials import AGENT, CLIENT, QEMU, run
from witness import expect

PIN = 'etc/apt/preferences.d/novacron-guest-agent.pref'
CONFIG, HOOK = 'etc/qemu/qemu-ga.conf', 'etc/qemu/fsfreeze-hook'
DEADLINE = 'fsfreeze-deadline-ms=600000'
# where a guest's own things and those of other packages meet qemu-guest-agent
SHARED = {'/etc/qemu/fsfreeze-hook.d/', '/lib/systemd/system/qemu-guest-agent.service',
          '/lib/udev/rules.d/60-qemu-guest-agent.rules', '/usr/sbin/qemu-ga',
          '/usr/share/man/man7/qemu-ga-ref.7.gz', '/usr/share/man/man8/qemu-ga.8.gz'}
COMPLETION = '''
. /usr/share/bash-completion/bash_completion
. {root}/usr/share/bash-completion/completions/{program}
compopt() {{ :; }}
COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) COMP_TYPE=9
COMP_LINE={line} COMP_POINT=${{#COMP_LINE}}
_{function} {root}/{path} "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
'''


def contents(package: Path) -> Set[str]:
    lines = run('dpkg-deb', '-c', str(package)).splitlines()
    return {line.split()[5].lstrip('.') for line in lines}


class Story:
    """A root with QEMU's agent, no systemd running."""

    def __init__(self, packages: materials.Packages, folder: Path) -> None:
        self.packages = packages
        self.root = materials.unpack_root(folder / 'root')
        qemu = materials.qemu_package()
        materials.add_repository(self.root, 'repo', [packages.agent, packages.client, qemu],
                                 suite='stable')
        materials.add_repository(self.root, 'next', [materials.newer(qemu, folder)])
        materials.use_repositories(self.root, 'repo')
        self.apt('update')
        self.apt('install', QEMU)

    def __enter__(self) -> 'Story':
        return self

    def __exit__(self, *unused: object) -> None:
        pass

    def inside(self, *command: str) -> str:
        return run('chroot', str(self.root), *command, LC_ALL='C',
                   DEBIAN_FRONTEND='noninteractive', PATH='/usr/sbin:/usr/bin:/sbin:/bin')

    def apt(self, *words: str) -> str:
        """Unattended: nobody answers a question."""
        return self.inside('apt-get', '-y', *words)

    def installed(self) -> Set[str]:
        listing = self.inside('dpkg-query', '-W', '-f=${db:Status-Abbrev}${Package}\n')
        return {line[3:].strip() for line in listing.splitlines() if line.startswith('ii')}

    def expect_installed(self, there: str, gone: str) -> None:
        expect(there in self.installed(), there + ' is not installed')
        expect(gone not in self.installed(), gone + ' is still installed')

    def text(self, path: str) -> str:
        return (self.root / path).read_text()

    def control_fields(self) -> str:
        ours = materials.fields(self.packages.agent)
        theirs = materials.fields(materials.qemu_package())
        more = set(materials.names(ours['Depends'])) - set(materials.names(theirs['Depends']))
        expect(not more, 'more dependencies than %s: %s' % (QEMU, more))
        for field in ('Conflicts', 'Replaces'):
            expect(ours[field] == QEMU, '%s: %s' % (field, ours[field]))
        provided = re.fullmatch(QEMU + r' \(= 1:\d+\.\d+\.\d+\)', ours['Provides'])
        expect(provided is not None, 'Provides: ' + ours['Provides'])
        return ours['Depends']

    def paths_of_qemus_package(self) -> str:
        ours, theirs = contents(self.packages.agent), contents(materials.qemu_package())
        expect(SHARED <= theirs, 'Debian has moved %s' % (SHARED - theirs))
        expect(SHARED <= ours, 'we lack %s' % (SHARED - ours))
        return '%d the same' % len(SHARED)

    def own_configuration_and_hook_survive_the_swap(self) -> str:
        """Nobody is asked, nothing is changed, in either direction, purged or not."""
        mine = {CONFIG: '[general]\nverbose=true\n', HOOK: self.text(HOOK) + '# my own line\n'}
        for path, text in mine.items():
            (self.root / path).write_text(text)

        def unchanged(when: str) -> None:
            for path, text in mine.items():
                expect(self.text(path) == text, '%s is another one after %s' % (path, when))
        self.apt('install', AGENT)
        self.expect_installed(AGENT, QEMU)
        unchanged('the swap')
        self.apt('install', QEMU + '=*')
        self.expect_installed(QEMU, AGENT)
        unchanged('the way back')
        self.apt('purge', AGENT)
        unchanged('the purge')
        (self.root / CONFIG).unlink()
        return ''

    def a_configuration_is_made_where_there_is_none(self) -> str:
        self.apt('install', AGENT)
        expect(DEADLINE in self.text(CONFIG).splitlines(), 'no deadline in ' + self.text(CONFIG))
        dump = self.inside('qemu-ga', '--dump-conf')
        expect(DEADLINE in dump.splitlines(), 'the agent says ' + dump)
        (self.root / CONFIG).write_text(self.text(CONFIG) + '# mine\n')
        self.apt('install', '--reinstall', AGENT)
        expect('# mine' in self.text(CONFIG), 'an upgrade takes changes back')
        return ''

    def the_old_name_is_the_new_package(self) -> str:
        for words in ((QEMU,), ('--no-install-recommends', '--reinstall', QEMU)):
            said = self.apt('install', *words)
            self.expect_installed(AGENT, QEMU)
        self.apt('upgrade')
        self.apt('dist-upgrade')
        self.expect_installed(AGENT, QEMU)
        return said.splitlines()[-1]

    def who_asks_for_a_version_or_a_suite_gets_it(self) -> str:
        materials.use_repositories(self.root, 'repo', 'next')
        self.apt('update')
        version = materials.fields(materials.qemu_package())['Version']
        for words, wanted in ((QEMU + '=*', version + '+next'), (QEMU + '=' + version, version),
                              (QEMU + '/stable', version)):
            said = self.apt('install', '--simulate', words)
            expect('Remv ' + AGENT in said and 'Inst %s (%s ' % (QEMU, wanted) in said,
                   '%s: %s' % (words, said))
        for words in (f'install {QEMU} {AGENT}-', f'remove {AGENT} {QEMU}+',
                      f'install -t stable {QEMU}'):
            said = self.apt('--simulate', *words.split())
            expect('Remv' not in said, '%s: %s' % (words, said))
        materials.use_repositories(self.root, 'repo')
        self.apt('update')
        return ''

    def purging_the_old_package_takes_nothing_away(self) -> str:
        before = self.inside('find', '/etc/qemu', '/etc/systemd/system', '/lib/systemd/system',
                             '/lib/udev', '/usr/sbin')
        self.apt('purge', QEMU)
        after = self.inside('find', '/etc/qemu', '/etc/systemd/system', '/lib/systemd/system',
                            '/lib/udev', '/usr/sbin')
        gone = set(before.splitlines()) - set(after.splitlines())
        expect(not gone, 'gone: %s' % gone)
        hook = self.inside('readlink', '-e', '/' + HOOK).strip()
        expect(hook.startswith('/usr/share/' + AGENT), 'the hook is ' + hook)
        for word in ('freeze', 'thaw'):
            self.inside('/' + HOOK, word)
        return 'hook ' + hook

    def removal_lifts_the_pin_and_purge_leaves_nothing(self) -> str:
        self.apt('remove', AGENT)
        self.apt('install', QEMU)
        self.expect_installed(QEMU, AGENT)
        self.apt('purge', AGENT)
        self.apt('purge', QEMU)
        left = [path for path in ('etc/qemu', 'usr/share/' + AGENT, PIN)
                if (self.root / path).exists() or (self.root / path).is_symlink()]
        expect(not left, 'left: %s' % left)
        return ''

    def the_pin_is_the_administrators(self) -> str:
        """It comes with an installation, and an upgrade takes no change of it back."""
        pin = self.root / PIN
        self.apt('install', AGENT)
        self.apt('remove', AGENT)       # after which dpkg still knows it
        expect(not pin.is_symlink(), 'removed, it is still there')
        self.apt('install', AGENT)
        self.apt('install', QEMU)
        self.expect_installed(AGENT, QEMU)
        pin.unlink()
        self.apt('install', '--reinstall', AGENT)
        expect(not pin.is_symlink(), 'deleted, it has come back')
        pin.write_text('# mine\n')
        self.apt('install', '--reinstall', AGENT)
        self.apt('remove', AGENT)
        expect(pin.read_text() == '# mine\n', 'another one was not kept')
        self.apt('install', AGENT)
        expect(pin.read_text() == '# mine\n', 'another one was replaced')
        self.apt('purge', AGENT)
        expect(not pin.exists(), 'purged, it is still there')
        return ''

    def the_client_is_a_package_of_its_own(self) -> str:
        depends = materials.fields(self.packages.client)['Depends']
        expect(AGENT not in depends, CLIENT + ' depends on ' + depends)
        run('dpkg-deb', '-x', str(self.packages.client), str(self.root))
        run('dpkg-deb', '-x', str(self.packages.agent), str(self.root))
        return depends

    def complete(self, path: str, *words: str) -> List[str]:
        """What bash offers; the last of `words`, as readline splits them, is being written."""
        program = Path(path).name
        line = ' '.join([program, *words]).replace(' = ', '=')
        script = COMPLETION.format(root=self.root, program=program, path=path,
                                   words=shlex.join([program, *words]), line=shlex.quote(line),
                                   function=program.replace('-', '_'))
        return subprocess.run(['bash', '-c', script], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.split()

    def bash_completes(self) -> str:
        agent, client = 'usr/sbin/qemu-ga', 'usr/bin/novacronctl'
        help_text = run(str(self.root / agent), '--help')
        options = re.findall(r'^  -\w, (--\S+)', help_text, re.M)
        offered = self.complete(agent, '--')
        expect(offered == options, 'options %s' % offered)
        for words in (('--block-rpcs', '=', 'guest-exec,guest-pi'), ('-a', 'guest-exec,guest-pi')):
            offered = self.complete(agent, *words)
            expect(offered == ['guest-exec,guest-ping'], '%s: %s' % (words, offered))
        offered = self.complete(client, '')
        expect({'info', 'exec', 'cp', 'raw'} <= set(offered), 'subcommands %s' % offered)
        offered = self.complete(client, 'exec', '--st')
        expect(offered == ['--stdin'], 'of exec: %s' % offered)
        return ''

    def manual_pages_are_there(self) -> str:
        page = run('gzip', '-dc', str(self.root / 'usr/share/man/man8/qemu-ga.8.gz'))
        help_text = run(str(self.root / 'usr/sbin/qemu-ga'), '--help')
        plain = page.replace('\\-', '-')
        for name in re.findall(r'^  (?:-\w, )?([-\w]+)', help_text, re.M):
            expect('\\fB%s\\fR' % name in plain, 'qemu-ga(8) lacks ' + name)
        reference = run('gzip', '-dc', str(self.root / 'usr/share/man/man7/qemu-ga-ref.7.gz'))
        commands = run(str(self.root / 'usr/sbin/qemu-ga'), '--block-rpcs=help').split()
        lacking = [name for name in commands if name not in reference.replace('\\-', '-')]
        expect(not lacking, 'qemu-ga-ref(7) lacks %s' % lacking)
        return '%d commands' % len(commands)

    def versions_agree(self) -> str:
        said = run(str(self.root / 'usr/sbin/qemu-ga'), '--version').split()
        version = materials.fields(self.packages.agent)['Version']
        expect(version in said, 'package %s, program %s' % (version, said))
        expect(version in (ROOT / 'contrib/rpm/novacron-guest-agent.spec').read_text(), 'spec')
        return version

    CASES: List[Callable[[Any], str]] = [
        control_fields,
        paths_of_qemus_package,
        own_configuration_and_hook_survive_the_swap,
        a_configuration_is_made_where_there_is_none,
        the_old_name_is_the_new_package,
        who_asks_for_a_version_or_a_suite_gets_it,
        purging_the_old_package_takes_nothing_away,
        removal_lifts_the_pin_and_purge_leaves_nothing,
        the_pin_is_the_administrators,
        the_client_is_a_package_of_its_own,
        bash_completes,
        manual_pages_are_there,
        versions_agree,
    ]
