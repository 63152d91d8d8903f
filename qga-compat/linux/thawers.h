/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What thaws at the deadline of a freeze: a process for each mount. Made by the agent,
 * used in the guardian that it forks; so there, these are only system calls.
 */
#pragma once

#include <glib.h>

/* 0 as long as there was something to thaw; only a system call. */
typedef gint (*OsThaw)(gint fd);

typedef struct OsThawers OsThawers;

/* What became of a mount. */
typedef struct {
    gboolean is_done; /* as os_thawers_are_done() */
    gboolean was_frozen;
} OsThawed;

/* Of mounts, in the order of thawing. The descriptors are borrowed. NULL: errno tells why not. */
OsThawers *os_thawers_new(const gint *fds, guint n_fds, OsThaw thaw);
void os_thawers_free(OsThawers *thawers);

/* First of all, once the guardian's memory is locked: pages that are written to were shared with
 * the agent until now. */
void os_thawers_settle(OsThawers *thawers);

/* Until then, and as long as the guardian lives, each thaws again and again. */
void os_thawers_freezing_is_over(OsThawers *thawers);
gboolean os_thawers_is_freezing_over(const OsThawers *thawers);

void os_thawers_start(OsThawers *thawers);

/* Whether each mount was thawed once. */
gboolean os_thawers_have_passed(const OsThawers *thawers);

/* Whether each mount was thawed after the end of all freezing. */
gboolean os_thawers_are_done(const OsThawers *thawers);

/* Also in the agent. */
OsThawed os_thawers_result(const OsThawers *thawers, guint i);

/* Thaw, here and now, those that could not have a process of their own. */
void os_thawers_thaw_rest(const OsThawers *thawers);
