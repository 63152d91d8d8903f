/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of /proc, line by line and column by column. */
#pragma once

#include <glib.h>

/* FALSE: no more. `line` is without its newline, ends at its first NUL, and is the callee's until
 * it returns. */
typedef gboolean (*OsLineFunc)(gpointer owner, const char *line);

/* Call `func` with every line. FALSE and errno if the file cannot be opened; one that cannot be
 * read any further ends there. */
gboolean os_lines_read(const char *path, OsLineFunc func, gpointer owner) G_GNUC_WARN_UNUSED_RESULT;

/* The next column of a line. White space before it is skipped; then, as scanf(3) does it, what
 * can be taken is taken: "12x" is the number 12 and the column "x". What is too large becomes the
 * largest. FALSE or NULL if there is no such column; then `line` stays. */
gboolean os_column_unsigned(const char **line, gint base, guint64 *ret_number);
gboolean os_column_signed(const char **line, gint base, gint64 *ret_number);
char *os_column_word(const char **line, gsize size_max);

/* The numbers that come next, at most `n_max`: how many there are. */
guint os_column_numbers(const char **line, guint64 *ret_numbers, guint n_max);
