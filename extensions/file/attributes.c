/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-file-mode, novacron-file-owner, and what other commands know of both. */
#include "file/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/account.h"
#include "core/agent.h"
#include "core/refusal.h"
#include "core/work.h"
#include "file/place.h"
#include "gen/file-commands.h"
#include "platform/ids.h"

typedef struct {
    GaPlace *place;
    GaAttributes attributes;
    gboolean follow;
} Change;

void
ga_attributes_init(GaAttributes *attributes, const char *mode, const char *user, const char *group)
{
    attributes->mode = g_strdup(mode);
    attributes->user = g_strdup(user);
    attributes->group = g_strdup(group);
}

void
ga_attributes_clear(GaAttributes *attributes)
{
    g_free(attributes->mode);
    g_free(attributes->user);
    g_free(attributes->group);
}

gboolean
ga_mode_parse(const char *text, guint *ret_mode, GError **error)
{
    gsize length = strlen(text);

    if (length < 1 || length > 5 || strspn(text, "01234567") != length ||
        strtoul(text, NULL, 8) > 07777) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "'%s' is no mode in octal", text);
        return FALSE;
    }
    *ret_mode = (guint)strtoul(text, NULL, 8);
    return TRUE;
}

static gboolean
parse_number(const char *text, guint32 *ret_id)
{
    gsize length = strlen(text);
    guint64 number = g_ascii_strtoull(text, NULL, 10);

    if (length < 1 || length > 10 || strspn(text, "0123456789") != length || number >= GA_ID_SAME)
        return FALSE;
    *ret_id = (guint32)number;
    return TRUE;
}

static gboolean
find_id(const char *text, const char *what, gboolean (*look_up)(const char *name, guint *ret_id),
        guint32 *ret_id, GError **error)
{
    *ret_id = GA_ID_SAME;
    if (!text || parse_number(text, ret_id) || look_up(text, ret_id))
        return TRUE;
    ga_refuse(error, GA_REFUSAL_NOT_FOUND, "there is no %s '%s'", what, text);
    return FALSE;
}

gboolean
ga_owner_find(const GaAttributes *attributes, guint32 *ret_uid, guint32 *ret_gid, GError **error)
{
    return find_id(attributes->user, "user", os_user_id, ret_uid, error) &&
           find_id(attributes->group, "group", os_group_id, ret_gid, error);
}

static void
change_free(gpointer data)
{
    Change *change = data;

    ga_place_free(change->place);
    ga_attributes_clear(&change->attributes);
    g_free(change);
}

static gpointer
set_mode(gpointer data, GError **error)
{
    const Change *change = data;
    guint mode;

    if (!ga_mode_parse(change->attributes.mode, &mode, error))
        return NULL;
    g_auto(GaFd) fd = ga_place_find(change->place, TRUE, error);
    if (fd < 0)
        return NULL;
    g_autofree char *path = ga_fd_path(fd);
    if (chmod(path, mode) < 0)
        ga_refuse_errno(error, errno, "permissions of '%s'", change->place->path);
    return NULL;
}

static gpointer
set_owner(gpointer data, GError **error)
{
    const Change *change = data;
    guint32 uid, gid;

    if (!ga_owner_find(&change->attributes, &uid, &gid, error))
        return NULL;
    g_auto(GaFd) fd = ga_place_find(change->place, change->follow, error);
    if (fd >= 0 && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
        ga_refuse_errno(error, errno, "owner of '%s'", change->place->path);
    return NULL;
}

/* Takes the place, which may be NULL: then the call fails with `error`. */
static void
start(GaCall *call, const Change *wanted, GaWorkFunc func, GError *error)
{
    if (!wanted->place) {
        ga_call_fail(call, error);
        return;
    }
    ga_work_run(call, func, g_memdup(wanted, sizeof *wanted), change_free);
}

void
novacron_file_mode(GaCall *call, const NovacronFileModeArgs *args)
{
    GError *error = NULL;
    Change change = { .place = ga_place_new(args->path, args->resolve, &error) };

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-mode",
               "novacron-file-mode called, path: %s, mode: %s", args->path, args->mode);
    if (change.place)
        ga_attributes_init(&change.attributes, args->mode, NULL, NULL);
    start(call, &change, set_mode, error);
}

void
novacron_file_owner(GaCall *call, const NovacronFileOwnerArgs *args)
{
    GError *error = NULL;
    Change change = { .place = ga_place_new(args->path, args->resolve, &error),
                      .follow = !args->has_follow || args->follow };

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-owner",
               "novacron-file-owner called, path: %s, user: %s, group: %s", args->path,
               args->user ? args->user : "-", args->group ? args->group : "-");
    if (change.place)
        ga_attributes_init(&change.attributes, NULL, args->user, args->group);
    start(call, &change, set_owner, error);
}
