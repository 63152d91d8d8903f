/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is logged in. A user with several sessions is told once, where the first of
 * its records stands and with the earliest of its times.
 */
#include <string.h>
#include <utmpx.h>

#include "gen/guest-agent-commands.h"

static double
login_time(const struct utmpx *record)
{
    return (double)record->ut_tv.tv_sec + (double)record->ut_tv.tv_usec / G_USEC_PER_SEC;
}

/* A name of the field's full length has no NUL. */
static char *
user_name(const struct utmpx *record)
{
    return g_strndup(record->ut_user, sizeof record->ut_user);
}

GPtrArray *
guest_get_users(G_GNUC_UNUSED GaAgent *agent, G_GNUC_UNUSED GError **error)
{
    GPtrArray *users = g_ptr_array_new();
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    const struct utmpx *record;

    setutxent();
    while ((record = getutxent())) {
        if (record->ut_type != USER_PROCESS)
            continue;

        g_autofree char *name = user_name(record);
        GuestUser *user = g_hash_table_lookup(by_name, name);
        if (user) {
            user->login_time = MIN(user->login_time, login_time(record));
            continue;
        }
        user = g_new0(GuestUser, 1);
        user->user = g_steal_pointer(&name);
        user->login_time = login_time(record);
        g_hash_table_insert(by_name, user->user, user);
        g_ptr_array_add(users, user);
    }
    endutxent();
    return users;
}
