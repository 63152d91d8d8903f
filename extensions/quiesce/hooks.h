/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The freeze hooks of the guest: which servers have a script, and which of these are turned off. */
#pragma once

#include "gen/quiesce.h"

typedef struct Hooks Hooks;

#define HOOKS_SETTINGS "/etc/qemu/fsfreeze-hook.conf"

/* For a thread: what stands beside the program `hook` (NULL: there is none), and in the file
 * `settings`. Never NULL. */
Hooks *hooks_read(const char *hook, const char *settings);
void hooks_free(Hooks *hooks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hooks, hooks_free)

/* Whether one makes it ready: which, or why none does. */
gboolean hooks_look_up(const Hooks *hooks, NovacronQuiesceKind kind, char **ret_script,
                       NovacronQuiesceReason *ret_reason);

/* Whether the settings say so of these servers; of several words the last one counts. */
gboolean hooks_have_mode(const Hooks *hooks, NovacronQuiesceKind kind, const char *mode);
