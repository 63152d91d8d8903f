/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of a file of ours instead of the system's. */
#include <glib/gstdio.h>
#include <string.h>
#include <utmpx.h>

#include "gen/guest-agent-commands.h"
#include "runner.h"

typedef struct {
    gint16 type;
    const char *user;
    gint seconds, microseconds;
} Record;

static GPtrArray *
users_of(const Record *records, guint n_records)
{
    g_autofree char *folder = g_dir_make_tmp("users-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "utmp", NULL);
    g_autofree struct utmpx *entries = g_new0(struct utmpx, n_records);

    for (guint i = 0; i < n_records; i++) {
        entries[i].ut_type = records[i].type;
        memcpy(entries[i].ut_user, records[i].user,
               MIN(strlen(records[i].user), sizeof entries[i].ut_user));
        memcpy(entries[i].ut_host, "host", 5);
        entries[i].ut_tv.tv_sec = records[i].seconds;
        entries[i].ut_tv.tv_usec = records[i].microseconds;
    }
    ck_assert(g_file_set_contents(path, (const char *)entries,
                                  (gssize)(n_records * sizeof *entries), NULL));
    utmpxname(path);
    GPtrArray *users = guest_get_users(NULL, NULL);
    g_unlink(path);
    g_rmdir(folder);
    return users;
}

static void
free_users(GPtrArray *users)
{
    for (guint i = 0; i < users->len; i++)
        guest_user_free(users->pdata[i]);
    g_ptr_array_unref(users);
}

static void
assert_user(const GPtrArray *users, guint i, const char *name, double login_time)
{
    const GuestUser *user = users->pdata[i];

    ck_assert_str_eq(user->user, name);
    ck_assert(user->login_time == login_time);
    ck_assert_ptr_null(user->domain);
}

START_TEST(a_user_stands_where_it_came_first_with_its_earliest_time)
{
    static const Record records[] = {
        { BOOT_TIME, "reboot", 1, 0 },     { USER_PROCESS, "bob", 500, 250000 },
        { USER_PROCESS, "alice", 400, 0 }, { USER_PROCESS, "bob", 300, 750000 },
        { DEAD_PROCESS, "carol", 200, 0 }, { USER_PROCESS, "", 100, 0 },
        { USER_PROCESS, "alice", 600, 0 },
    };
    GPtrArray *users = users_of(records, G_N_ELEMENTS(records));

    ck_assert_uint_eq(users->len, 3);
    assert_user(users, 0, "bob", 300.75);
    assert_user(users, 1, "alice", 400);
    assert_user(users, 2, "", 100);
    free_users(users);
}
END_TEST

START_TEST(a_name_that_fills_its_field_ends_there)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzabcdef";
    static const Record records[] = { { USER_PROCESS, name, 1, 0 } };
    GPtrArray *users = users_of(records, 1);

    ck_assert_uint_eq(users->len, 1);
    assert_user(users, 0, name, 1);
    free_users(users);
}
END_TEST

START_TEST(without_the_file_nobody_is_logged_in)
{
    utmpxname("/no/such/file");
    GPtrArray *users = guest_get_users(NULL, NULL);

    ck_assert_uint_eq(users->len, 0);
    free_users(users);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("users");
    TCase *tcase = tcase_create("users");

    tcase_add_test(tcase, a_user_stands_where_it_came_first_with_its_earliest_time);
    tcase_add_test(tcase, a_name_that_fills_its_field_ends_there);
    tcase_add_test(tcase, without_the_file_nobody_is_logged_in);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
