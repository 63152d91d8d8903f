/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals as bytes that can be polled for. */
#pragma once

#include <glib.h>

/* From now on `numbers` (to the first 0) reach nobody else. The file descriptor that is returned
 * gives one byte, its number, for each signal that came; it stays open to the end. */
int signals_open(const int *numbers, GError **error);
