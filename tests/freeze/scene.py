# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check gets: a stage with file systems, agents on it, and writers that notice a freeze."""
import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Iterator, List, Optional, Sequence

from lib import stage
from lib.agent import Agent
from lib.check import Skip
from lib.connection import Connection
from lib.process import wait_until

MARK, NOTE, DOOR = 'qga.state.isfrozen', 'qga.state.thawexpired', 'qga.guardian'
HELD = 0.15         # a write that takes that long is held by a freeze
PATIENCE = 20.0
EXPIRED = 'file systems were thawed before this command: '


class Write:
    """One write to a file system, by a process of its own: it waits while that is frozen."""

    def __init__(self, mount: Path):
        self.began = time.monotonic()
        reading, writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            with contextlib.suppress(BaseException):
                os.close(reading)
                with open(mount / 'probe', 'wb', buffering=0) as file:
                    file.write(b'x')
                os.write(writing, b'%.6f' % time.monotonic())
            os._exit(0)
        os.close(writing)
        os.set_blocking(reading, False)
        self._reading = reading
        self._ended: Optional[float] = None

    def ended(self) -> Optional[float]:
        """When it was done; None: not yet."""
        if self._ended is None:
            with contextlib.suppress(BlockingIOError):
                text = os.read(self._reading, 64)
                self._ended = float(text) if text else float('nan')
                os.close(self._reading)
                os.waitpid(self._pid, 0)
        return self._ended

    def wait(self) -> float:
        if not wait_until(lambda: self.ended() is not None, PATIENCE):
            raise AssertionError('a write is held for ever')
        assert self._ended is not None
        return self._ended


class Actor:
    """An agent that runs, and a client of it."""

    def __init__(self, there: stage.Stage, agent: Agent):
        self.stage = there
        self.agent = agent
        agent.start()
        self.client = agent.connect()

    def ask(self, command: str, **arguments: object) -> object:
        """Nothing is frozen by an agent that could freeze anything of this machine."""
        self.stage.forbid_others(self.agent.pid)
        return self.client.call('guest-fsfreeze-' + command, PATIENCE, **arguments)

    def error(self, command: str, **arguments: object) -> str:
        """The text with which it is refused."""
        try:
            answer = self.ask(command, **arguments)
        except ValueError as error:
            return str(error)
        raise AssertionError(f'{command} answers {answer}')

    def freeze(self) -> object:
        return self.ask('freeze')

    def thaw(self) -> object:
        return self.ask('thaw')

    @property
    def status(self) -> object:
        return self.ask('status')

    def has(self, name: str) -> bool:
        return (self.agent.state / name).exists()

    def left(self) -> List[str]:
        """What is in the state folder, but for the note that an agent with extensions runs."""
        return sorted({path.name for path in self.agent.state.iterdir()} - {'qga.starts'})

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit status."""
        assert self.agent.process is not None
        self.client.close()
        self.agent.process.send_signal(number)
        return self.agent.process.wait(PATIENCE)

    def restart(self) -> None:
        """Another one in its place, after its end."""
        self.agent.start()
        self.client = self.agent.connect()


class Scene:
    costs_count = True

    def __init__(self, there: stage.Stage, program: Sequence[str],
                 upstream: Optional[Sequence[str]], full: bool = False):
        self.full = full
        self.stage = there
        self.program = there.confine(program)
        self._upstream = upstream
        self._agents: List[Agent] = []
        self._writes: List[Write] = []
        self._complaint: Optional[str] = None

    @property
    def mounts(self) -> List[Path]:
        return self.stage.mounts

    @property
    def is_sanitized(self) -> bool:
        return b'__asan_init' in Path(self.program[2]).read_bytes()

    @property
    def upstream(self) -> List[str]:
        if self._upstream is None:
            raise Skip('qemu-ga 11.1 cannot be had')
        return self.stage.confine(self._upstream)

    def prepare(self, deadline: float = 0, hook: str = '', hook_limit: float = 0,
                arguments: Sequence[str] = (), program: Optional[Sequence[str]] = None,
                state: Optional[Path] = None, more: str = '') -> Agent:
        """An agent with a deadline, a hook's text and a hook's time limit (in seconds), and with
        more lines of our group of the configuration."""
        agent = Agent(program or self.program)
        self._agents.append(agent)
        if state:
            agent.state.rmdir()
            agent.state = state
            state.mkdir(exist_ok=True)
        configuration = agent.folder / 'agent.conf'
        configuration.write_text(f'[novacron]\nfsfreeze-deadline-ms={round(deadline * 1000)}\n'
                                 f'fsfreeze-hook-timeout-ms={round(hook_limit * 1000)}\n{more}')
        agent.arguments = ['-c', str(configuration), *arguments]
        if hook:
            agent.arguments.append(f'-F{self.hook(agent, hook)}')
        return agent

    def hook(self, agent: Agent, text: str) -> Path:
        """A hook that notes its calls, and what else `text` does; it knows only a few programs."""
        self.stage.confine(['/bin/sh', '/bin/sleep'])
        path = agent.folder / 'hook'
        path.write_text(f'#!/bin/sh\nPATH=/bin\nmark=-; [ ! -e {agent.state}/{MARK} ] || mark=+\n'
                        f'echo "$1$mark" >> {agent.folder}/calls\n{text}\n')
        path.chmod(0o755)
        return path

    def start(self, deadline: float = 0, hook: str = '', hook_limit: float = 0,
              arguments: Sequence[str] = (), program: Optional[Sequence[str]] = None,
              state: Optional[Path] = None) -> Actor:
        return Actor(self.stage, self.prepare(deadline, hook, hook_limit, arguments, program,
                                              state))

    def write(self, mount: Path) -> Write:
        write = Write(mount)
        self._writes.append(write)
        return write

    def writes(self) -> List[Write]:
        return [self.write(mount) for mount in self.mounts]

    def held(self, writes: Sequence[Write]) -> List[bool]:
        """Which of them wait."""
        left = max(write.began for write in writes) + HELD - time.monotonic()
        time.sleep(max(left, 0))
        return [write.ended() is None for write in writes]

    def frozen(self) -> List[bool]:
        return self.held(self.writes())

    @contextlib.contextmanager
    def nested(self, host: Path, is_seen: bool = True) -> Iterator[Path]:
        """A file system on a loop device whose file is on `host`; agents see it, or not."""
        folder = self.stage.root / 'mnt' if is_seen else self.stage.folder
        image, mount = host / 'image', folder / f'on-{host.name}'
        with open(image, 'wb') as file:
            file.truncate(stage.MAKERS['ext4'].mebibytes * stage.MIB // 2)
        subprocess.run([*stage.MAKERS['ext4'].command, str(image)], check=True)
        mount.mkdir(exist_ok=True)
        subprocess.run(['mount', '-o', 'loop', str(image), str(mount)], check=True)
        if is_seen:
            self.mounts.append(mount)
        try:
            yield mount
        finally:
            stage.thaw(mount)
            self._settle()
            if is_seen:
                self.mounts.remove(mount)
            subprocess.run(['umount', str(mount)], check=True)
            image.unlink()

    def guardians(self) -> List[int]:
        """All of this process namespace."""
        return [pid for pid in processes() if name_of(pid) == 'qga-guardian']

    def _settle(self) -> None:
        """Whatever was going on, nothing is frozen and nothing is held any more."""
        for agent in self._agents:
            if agent.is_running() and (agent.state / MARK).exists():
                agent.process.kill()
        for pid in self.guardians():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.stage.thaw()
        for write in self._writes:
            write.wait()

    def close(self) -> None:
        self._settle()
        for agent in self._agents:
            agent.stop()
            if agent.process and agent.process.returncode == -signal.SIGKILL:
                agent.process = None        # that was us
            self._complaint = self._complaint or agent.complaint()
            agent.__exit__()

    def complaint(self) -> Optional[str]:
        return self._complaint


def processes() -> Iterator[int]:
    return (int(name) for name in os.listdir('/proc') if name.isdigit())


def name_of(pid: int) -> str:
    """Empty for one that has ended."""
    with contextlib.suppress(OSError):
        text = Path(f'/proc/{pid}/stat').read_text()
        if text.rpartition(')')[2].split()[0] != 'Z':
            return text.partition('(')[2].rpartition(')')[0]
    return ''


def calls(actor: Actor) -> List[str]:
    """How its hook was called; `+` behind the word: with the mark of a freeze there."""
    path = actor.agent.folder / 'calls'
    return path.read_text().split() if path.exists() else []
