/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for the programs that an agent runs: writes down how it was called, then does what
 * the file of its name in /run/told says, a word and a value on each line; NAME-ARGUMENT, with its
 * first argument, goes before NAME. It lives in the namespaces of shield.py only.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG "/run/calls"
#define TOLD "/run/told/"
#define INPUT_MAX (1024 * 1024)

static const char *
kind_of(gint fd)
{
    struct stat status, null;

    if (fstat(fd, &status) < 0)
        return "closed";
    if (stat("/dev/null", &null) == 0 && status.st_rdev == null.st_rdev && S_ISCHR(status.st_mode))
        return "null";
    return S_ISFIFO(status.st_mode) ? "pipe" : "other";
}

static void
append(GString *line, const char *text)
{
    g_autofree char *escaped = g_strescape(text, NULL);

    g_string_append_printf(line, " \"%s\"", escaped);
}

static void
append_input(GString *line)
{
    g_autofree char *input = g_malloc(INPUT_MAX + 1);
    gsize size = 0;
    gssize got;

    while (size < INPUT_MAX && (got = read(STDIN_FILENO, input + size, INPUT_MAX - size)) > 0)
        size += (gsize)got;
    input[size] = '\0';
    append(line, input);
}

static gint
compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
append_environment(GString *line)
{
    g_autoptr(GPtrArray) variables = g_ptr_array_new();

    for (guint i = 0; environ[i]; i++)
        g_ptr_array_add(variables, environ[i]);
    g_ptr_array_sort(variables, compare);
    for (guint i = 0; i < variables->len; i++)
        append(line, variables->pdata[i]);
}

static void
write_down(char **argv)
{
    g_autoptr(GString) line = g_string_new("call");
    g_autofree char *folder = g_get_current_dir();

    for (guint i = 0; argv[i]; i++)
        append(line, argv[i]);
    g_string_append_printf(line, "; streams %s %s %s; %s; in", kind_of(0), kind_of(1), kind_of(2),
                           getsid(0) == getpid() ? "leads a session" : "no session");
    append(line, folder);
    g_string_append(line, "; environment");
    append_environment(line);
    g_string_append(line, "; input");
    append_input(line);
    g_string_append_c(line, '\n');

    gint fd = open(LOG, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (fd < 0 || write(fd, line->str, line->len) != (gssize)line->len)
        abort();
    close(fd);
}

static void
print(gint fd, const char *text)
{
    g_autofree char *raw = g_strcompress(text);

    if (write(fd, raw, strlen(raw)) < 0)
        exit(99);
}

static void
leave_behind(guint milliseconds)
{
    if (fork() == 0) {
        g_usleep(milliseconds * 1000ul);
        _exit(0);
    }
}

static void
do_as_told(const char *word, const char *value)
{
    if (strcmp(word, "out") == 0)
        print(STDOUT_FILENO, value);
    else if (strcmp(word, "err") == 0)
        print(STDERR_FILENO, value);
    else if (strcmp(word, "sleep") == 0)
        g_usleep((gulong)atoi(value) * 1000);
    else if (strcmp(word, "leave") == 0)
        leave_behind((guint)atoi(value));
    else if (strcmp(word, "kill") == 0)
        kill(getpid(), atoi(value));
    else if (strcmp(word, "exit") == 0)
        exit(atoi(value));
}

/* "" if there is nothing to do. */
static char *
what_is_told(char **argv)
{
    g_autofree char *name = g_path_get_basename(argv[0]);
    g_autofree char *path = g_strconcat(TOLD, name, NULL);
    g_autofree char *special = argv[1] ? g_strconcat(path, "-", argv[1], NULL) : NULL;
    char *text = NULL;

    if (special && g_file_get_contents(special, &text, NULL, NULL))
        return text;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

int
main(G_GNUC_UNUSED int argc, char **argv)
{
    g_autofree char *text = what_is_told(argv);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    write_down(argv);
    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", 2);

        if (words[0] && words[1])
            do_as_told(words[0], words[1]);
    }
    return EXIT_SUCCESS;
}
