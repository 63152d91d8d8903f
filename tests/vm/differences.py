# SPDX-License-Identifier: GPL-2.0-or-later
"""Every difference between our agent and qemu-ga that a client of libvirt can see, and why.

A difference that no row explains fails the suite, and so does a row that explains none.
"""
from typing import List

from conversation import Difference

DIFFERENCES: List[Difference] = []
