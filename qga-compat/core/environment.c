/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The variables are written by hand. A filter that cannot be read at all is fatal,
 * as it was when units put it on the command line: to go on would be to allow what
 * somebody meant to forbid. Options that are no filter are ignored.
 */
#include "core/environment.h"

#include <string.h>

#include "core/names.h"
#include "runtime/qapi-error.h"

/* Variables that hold names to block. */
static const char *const block_variables[] = { "BLACKLIST_RPC", "BLOCK_RPCS" };

/* If the words begin with the option and its argument, the argument; *words is then at the last
 * word of it. */
static const char *
take_argument(char letter, const char *name, char ***words)
{
    const char *word = **words;
    gboolean is_short = word[0] == '-' && word[1] == letter;
    gboolean is_long = g_str_has_prefix(word, "--") && g_str_has_prefix(word + 2, name);

    if (!is_short && !is_long)
        return NULL;

    const char *rest = word + 2 + (is_long ? strlen(name) : 0);
    if (*rest == '\0') /* -b NAMES, --block-rpcs NAMES */
        return (*words)[1] ? *++*words : NULL;
    if (is_short)
        return rest;
    return *rest == '=' ? rest + 1 : NULL;
}

/* *ret_words is NULL if there are none. */
static gboolean
split_filter(const char *text, char ***ret_words, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (g_shell_parse_argv(text, NULL, ret_words, &problem) ||
        g_error_matches(problem, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING))
        return TRUE;
    qapi_set_error(error, "error in FILTER_RPC_ARGS: %s", problem->message);
    return FALSE;
}

gboolean
ga_environment_read(char ***block, gsize block_position, char ***allow, gsize allow_position,
                    GError **error)
{
    const char *filter = g_getenv("FILTER_RPC_ARGS");
    g_auto(GStrv) words = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(block_variables); i++) {
        const char *names = g_getenv(block_variables[i]);
        if (names)
            ga_names_insert_missing(block, block_position, names);
    }
    if (filter && !split_filter(filter, &words, error))
        return FALSE;
    if (!words)
        return TRUE;
    for (char **word = words; *word; word++) {
        const char *first = *word;
        const char *names;

        if ((names = take_argument('b', "block-rpcs", &word)))
            ga_names_insert_missing(block, block_position, names);
        else if ((names = take_argument('a', "allow-rpcs", &word)))
            ga_names_insert_missing(allow, allow_position, names);
        else
            g_warning("'%s' in FILTER_RPC_ARGS is ignored", first);
    }
    return TRUE;
}
