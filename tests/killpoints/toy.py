# SPDX-License-Identifier: GPL-2.0-or-later
"""A program to be killed: two processes with two threads each. What each of them has done so far
is the number of folders with its name."""
import os
import threading

STEPS = 3


def work(name: str) -> None:
    for step in range(STEPS):
        os.mkdir(f'{name}-{step}')


def both(name: str) -> None:
    work(f'{name}-0')
    thread = threading.Thread(target=work, args=(f'{name}-1',))
    thread.start()
    thread.join()


def main() -> None:
    both('0')
    child = os.fork()
    if child == 0:
        both('1')
        os._exit(0)
    os.waitpid(child, 0)
    os.mkdir('end')


if __name__ == '__main__':
    os.read(0, 1)       # until it is traced
    main()
