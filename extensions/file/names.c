/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * novacron-file-mkdir, -remove, -rename and -link: names in folders. The folder is looked up first
 * and held, and the change is made in it by name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/account.h"
#include "core/agent.h"
#include "core/refusal.h"
#include "core/work.h"
#include "file/attributes.h"
#include "file/place.h"
#include "gen/file-commands.h"

#define FOLDER_MODE 0755

typedef struct {
    GaPlace *place;
    GaPlace *other;          /* of a rename or a hard link */
    char *target;            /* of a symbolic link */
    GaAttributes attributes; /* of a folder */
    gboolean flag;           /* the name may be taken */
} Change;

static void
change_free(gpointer data)
{
    Change *change = data;

    ga_place_free(change->place);
    ga_place_free(change->other);
    g_free(change->target);
    ga_attributes_clear(&change->attributes);
    g_free(change);
}

static gpointer
fail(const GaPlace *place, gint number, GError **error)
{
    ga_refuse_errno(error, number, "'%s'", place->path);
    return NULL;
}

static gboolean
is_folder(gint parent, const char *name)
{
    struct stat status;

    return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* Of a folder that is ours alone until this is done. */
static gboolean
set_folder(gint parent, const char *name, guint mode, guint32 uid, guint32 gid)
{
    g_auto(GaFd) fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd >= 0 && fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0;
}

static gpointer
make_folder(gpointer data, GError **error)
{
    const Change *change = data;
    const char *name;
    guint mode = FOLDER_MODE;
    guint32 uid, gid;

    if ((change->attributes.mode && !ga_mode_parse(change->attributes.mode, &mode, error)) ||
        !ga_owner_find(&change->attributes, &uid, &gid, error))
        return NULL;
    g_auto(GaFd) parent = ga_place_find_parent(change->place, &name, error);
    if (parent < 0)
        return NULL;
    if (mkdirat(parent, name, 0700) < 0)
        return errno == EEXIST && change->flag && is_folder(parent, name)
                   ? NULL
                   : fail(change->place, errno, error);
    if (!set_folder(parent, name, mode, uid, gid)) {
        fail(change->place, errno, error);
        unlinkat(parent, name, AT_REMOVEDIR);
    }
    return NULL;
}

static gpointer
remove_name(gpointer data, GError **error)
{
    const Change *change = data;
    const char *name;
    g_auto(GaFd) parent = ga_place_find_parent(change->place, &name, error);

    if (parent < 0)
        return NULL;
    return unlinkat(parent, name, is_folder(parent, name) ? AT_REMOVEDIR : 0) < 0
               ? fail(change->place, errno, error)
               : NULL;
}

static gpointer
rename_name(gpointer data, GError **error)
{
    const Change *change = data;
    const char *from, *to;
    g_auto(GaFd) parent = ga_place_find_parent(change->place, &from, error);
    g_auto(GaFd) other = parent < 0 ? -1 : ga_place_find_parent(change->other, &to, error);

    if (other < 0)
        return NULL;
    if (renameat2(parent, from, other, to, change->flag ? 0 : RENAME_NOREPLACE) == 0)
        return NULL;
    return fail(errno == EEXIST ? change->other : change->place, errno, error);
}

static gpointer
link_name(gpointer data, GError **error)
{
    const Change *change = data;
    const char *from, *name;
    g_auto(GaFd) parent = ga_place_find_parent(change->place, &name, error);

    if (parent < 0)
        return NULL;
    if (change->target)
        return symlinkat(change->target, parent, name) < 0 ? fail(change->place, errno, error)
                                                           : NULL;
    g_auto(GaFd) other = ga_place_find_parent(change->other, &from, error);
    if (other < 0 || linkat(other, from, parent, name, 0) == 0)
        return NULL;
    return fail(errno == EEXIST ? change->place : change->other, errno, error);
}

/* Takes `change`, whose places may be missing: then the call fails with `error`. */
static void
start(GaCall *call, Change *change, GaWorkFunc func, GError *error)
{
    if (error) {
        change_free(change);
        ga_call_fail(call, error);
        return;
    }
    ga_work_run(call, func, change, change_free);
}

void
novacron_file_mkdir(GaCall *call, const NovacronFileMkdirArgs *args)
{
    GError *error = NULL;
    Change *change = g_new0(Change, 1);

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-mkdir",
               "novacron-file-mkdir called, path: %s", args->path);
    change->place = ga_place_new(args->path, args->resolve, &error);
    ga_attributes_init(&change->attributes, args->mode, args->user, args->group);
    change->flag = args->exist_ok;
    start(call, change, make_folder, error);
}

void
novacron_file_remove(GaCall *call, const NovacronFileRemoveArgs *args)
{
    GError *error = NULL;
    Change *change = g_new0(Change, 1);

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-remove",
               "novacron-file-remove called, path: %s", args->path);
    change->place = ga_place_new(args->path, args->resolve, &error);
    start(call, change, remove_name, error);
}

void
novacron_file_rename(GaCall *call, const NovacronFileRenameArgs *args)
{
    GError *error = NULL;
    Change *change = g_new0(Change, 1);

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-rename",
               "novacron-file-rename called, path: %s, to: %s", args->path, args->to);
    change->place = ga_place_new(args->path, args->resolve, &error);
    if (change->place)
        change->other = ga_place_new(args->to, args->resolve, &error);
    change->flag = args->replace;
    start(call, change, rename_name, error);
}

void
novacron_file_link(GaCall *call, const NovacronFileLinkArgs *args)
{
    GError *error = NULL;
    Change *change = g_new0(Change, 1);

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-link",
               "novacron-file-link called, path: %s, target: %s", args->path, args->target);
    change->place = ga_place_new(args->path, args->resolve, &error);
    if (args->symbolic)
        change->target = g_strdup(args->target);
    else if (change->place)
        change->other = ga_place_new(args->target, args->resolve, &error);
    start(call, change, link_name, error);
}
