/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks as contrib/fsfreeze-hooks has them. Their settings are shell, of which only the plain
 * form is understood that the file comes with: NAME=VALUE at the beginning of a line, or behind
 * `export`, with quotes around the value or without.
 */
#include "extensions/quiesce/hooks.h"

#include <string.h>

#define FOLDER "fsfreeze-hook.d"

/* Another file of that name is not what we know. */
#define SETTINGS_BYTES_MAX (64 * 1024)

struct Hooks {
    gboolean has_hook;
    gboolean has_folder;
    GPtrArray *scripts; /* of char *, names of files that can be executed */
    char *settings;     /* NULL: none */
};

static const struct {
    const char *in_script; /* a part of its name */
    const char *mode;      /* the setting that says how, or turns it off */
} known[] = {
    [NOVACRON_QUIESCE_KIND_POSTGRESQL] = { "postgresql", "POSTGRESQL_MODE" },
    [NOVACRON_QUIESCE_KIND_MYSQL] = { "mysql", "MYSQL_MODE" },
    [NOVACRON_QUIESCE_KIND_MARIADB] = { "mariadb", "MARIADB_MODE" },
    [NOVACRON_QUIESCE_KIND_MONGODB] = { "mongodb", "MONGODB_MODE" },
    [NOVACRON_QUIESCE_KIND_REDIS] = { "redis", "REDIS_MODE" },
};

/* What editors and package managers leave beside a script the hook does not run. */
static const char *const left_behind[] = { "~",          ".bak",     ".orig",    ".sample",
                                           ".rpmnew",    ".rpmorig", ".rpmsave", ".dpkg-old",
                                           ".dpkg-dist", ".dpkg-new" };

static gboolean
is_left_behind(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(left_behind); i++)
        if (g_str_has_suffix(name, left_behind[i]))
            return TRUE;
    return FALSE;
}

static void
read_folder(Hooks *hooks, const char *folder)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *name;

    hooks->has_folder = entries != NULL;
    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (!is_left_behind(name) && g_file_test(path, G_FILE_TEST_IS_REGULAR) &&
            g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
            g_ptr_array_add(hooks->scripts, g_strdup(name));
    }
}

static char *
read_settings(const char *path)
{
    char *text;
    gsize size;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR) ||
        !g_file_get_contents(path, &text, &size, NULL))
        return NULL;
    if (size <= SETTINGS_BYTES_MAX)
        return text;
    g_free(text);
    return NULL;
}

Hooks *
hooks_read(const char *hook, const char *settings)
{
    Hooks *hooks = g_new0(Hooks, 1);

    hooks->scripts = g_ptr_array_new_with_free_func(g_free);
    hooks->has_hook = hook != NULL;
    hooks->settings = read_settings(settings);
    if (!hook)
        return hooks;

    g_autofree char *beside = g_path_get_dirname(hook);
    g_autofree char *folder = g_build_filename(beside, FOLDER, NULL);
    read_folder(hooks, folder);
    return hooks;
}

void
hooks_free(Hooks *hooks)
{
    if (!hooks)
        return;
    g_ptr_array_free(hooks->scripts, TRUE);
    g_free(hooks->settings);
    g_free(hooks);
}

/* NULL: another one, or none. Of a line that is changed by it. */
static const char *
value_of(char *line, const char *name)
{
    static const char export[] = "export ";
    char *text = g_strchomp(line);

    if (g_str_has_prefix(text, export))
        text += strlen(export);
    if (!g_str_has_prefix(text, name) || text[strlen(name)] != '=')
        return NULL;
    text += strlen(name) + 1;

    gsize length = strlen(text);
    if (length >= 2 && (text[0] == '\'' || text[0] == '"') && text[length - 1] == text[0]) {
        text[length - 1] = '\0';
        text++;
    }
    return text;
}

gboolean
hooks_have_mode(const Hooks *hooks, NovacronQuiesceKind kind, const char *mode)
{
    g_auto(GStrv) lines = hooks->settings ? g_strsplit(hooks->settings, "\n", -1) : NULL;
    gboolean has_mode = FALSE;

    for (char **line = lines; line && *line; line++) {
        const char *value = value_of(*line, known[kind].mode);

        if (value)
            has_mode = g_str_equal(value, mode);
    }
    return has_mode;
}

static const char *
find_script(const Hooks *hooks, NovacronQuiesceKind kind)
{
    for (guint i = 0; i < hooks->scripts->len; i++)
        if (strstr(hooks->scripts->pdata[i], known[kind].in_script))
            return hooks->scripts->pdata[i];
    return NULL;
}

gboolean
hooks_look_up(const Hooks *hooks, NovacronQuiesceKind kind, char **ret_script,
              NovacronQuiesceReason *ret_reason)
{
    const char *script = find_script(hooks, kind);

    gboolean is_off = hooks_have_mode(hooks, kind, "off");

    if (script && !is_off) {
        *ret_script = g_strdup(script);
        return TRUE;
    }
    if (script)
        *ret_reason = NOVACRON_QUIESCE_REASON_OFF;
    else if (hooks->has_folder)
        *ret_reason = NOVACRON_QUIESCE_REASON_NO_SCRIPT;
    else
        *ret_reason = hooks->has_hook ? NOVACRON_QUIESCE_REASON_HOOK_UNKNOWN
                                      : NOVACRON_QUIESCE_REASON_NO_HOOK;
    return FALSE;
}
