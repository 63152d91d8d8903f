/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What systemctl prints. */
#pragma once

#include <glib.h>

/* NULL: it is not there, it failed, or it took too long. */
typedef void (*SystemctlDone)(const char *output, gpointer user_data);

/* Run it with these arguments, NULL at the end; `done` is told from the main loop. */
void systemctl_run(const char *const *arguments, SystemctlDone done, gpointer user_data);
