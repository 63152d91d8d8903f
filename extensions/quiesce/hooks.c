/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks as contrib/fsfreeze-hooks has them. Their settings are shell, of which only the plain
 * form is understood that the file comes with: NAME=VALUE at the beginning of a line.
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
    const char *off;       /* the setting that turns it off */
} known[] = {
    [NOVACRON_QUIESCE_KIND_POSTGRESQL] = { "postgresql", "POSTGRESQL_MODE=off" },
    [NOVACRON_QUIESCE_KIND_MYSQL] = { "mysql", "MYSQL_MODE=off" },
    [NOVACRON_QUIESCE_KIND_MARIADB] = { "mariadb", "MARIADB_MODE=off" },
    [NOVACRON_QUIESCE_KIND_MONGODB] = { "mongodb", "MONGODB_MODE=off" },
    [NOVACRON_QUIESCE_KIND_REDIS] = { "redis", "REDIS_MODE=off" },
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
    if (!hook)
        return hooks;

    g_autofree char *beside = g_path_get_dirname(hook);
    g_autofree char *folder = g_build_filename(beside, FOLDER, NULL);
    read_folder(hooks, folder);
    hooks->settings = read_settings(settings);
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

static gboolean
is_off(const Hooks *hooks, NovacronQuiesceKind kind)
{
    g_auto(GStrv) lines = hooks->settings ? g_strsplit(hooks->settings, "\n", -1) : NULL;

    for (char **line = lines; line && *line; line++)
        if (strcmp(g_strchomp(*line), known[kind].off) == 0)
            return TRUE;
    return FALSE;
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

    if (script && !is_off(hooks, kind)) {
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
