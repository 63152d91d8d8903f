/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own terminal, when the guest's program has one. */
#pragma once

#include <glib.h>

typedef struct Terminal Terminal;

/* Keys pass through unchanged from now on; nothing happens where standard input is no terminal. */
Terminal *terminal_make_raw(void);

/* As it was. */
void terminal_restore(Terminal *terminal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Terminal, terminal_restore)

/* How wide the terminal is that `fd` is; 0: it is none. */
guint16 terminal_columns(int fd);

/* In characters; 80 x 24 where there is no terminal. */
void terminal_size(guint16 *ret_columns, guint16 *ret_rows);
