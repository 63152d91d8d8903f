/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounting: who asked for what goes to the system log, rate-limited per command,
 * so that a host that polls cannot drown what an administrator looks for.
 */
#pragma once

#include <glib.h>

typedef struct GaAccount GaAccount;

/* Lines of one command that pass in a second; the rest is counted and told. */
#define GA_ACCOUNT_LINES_PER_SECOND 20

/* Where lines go (platform/service.h has the system's log). `write` must not block. */
typedef struct {
    void (*write)(gpointer sink, const char *line);
    void (*free)(gpointer sink);
} GaAccountSink;

GaAccount *ga_account_new(const GaAccountSink *functions, gpointer sink /* (transfer full) */);
void ga_account_free(GaAccount *account);

/* Nothing is written while muted (frozen: the log may be on a frozen file system). `account` may
 * be NULL. */
void ga_account_set_muted(GaAccount *account, gboolean is_muted);

/* A line for `command` (a string that lives for ever: it is the key of the rate limit).
 * `account` may be NULL. The text is formatted only if it passes. */
void ga_account(GaAccount *account, const char *command, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
