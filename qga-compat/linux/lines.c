/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading in large pieces, since the kernel makes each piece from where it left
 * off. Only the beginning of a line counts: /proc/stat has one of megabytes on a
 * machine with many interrupts, which nobody here asks for.
 */
#include "linux/lines.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a line that is passed on, and of one read. Columns that are asked for end far before. */
#define SIZE 16384

typedef struct {
    OsLineFunc func;
    gpointer owner;
    char buffer[SIZE + 1];
    gsize used;
    gboolean is_cut; /* the line under way has been passed on */
} Reader;

/* The line that ends here; FALSE: no more. */
static gboolean
pass(Reader *reader, char *line, char *end)
{
    gboolean was_cut = reader->is_cut;

    reader->is_cut = FALSE;
    *end = '\0';
    return was_cut || reader->func(reader->owner, line);
}

/* The lines that have come. */
static gboolean
pass_lines(Reader *reader)
{
    char *line = reader->buffer, *end = reader->buffer + reader->used, *newline;

    while ((newline = memchr(line, '\n', (gsize)(end - line)))) {
        if (!pass(reader, line, newline))
            return FALSE;
        line = newline + 1;
    }
    reader->used = (gsize)(end - line);
    if (reader->used < SIZE) {
        memmove(reader->buffer, line, reader->used);
        return TRUE;
    }
    if (!pass(reader, line, end))
        return FALSE;
    reader->is_cut = TRUE;
    reader->used = 0;
    return TRUE;
}

static void
read_all(Reader *reader, gint fd)
{
    for (;;) {
        gssize size = read(fd, reader->buffer + reader->used, SIZE - reader->used);

        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            break;
        reader->used += (gsize)size;
        if (!pass_lines(reader))
            return;
    }
    if (reader->used > 0)
        pass(reader, reader->buffer, reader->buffer + reader->used);
}

gboolean
os_lines_read(const char *path, OsLineFunc func, gpointer owner)
{
    Reader reader = { .func = func, .owner = owner };
    gint fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return FALSE;
    read_all(&reader, fd);
    close(fd);
    return TRUE;
}

gboolean
os_column_unsigned(const char **line, gint base, guint64 *ret_number)
{
    char *end;
    guint64 number = strtoull(*line, &end, base);

    if (end == *line)
        return FALSE;
    *line = end;
    *ret_number = number;
    return TRUE;
}

gboolean
os_column_signed(const char **line, gint base, gint64 *ret_number)
{
    char *end;
    gint64 number = strtoll(*line, &end, base);

    if (end == *line)
        return FALSE;
    *line = end;
    *ret_number = number;
    return TRUE;
}

char *
os_column_word(const char **line, gsize size_max)
{
    const char *word = *line;
    gsize size = 0;

    while (isspace((guchar)*word))
        word++;
    while (size < size_max && word[size] && !isspace((guchar)word[size]))
        size++;
    if (size == 0)
        return NULL;
    *line = word + size;
    return g_strndup(word, size);
}

guint
os_column_numbers(const char **line, guint64 *ret_numbers, guint n_max)
{
    guint n = 0;

    while (n < n_max && os_column_unsigned(line, 10, &ret_numbers[n]))
        n++;
    return n;
}
