# SPDX-License-Identifier: GPL-2.0-or-later
"""What the black-box suites share: starting agents, talking to them, judging the outcome."""
