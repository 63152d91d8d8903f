/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts, from wherever the system has them. */
#include "posix/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/types.h>

#include "platform/ids.h"
#include "runtime/qapi-error.h"

G_STATIC_ASSERT(sizeof(uid_t) == sizeof(guint) && sizeof(gid_t) == sizeof(guint));

/* Of an entry, and more than any has; then the system's own error is told. */
#define ENTRY_MIN 1024
#define ENTRY_MAX (1 << 20)

/* The number behind it stands for none. */
#define ID_MAX (G_MAXUINT32 - 1)

/* What Linux lets a process have. */
#define GROUPS_MAX 65536
#define GROUPS_USUAL 32

/* By name or, where that is NULL, by number. Returns 0 or an errno value, as getpwnam_r(): no entry
 * is no error. */
static gint
find_entry(const char *name, uid_t uid, struct passwd *entry, char **ret_strings,
           gboolean *ret_is_found)
{
    struct passwd *found;

    for (gsize size = ENTRY_MIN;; size *= 2) {
        char *strings = g_malloc(size);
        gint error = name ? getpwnam_r(name, entry, strings, size, &found)
                          : getpwuid_r(uid, entry, strings, size, &found);

        if (found || error != ERANGE || size >= ENTRY_MAX) {
            *ret_strings = strings;
            *ret_is_found = found != NULL;
            return error;
        }
        g_free(strings);
    }
}

static void
find_groups(OsUser *user)
{
    gint n = GROUPS_USUAL;

    user->groups = g_new(guint, n);
    if (getgrouplist(user->name, user->gid, user->groups, &n) < 0) {
        n = CLAMP(n, GROUPS_USUAL, GROUPS_MAX);
        user->groups = g_renew(guint, user->groups, n);
        /* Should there be more by now, the first ones will do. */
        gint room = n;
        getgrouplist(user->name, user->gid, user->groups, &n);
        n = MIN(n, room);
    }
    user->n_groups = n;
}

static OsUser *
make_user(const char *name, const struct passwd *entry)
{
    OsUser *user = g_new0(OsUser, 1);

    user->name = g_strdup(name);
    user->home = g_strdup(entry->pw_dir);
    user->uid = entry->pw_uid;
    user->gid = entry->pw_gid;
    find_groups(user);
    return user;
}

OsUser *
os_user_lookup(const char *name, GError **error)
{
    struct passwd entry;
    g_autofree char *strings = NULL;
    gboolean is_found = FALSE;
    gint number = find_entry(name, 0, &entry, &strings, &is_found);

    if (!is_found) {
        /* "Success" if there is no such user: upstream's text. */
        qapi_set_errno(error, number, "failed to lookup user '%s'", name);
        return NULL;
    }
    return make_user(name, &entry);
}

OsUser *
os_user_find(const char *text)
{
    struct passwd entry;
    g_autofree char *strings = NULL;
    gboolean is_found = FALSE;
    guint64 uid;

    if (!g_ascii_string_to_unsigned(text, 10, 0, ID_MAX, &uid, NULL))
        return os_user_lookup(text, NULL);
    find_entry(NULL, (uid_t)uid, &entry, &strings, &is_found);
    return is_found ? make_user(entry.pw_name, &entry) : NULL;
}

gboolean
os_user_id(const char *name, guint *ret_uid)
{
    struct passwd entry;
    g_autofree char *strings = NULL;
    gboolean is_found = FALSE;

    find_entry(name, 0, &entry, &strings, &is_found);
    if (is_found)
        *ret_uid = entry.pw_uid;
    return is_found;
}

/* By name or, where that is NULL, by number. */
static gboolean
find_group(const char *name, gid_t gid, guint *ret_gid)
{
    struct group entry, *found = NULL;
    gint number = ERANGE;

    for (gsize size = ENTRY_MIN; number == ERANGE && size <= ENTRY_MAX; size *= 2) {
        g_autofree char *strings = g_malloc(size);
        number = name ? getgrnam_r(name, &entry, strings, size, &found)
                      : getgrgid_r(gid, &entry, strings, size, &found);
        if (found)
            *ret_gid = found->gr_gid;
    }
    return found != NULL;
}

gboolean
os_group_id(const char *name, guint *ret_gid)
{
    return find_group(name, 0, ret_gid);
}

gboolean
os_group_find(const char *text, guint *ret_gid)
{
    guint64 gid;

    return g_ascii_string_to_unsigned(text, 10, 0, ID_MAX, &gid, NULL)
               ? find_group(NULL, (gid_t)gid, ret_gid)
               : os_group_id(text, ret_gid);
}

void
os_user_free(OsUser *user)
{
    if (!user)
        return;
    g_free(user->name);
    g_free(user->home);
    g_free(user->groups);
    g_free(user);
}
