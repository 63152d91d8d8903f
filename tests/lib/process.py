# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel says about a process."""
import os
import re
import time
from pathlib import Path
from typing import Callable

PAGE = os.sysconf('SC_PAGE_SIZE')
MIB = 1 << 20


def cpu_seconds(pid: int) -> float:
    """Of all threads, to the nanosecond where the kernel keeps such accounts."""
    tasks = list(Path(f'/proc/{pid}/task').iterdir())
    try:
        return sum(int((task / 'schedstat').read_text().split()[0]) for task in tasks) / 1e9
    except FileNotFoundError:
        fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def wakeups(pid: int) -> int:
    """How often the main thread has gone to sleep so far."""
    return _status(pid, 'voluntary_ctxt_switches')


def descriptors(pid: int) -> int:
    return len(list(Path(f'/proc/{pid}/fd').iterdir()))


def resident(pid: int) -> int:
    """Bytes."""
    return int(Path(f'/proc/{pid}/statm').read_text().split()[1]) * PAGE


def peak_resident(pid: int) -> int:
    return _status(pid, 'VmHWM') * 1024


def reset_peak(pid: int) -> None:
    Path(f'/proc/{pid}/clear_refs').write_text('5')


def _status(pid: int, name: str) -> int:
    text = Path(f'/proc/{pid}/status').read_text()
    return int(re.search(rf'^{name}:\s+(\d+)', text, re.M)[1])


def wait_until(condition: Callable[[], bool], timeout: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
