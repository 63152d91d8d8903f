# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiler of QAPI schemas: text in, C tables, bindings and manuals out."""
