# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check of the hooks works with: a folder, settings, and the servers, which start when the
first check asks for them and end with the bench.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

from lib import oracle, packages
from lib.check import expect
from lib.process import wait_until
from lib.suite import ROOT, skip

HOOKS = ROOT / 'contrib' / 'fsfreeze-hooks'
DISPATCHER = HOOKS / 'fsfreeze-hook'
SCRIPTS = HOOKS / 'fsfreeze-hook.d'
PROGRAMS = {'mariadbd': 'mariadb-server-core', 'mariadb': 'mariadb-client-core',
            'mariadb-install-db': 'mariadb-server-core',
            'postgres': 'postgresql-15', 'psql': 'postgresql-client-15',
            'redis-check-rdb': 'redis-tools', 'redis-cli': 'redis-tools', 'node': 'nodejs'}
PATIENCE = 60.0
USER = 'nobody'
# Stands for the agent: runs the hook and stays until its standard input ends.
AGENT = 'import subprocess, sys; subprocess.run(sys.argv[1:]); print("done", flush=True); input()'


class Done:
    """What a hook has left: `seconds` until its output ended."""

    def __init__(self, status: int, output: str, seconds: float):
        self.status = status
        self.output = output
        self.seconds = seconds

    def __str__(self) -> str:
        return f'status {self.status} after {self.seconds:.2f} s: {self.output!r}'


class Bench:
    def __init__(self, agent: str):
        self.agent = agent
        self.folder = Path(tempfile.mkdtemp(prefix='novacron-hooks.'))
        self.run_folder = self.folder / 'run'
        self.settings_file = self.folder / 'fsfreeze-hook.conf'
        self.environment: Dict[str, str] = {}
        self.servers: Dict[type, object] = {}
        self.processes: List['subprocess.Popen[str]'] = []

    def __enter__(self) -> 'Bench':
        self.folder.chmod(0o755)        # servers run as somebody else
        try:
            found = packages.environment(PROGRAMS, self.folder / 'packages')
        except oracle.Unavailable as error:
            skip(f'a server cannot be had: {error}')
        self.environment = {**os.environ, **found, 'RUN_DIR': str(self.run_folder),
                            'FSFREEZE_HOOK_CONF': str(self.settings_file)}
        self.close()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers.values():
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """As before the first check."""
        for process in self.processes:
            process.kill()
            process.communicate()
        self.processes.clear()
        for holder in self.run_folder.glob('*/holder'):
            self.kill(int(holder.read_text().split()[0]))
        shutil.rmtree(self.run_folder, ignore_errors=True)
        self.settings_file.write_text('')
        self.run_folder.mkdir()

    def complaint(self) -> None:
        """Checks of hooks say what is wrong themselves."""

    def server(self, kind: type) -> object:
        if kind not in self.servers:
            server = kind(self.folder / kind.__name__, self.environment)
            self.servers[kind] = server
            server.start()
        return self.servers[kind]

    def settings(self, **values: object) -> None:
        self.settings_file.write_text(''.join(f"export {name}='{value}'\n"
                                              for name, value in values.items()))

    def run(self, hook: Path, action: str, *shell: str, **environment: str) -> Done:
        """`hook` until nobody holds its output any more, as the agent waits for it."""
        started = time.monotonic()
        done = subprocess.run([*shell, str(hook), action], stdin=subprocess.DEVNULL, text=True,
                              env={**self.environment, **environment}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PATIENCE, check=False,
                              start_new_session=True)
        return Done(done.returncode, done.stdout, time.monotonic() - started)

    def ok(self, hook: Path, action: str, *shell: str, **environment: str) -> Done:
        done = self.run(hook, action, *shell, **environment)
        expect(done.status == 0, f'{hook.name} {action}: {done}')
        return done

    def run_under_agent(self, hook: Path, action: str) -> 'subprocess.Popen[str]':
        """A process that has run the hook and lives on."""
        agent = subprocess.Popen([sys.executable, '-c', AGENT, str(hook), action], text=True,
                                 env=self.environment, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 start_new_session=True)
        self.processes.append(agent)
        expect(agent.stdout.readline().startswith('done') or
               'done\n' in iter(agent.stdout.readline, ''), 'the hook has printed an error')
        return agent

    def holder(self, name: str) -> int:
        return int((self.run_folder / name / 'holder').read_text().split()[0])

    @staticmethod
    def kill(pid: int) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Server:
    """A program that runs as an unprivileged user in a folder of its own."""

    def __init__(self, folder: Path, environment: Dict[str, str], is_there: bool = False):
        """With is_there its files are in `folder` already, and run() is to be called, not
        start()."""
        self.folder = folder
        self.environment = {**environment, 'HOME': str(folder), 'LC_ALL': 'C'}
        self.process: Optional['subprocess.Popen[bytes]'] = None
        if is_there:
            return
        folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(folder, USER, 'nogroup')

    def privileges(self) -> Dict[str, object]:
        if os.geteuid() != 0:
            return {}
        return {'user': USER, 'group': 'nogroup', 'extra_groups': []}

    def log(self) -> str:
        return (self.folder / 'log').read_text(errors='replace')

    def prepare(self, *command: str) -> None:
        """A program that makes the files of the server."""
        with open(self.folder / 'log', 'ab') as log:
            done = subprocess.run(command, cwd=self.folder, env=self.environment,
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                                  **self.privileges())
        expect(done.returncode == 0, f'{command[0]}: {self.log()[-600:]}')

    def launch(self, command: Sequence[str], is_ready: Callable[[], bool]) -> None:
        with open(self.folder / 'log', 'ab') as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            **self.privileges())
        expect(wait_until(lambda: is_ready() or self.process.poll() is not None, PATIENCE)
               and self.process.poll() is None, f'{command[0]}: {self.log()[-600:]}')

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def ask(self, *command: str) -> str:
        """What a client prints; raises if it fails."""
        done = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=PATIENCE)
        expect(done.returncode == 0, f'{command[0]}: {done.stdout}')
        return done.stdout.strip()
