/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state file is replaced as a whole (temporary file, rename), so a reader or a
 * killed agent sees the old or the new one. It is not synced, though upstream's may
 * be: after a loss of power there may be an older or an empty file, both of which
 * load, and no handle given before the loss is alive in any case. Syncing would
 * stop the main loop at every guest-file-open.
 */
#include "core/persist.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>

#include "runtime/qapi-error.h"

#define GROUP "global"
#define COUNTER "fd_counter"
#define FIRST_HANDLE 1000

struct GaPersist {
    char *directory;
    char *path;
    char *frozen_path;
    char *expired_path;
    char *description; /* of the freeze */
    gboolean is_frozen;
    gboolean is_late; /* the file does not have next_handle yet */
    gint64 next_handle;
};

void
ga_persist_free(GaPersist *persist)
{
    if (!persist)
        return;
    g_free(persist->directory);
    g_free(persist->path);
    g_free(persist->frozen_path);
    g_free(persist->expired_path);
    g_free(persist->description);
    g_free(persist);
}

/* With the mode of the file that stands there, 0666 and the umask if there is none. */
static FILE *
open_replacement(const char *path, char *temporary)
{
    GStatBuf status;
    gint fd = g_mkstemp_full(temporary, O_RDWR, 0666);

    if (fd < 0)
        return NULL;
    if (g_stat(path, &status) == 0)
        g_chmod(temporary, status.st_mode & 07777);
    return fdopen(fd, "w");
}

static gboolean
save(const GaPersist *persist, GError **error)
{
    g_autofree char *temporary = g_strdup_printf("%s.XXXXXX", persist->path);
    FILE *stream = open_replacement(persist->path, temporary);

    if (!stream) {
        qapi_set_errno(error, errno,
                       "failed to write persistent state to %s: "
                       "Failed to create file “%s”",
                       persist->path, temporary);
        return FALSE;
    }

    /* Upstream's file holds 32 bits of the counter. */
    fprintf(stream, "[" GROUP "]\n" COUNTER "=%d\n", (gint32)persist->next_handle);
    gboolean is_written = !ferror(stream);
    if (fclose(stream) != 0 || !is_written || g_rename(temporary, persist->path) != 0) {
        qapi_set_errno(error, errno, "failed to write persistent state to %s", persist->path);
        g_unlink(temporary);
        return FALSE;
    }
    return TRUE;
}

static gint64
read_counter(GKeyFile *file)
{
    if (!g_key_file_has_key(file, GROUP, COUNTER, NULL))
        return FIRST_HANDLE;
    return g_key_file_get_integer(file, GROUP, COUNTER, NULL);
}

static gboolean
create(GaPersist *persist, GError **error)
{
    g_autoptr(GError) reason = NULL;

    persist->next_handle = FIRST_HANDLE;
    if (persist->is_frozen || save(persist, &reason))
        return TRUE;
    qapi_set_error(error, "%s\nunable to create state file at path %s", reason->message,
                   persist->path);
    return FALSE;
}

static gboolean
load(GaPersist *persist, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) reason = NULL;

    /* Asked first, since for its error GLib would load the tables of character sets. */
    if (g_access(persist->path, F_OK) != 0 && errno == ENOENT)
        return create(persist, error);
    if (g_key_file_load_from_file(file, persist->path, G_KEY_FILE_NONE, &reason)) {
        persist->next_handle = read_counter(file);
        return TRUE;
    }
    qapi_set_error(error, "error loading persistent state from path: %s, %s", persist->path,
                   reason->message);
    return FALSE;
}

gboolean
ga_persist_load(GaPersist *persist, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (load(persist, &reason))
        return TRUE;
    qapi_set_error(error, "%s\nfailed to load persistent state", reason->message);
    return FALSE;
}

static gboolean
find_mark(GaPersist *persist, GError **error)
{
    GStatBuf status;

    if (g_stat(persist->frozen_path, &status) == 0) {
        g_warning(
            "%s is there, so file systems are frozen: until guest-fsfreeze-thaw there will be "
            "no log, no pidfile, and few commands",
            persist->frozen_path);
        persist->is_frozen = TRUE;
    } else if (errno != ENOENT) {
        qapi_set_errno(error, errno, "unable to access state file at path %s",
                       persist->frozen_path);
        return FALSE;
    }
    return TRUE;
}

GaPersist *
ga_persist_new(const char *directory, GError **error)
{
    g_autoptr(GaPersist) persist = g_new0(GaPersist, 1);

    persist->directory = g_strdup(directory);
    persist->path = g_strdup_printf("%s/qga.state", directory);
    persist->frozen_path = g_strdup_printf("%s/" GA_PERSIST_FROZEN, directory);
    persist->expired_path = g_strdup_printf("%s/" GA_PERSIST_EXPIRED, directory);
    return find_mark(persist, error) ? g_steal_pointer(&persist) : NULL;
}

gboolean
ga_persist_next_handle(GaPersist *persist, gint64 *ret_handle, GError **error)
{
    g_autoptr(GError) reason = NULL;
    gint64 handle = persist->next_handle++;

    /* A file whose opening was under way when the freeze began. */
    if (persist->is_frozen) {
        persist->is_late = TRUE;
        *ret_handle = handle;
        return TRUE;
    }
    if (!save(persist, &reason)) {
        g_warning("%s", reason->message);
        qapi_set_error(error, "failed to commit persistent state to disk");
        return FALSE;
    }
    *ret_handle = handle;
    return TRUE;
}

gboolean
ga_persist_is_frozen(const GaPersist *persist)
{
    return persist->is_frozen;
}

static gboolean
fail_mark(const GaPersist *persist, const char *deed, const char *verb, GError **error)
{
    qapi_set_error(error,
                   "unable to %s %s: %s\nunable to %s %s, fsfreeze may not function properly", deed,
                   persist->frozen_path, g_strerror(errno), verb, persist->frozen_path);
    return FALSE;
}

static gboolean
make_mark(const GaPersist *persist, GError **error)
{
    gint fd = g_open(persist->frozen_path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    if (fd < 0)
        return fail_mark(persist, "open/create file", "create", error);

    FILE *stream = fdopen(fd, "w");
    fputs(persist->description ? persist->description : "", stream);
    return fclose(stream) == 0 || fail_mark(persist, "write", "write", error);
}

void
ga_persist_describe_freeze(GaPersist *persist, const char *text)
{
    g_free(persist->description);
    persist->description = g_strdup(text);
}

char *
ga_persist_read_freeze(const GaPersist *persist)
{
    char *text = NULL;

    if (!g_file_get_contents(persist->frozen_path, &text, NULL, NULL))
        g_file_get_contents(persist->expired_path, &text, NULL, NULL);
    return text;
}

static void
thawed(GaPersist *persist)
{
    g_autoptr(GError) error = NULL;

    persist->is_frozen = FALSE;
    if (persist->is_late && !save(persist, &error))
        g_warning("%s", error->message);
    persist->is_late = FALSE;
}

gboolean
ga_persist_set_frozen(GaPersist *persist, gboolean is_frozen, GError **error)
{
    if (is_frozen) {
        persist->is_frozen = TRUE;
        return make_mark(persist, error);
    }
    thawed(persist);
    if (g_unlink(persist->frozen_path) != 0 && errno != ENOENT)
        return fail_mark(persist, "delete file:", "delete", error);
    return TRUE;
}

gboolean
ga_persist_expire(GaPersist *persist, GError **error)
{
    thawed(persist);
    if (g_rename(persist->frozen_path, persist->expired_path) == 0 ||
        ga_persist_has_expired(persist))
        return TRUE;

    gint fd = g_open(persist->expired_path, O_CREAT | O_WRONLY, 0600);
    if (fd < 0) {
        qapi_set_errno(error, errno, "unable to open/create file %s", persist->expired_path);
        return FALSE;
    }
    g_close(fd, NULL);
    return TRUE;
}

gboolean
ga_persist_has_expired(const GaPersist *persist)
{
    return g_access(persist->expired_path, F_OK) == 0;
}

void
ga_persist_forget_expired(const GaPersist *persist)
{
    g_unlink(persist->expired_path);
}

const char *
ga_persist_directory(const GaPersist *persist)
{
    return persist->directory;
}
