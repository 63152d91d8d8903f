# SPDX-License-Identifier: GPL-2.0-or-later
"""Ansible's connection plugin community.libvirt.libvirt_qemu, the real one of Debian's package,
above a stand-in for Python's libvirt."""
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Dict, List

from bench import Bench
from lib import oracle, packages
from lib.check import Skip, expect

HERE = Path(__file__).resolve().parent
SYSTEM = Path('/usr/lib/python3/dist-packages')
PLUGIN = 'ansible_collections/community/libvirt/plugins/connection/libvirt_qemu.py'
COMMANDS = ('guest-exec', 'guest-exec-status', 'guest-file-close', 'guest-file-open',
            'guest-file-read', 'guest-file-write')
SIZE = (1 << 16) * 3 + 77       # the plugin copies in pieces of 64 KiB
PATIENCE = 120

PLAY = '''
- hosts: guest
  gather_facts: no
  tasks:
    - raw: sh -c 'echo out; echo err >&2; exit 3'
      register: raw
      failed_when: raw.rc != 3
    - raw: sh -c 'sleep 0.3; echo slept'
    - raw: "true"
    - copy: {src: "%(here)s", dest: "%(there)s"}
    - command: cksum "%(there)s"
    - fetch: {src: "%(there)s", dest: "%(back)s", flat: yes}
'''


class Ansible:
    def __init__(self, check: Bench):
        self.agent = check.start()
        self.folder = self.agent.folder / 'ansible'
        (self.folder / 'home').mkdir(parents=True)
        library = self._library()
        self.environment: Dict[str, str] = {
            **os.environ, 'HOME': str(self.folder / 'home'), 'LC_ALL': 'C.UTF-8',
            'PYTHONPATH': f'{HERE / "standins"}:{library}', 'ANSIBLE_STDOUT_CALLBACK': 'json',
            'ANSIBLE_LOCAL_TEMP': str(self.folder / 'local'),
            'ANSIBLE_CONFIG': str(self.folder / 'ansible.cfg'),
            'ANSIBLE_REMOTE_TEMP': str(self.folder / 'remote'),
            'ANSIBLE_NOCOLOR': '1', 'NOVACRON_SOCKET': str(self.agent.socket)}
        (self.folder / 'ansible.cfg').write_text('')    # not that of the machine
        (self.folder / 'hosts').write_text(
            'guest ansible_connection=community.libvirt.libvirt_qemu ansible_host=domain '
            'ansible_python_interpreter=/usr/bin/python3\n')

    @staticmethod
    def _library() -> Path:
        if (SYSTEM / PLUGIN).exists():
            return SYSTEM
        try:
            library = packages.unpacked(['ansible']) / str(SYSTEM).lstrip('/')
        except oracle.Unavailable as error:
            raise Skip(f'Ansible cannot be had: {error}') from error
        expect((library / PLUGIN).exists(), f'the package has no {PLUGIN}')
        return library

    def play(self, text: str, **environment: str) -> Any:
        """What its JSON callback prints."""
        path = self.folder / 'play.yml'
        path.write_text(text)
        done = subprocess.run(
            ['/usr/bin/python3', '-m', 'ansible.cli.playbook', '-i', str(self.folder / 'hosts'),
             str(path)], env={**self.environment, **environment}, cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=PATIENCE, check=False)
        try:
            return json.loads(done.stdout[done.stdout.index('{'):])
        except ValueError as error:
            raise AssertionError(f'status {done.returncode}: {done.stdout[-800:]!r}, '
                                 f'{done.stderr[-800:]!r}') from error


def results(report: Any) -> List[Any]:
    return [task['hosts']['guest'] for task in report['plays'][0]['tasks']]


def ansible_runs_commands_and_copies_files_both_ways(check: Bench) -> None:
    ansible = Ansible(check)
    here, there, back = (ansible.folder / name for name in ('here', 'there', 'back'))
    here.write_bytes(os.urandom(SIZE))
    report = ansible.play(PLAY % {'here': here, 'there': there, 'back': back})
    found = results(report)
    expect(report['stats']['guest']['ok'] == 6, f'not all tasks went well: {found}')
    expect((found[0]['stdout'], found[0]['stderr']) == ('out\n', 'err\n'), f'{found[0]}')
    expect(found[1]['stdout'] == 'slept\n', f'{found[1]}')
    expect((found[2]['rc'], found[2]['stdout']) == (0, ''), f'{found[2]}')
    expect(there.read_bytes() == here.read_bytes(), 'the copy differs')
    expect(back.read_bytes() == here.read_bytes(), 'what was fetched differs')


def ansible_refuses_an_entry_with_one_member_more(check: Bench) -> None:
    """So the check above would see it."""
    report = Ansible(check).play('- hosts: guest\n  gather_facts: no\n  tasks: [raw: id]\n',
                                 NOVACRON_SPOIL='yes')
    expect('required capabilities' in results(report)[0]['msg'], f'{results(report)}')


def the_entries_are_the_ones_that_ansible_looks_for(check: Bench) -> None:
    with check.start().connect() as connection:
        entries = connection.call('guest-info')['supported_commands']
    for name in COMMANDS:
        expect({'enabled': True, 'name': name, 'success-response': True} in entries, name)


CHECKS = [
    the_entries_are_the_ones_that_ansible_looks_for,
    ansible_runs_commands_and_copies_files_both_ways,
    ansible_refuses_an_entry_with_one_member_more,
]
