/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-ssh-*-authorized-keys: what becomes of the lines of a file. All of it runs on a thread,
 * since accounts and homes may be those of a server.
 */
#include <string.h>

#include "core/work.h"
#include "gen/guest-agent-commands.h"
#include "platform/ssh-keys.h"
#include "runtime/qapi-error.h"

/* What stays when the call has gone. */
typedef struct {
    char *username;
    GPtrArray *keys; /* of strings; NULL: none */
    gboolean reset;
} Job;

static Job *
job_new(const char *username, const GPtrArray *keys)
{
    Job *job = g_new0(Job, 1);

    job->username = g_strdup(username);
    job->keys = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; keys && i < keys->len; i++)
        g_ptr_array_add(job->keys, g_strdup(keys->pdata[i]));
    return job;
}

static void
job_free(gpointer data)
{
    Job *job = data;

    g_free(job->username);
    g_ptr_array_unref(job->keys);
    g_free(job);
}

static gboolean
check_keys(const GPtrArray *keys, GError **error)
{
    for (guint i = 0; i < keys->len; i++) {
        const char *key = keys->pdata[i];

        if (*key == '#' || strchr(key, '\n')) {
            qapi_set_error(error, "invalid OpenSSH public key: '%s'", key);
            return FALSE;
        }
    }
    return TRUE;
}

/* Cut the next line off, as strsep(3): an empty text is one empty line. NULL: there is no more. */
static char *
next_line(char **text)
{
    char *line = *text;
    char *end = line ? strchr(line, '\n') : NULL;

    *text = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return line;
}

static GHashTable *
set_of(const GPtrArray *keys)
{
    GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < keys->len; i++)
        g_hash_table_add(set, keys->pdata[i]);
    return set;
}

/* As upstream, which builds its list from the front. */
static GuestAuthorizedKeys *
parse(char *text)
{
    GuestAuthorizedKeys *result = g_new0(GuestAuthorizedKeys, 1);
    char *line;

    result->keys = g_ptr_array_new();
    while ((line = next_line(&text))) {
        g_strstrip(line);
        if (*line && *line != '#')
            g_ptr_array_add(result->keys, g_strdup(line));
    }
    for (guint i = 0; i < result->keys->len / 2; i++) {
        gpointer *first = &result->keys->pdata[i];
        gpointer *last = &result->keys->pdata[result->keys->len - 1 - i];
        gpointer key = *first;

        *first = *last;
        *last = key;
    }
    return result;
}

/* The keys that are not a line of `text` yet, once each, on lines behind it. If it ends with a
 * newline, an empty line comes between: upstream's way, as is the missing newline at the end. */
static char *
with_keys(const char *text, const GPtrArray *keys)
{
    g_autoptr(GHashTable) missing = set_of(keys);
    g_autofree char *lines = g_strdup(text);
    GString *result = g_string_new(text);
    char *rest = *text ? lines : NULL, *line;
    gboolean is_first = !*text;

    while ((line = next_line(&rest)))
        g_hash_table_remove(missing, line);
    for (guint i = 0; i < keys->len; i++) {
        if (!g_hash_table_remove(missing, keys->pdata[i]))
            continue;
        if (!is_first)
            g_string_append_c(result, '\n');
        g_string_append(result, keys->pdata[i]);
        is_first = FALSE;
    }
    return g_string_free(result, FALSE);
}

static char *
without_keys(char *text, const GPtrArray *keys)
{
    g_autoptr(GHashTable) unwanted = set_of(keys);
    GString *result = g_string_new(NULL);
    gboolean is_first = TRUE;
    char *line;

    while ((line = next_line(&text))) {
        if (g_hash_table_contains(unwanted, line))
            continue;
        if (!is_first)
            g_string_append_c(result, '\n');
        g_string_append(result, line);
        is_first = FALSE;
    }
    return g_string_free(result, FALSE);
}

static gpointer
get(gpointer data, GError **error)
{
    const Job *job = data;
    g_autoptr(OsSshKeys) keys = os_ssh_keys_open(job->username, error);
    g_autofree char *text = keys ? os_ssh_keys_read(keys, error) : NULL;

    return text ? parse(text) : NULL;
}

/* What is there, "" if that cannot be read: upstream then writes the new keys only. NULL on
 * error. */
static char *
read_before_adding(const OsSshKeys *keys, GError **error)
{
    GError *reason = NULL;
    char *text = os_ssh_keys_read(keys, &reason);

    if (text)
        return text;
    if (g_error_matches(reason, OS_SSH_KEYS_ERROR, OS_SSH_KEYS_REFUSED)) {
        g_propagate_error(error, reason);
        return NULL;
    }
    g_error_free(reason);
    return os_ssh_keys_prepare(keys, error) ? g_strdup("") : NULL;
}

static gboolean
add_to(const OsSshKeys *keys, const Job *job, GError **error)
{
    g_autofree char *before = NULL;

    if (!job->reset)
        before = read_before_adding(keys, error);
    else if (os_ssh_keys_prepare(keys, error))
        before = g_strdup("");
    if (!before)
        return FALSE;

    g_autofree char *after = with_keys(before, job->keys);
    return os_ssh_keys_write(keys, after, error);
}

static gboolean
remove_from(const OsSshKeys *keys, const Job *job, GError **error)
{
    GError *reason = NULL;
    g_autofree char *before = os_ssh_keys_read(keys, &reason);

    if (!before && g_error_matches(reason, OS_SSH_KEYS_ERROR, OS_SSH_KEYS_MISSING)) {
        g_error_free(reason);
        return TRUE;
    }
    if (!before) {
        g_propagate_error(error, reason);
        return FALSE;
    }
    g_autofree char *after = without_keys(before, job->keys);
    return os_ssh_keys_write(keys, after, error);
}

/* Sessions may do this at the same time, and none may lose what another one adds between its
 * reading and its writing. */
static gpointer
change(const Job *job, gboolean (*func)(const OsSshKeys *keys, const Job *job, GError **error),
       GError **error)
{
    static GMutex one_at_a_time;
    g_autoptr(OsSshKeys) keys = os_ssh_keys_open(job->username, error);

    if (keys) {
        g_mutex_lock(&one_at_a_time);
        func(keys, job, error);
        g_mutex_unlock(&one_at_a_time);
    }
    return NULL;
}

static gpointer
add(gpointer data, GError **error)
{
    return change(data, add_to, error);
}

static gpointer
take_away(gpointer data, GError **error)
{
    return change(data, remove_from, error);
}

void
guest_ssh_get_authorized_keys(GaCall *call, const GuestSshGetAuthorizedKeysArgs *args)
{
    ga_work_run(call, get, job_new(args->username, NULL), job_free);
}

void
guest_ssh_add_authorized_keys(GaCall *call, const GuestSshAddAuthorizedKeysArgs *args)
{
    GError *error = NULL;

    if (!check_keys(args->keys, &error)) {
        ga_call_fail(call, error);
        return;
    }
    Job *job = job_new(args->username, args->keys);
    job->reset = args->reset;
    ga_work_run(call, add, job, job_free);
}

void
guest_ssh_remove_authorized_keys(GaCall *call, const GuestSshRemoveAuthorizedKeysArgs *args)
{
    GError *error = NULL;

    if (check_keys(args->keys, &error))
        ga_work_run(call, take_away, job_new(args->username, args->keys), job_free);
    else
        ga_call_fail(call, error);
}
