/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output for people (labels and tables) and for programs (JSON). Write errors
 * are kept by stdio until main() looks for them.
 */
#include "novacronctl/output.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "runtime/qapi-write.h"

#define COLUMN_GAP 2

/* Where a text goes on that does not fit; and so much of it is shown in any case. */
#define CUT "..."
#define CUT_MIN 16

#define NS_PER_S G_GINT64_CONSTANT(1000000000)
#define BOLD "\033[1m"
#define PLAIN "\033[0m"
#define ERASE_LINE "\r\033[K"

char *
output_clean(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *clean = g_string_sized_new(strlen(valid));

    for (char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        g_string_append_unichar(clean, g_unichar_iscntrl(character) ? '?' : character);
    }
    return g_string_free(clean, FALSE);
}

char *
output_time(gint64 ns)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(ns / NS_PER_S);

    return time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : NULL;
}

void
output_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *clean = output_clean(text);
    gboolean is_terminal = isatty(STDERR_FILENO) != 0;

    /* The terminal may be the guest's program's just now, and not end lines by itself. */
    fprintf(stderr, "%snovacronctl: %s%s", is_terminal ? ERASE_LINE : "", clean,
            is_terminal ? "\r\n" : "\n");
}

/* So many columns of a terminal a character takes. */
static glong
char_width(gunichar character)
{
    if (g_unichar_iszerowidth(character))
        return 0;
    return g_unichar_iswide(character) ? 2 : 1;
}

static glong
text_width(const char *text)
{
    glong width = 0;

    for (const char *at = text; *at; at = g_utf8_find_next_char(at, NULL))
        width += char_width(g_utf8_get_char(at));
    return width;
}

static void
print_padded(const char *text, glong width)
{
    fputs(text, stdout);
    for (glong length = text_width(text); length < width; length++)
        putchar(' ');
}

/* No more of it than fits. */
static void
print_cut(const char *text, glong width)
{
    glong left = width - (glong)strlen(CUT);
    const char *end = text;

    if (text_width(text) <= width) {
        puts(text);
        return;
    }
    while ((left -= char_width(g_utf8_get_char(end))) >= 0)
        end = g_utf8_find_next_char(end, NULL);
    printf("%.*s%s\n", (int)(end - text), text, CUT);
}

void
output_pairs(const OutputPair *pairs, guint n_pairs)
{
    glong width = 0;

    for (guint i = 0; i < n_pairs; i++)
        if (pairs[i].value)
            width = MAX(width, text_width(pairs[i].label));

    for (guint i = 0; i < n_pairs; i++) {
        if (!pairs[i].value)
            continue;
        g_autofree char *value = output_clean(pairs[i].value);
        print_padded(pairs[i].label, width + COLUMN_GAP);
        puts(value);
    }
}

static void
widen(const char *const *cells, glong *widths, guint n_columns)
{
    for (guint column = 0; column < n_columns; column++)
        widths[column] = MAX(widths[column], text_width(cells[column]));
}

/* `line_max`: 0 is as long as it gets. */
static void
print_row(const char *const *cells, const glong *widths, guint n_columns, glong line_max)
{
    glong left = line_max;

    for (guint column = 0; column + 1 < n_columns; column++) {
        print_padded(cells[column], widths[column] + COLUMN_GAP);
        left -= widths[column] + COLUMN_GAP;
    }
    if (line_max > 0)
        print_cut(cells[n_columns - 1], MAX(left, CUT_MIN));
    else
        puts(cells[n_columns - 1]);
}

/* https://no-color.org */
static gboolean
is_colourful(void)
{
    const char *no_color = g_getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
           g_strcmp0(g_getenv("TERM"), "dumb") != 0;
}

static void
print_headings(const char *const *headings, const glong *widths, guint n_columns)
{
    gboolean is_bold = is_colourful();

    fputs(is_bold ? BOLD : "", stdout);
    print_row(headings, widths, n_columns, 0);
    fputs(is_bold ? PLAIN : "", stdout);
}

void
output_table(const char *const *headings, guint n_columns, const GPtrArray *cells, glong *widths,
             glong line_max)
{
    g_autoptr(GPtrArray) clean = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < cells->len; i++)
        g_ptr_array_add(clean, output_clean(cells->pdata[i]));
    for (guint i = 0; i < clean->len; i += n_columns)
        widen((const char *const *)clean->pdata + i, widths, n_columns);
    if (headings) {
        widen(headings, widths, n_columns);
        print_headings(headings, widths, n_columns);
    }
    for (guint i = 0; i < clean->len; i += n_columns)
        print_row((const char *const *)clean->pdata + i, widths, n_columns, line_max);
}

void
output_json(JsonNode *node)
{
    g_autofree char *text = json_to_string(node, TRUE);

    puts(text);
}

char *
output_text(const QapiType *type, gconstpointer place)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_write(writer, type, place);
    return qapi_writer_to_text(writer, NULL);
}

void
output_result(const QapiType *type, gconstpointer place)
{
    g_autofree char *text = output_text(type, place);
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) node = json_from_string(text, &error);
    g_assert_no_error(error);
    output_json(node);
}

gboolean
output_bytes(FILE *stream, GBytes *bytes, GError **error)
{
    gsize size = 0;
    const void *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    if (size == 0 || (fwrite(data, 1, size, stream) == size && fflush(stream) == 0))
        return TRUE;
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                "cannot write the output: %s", g_strerror(errno));
    return FALSE;
}
