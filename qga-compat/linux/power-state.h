/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own way to suspend. */
#pragma once

#include <glib.h>

/* Suspend by a word of /sys/power/state. FALSE without an error: the kernel does not know the word.
 * It comes back when the guest has woken up: for a thread. */
gboolean os_power_state_enter(const char *word, GError **error);
