/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which servers can be asked. */
#include "extensions/quiesce/app.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "runner.h"
#include "tree.h"

/* Why a worker does not ask that server, which listens nowhere: if for nothing else, then for
 * that. */
static NovacronQuiesceReason
reason_for(Server server, const char *settings)
{
    g_autofree char *file = g_strdup_printf("settings=%s", settings);
    const char *const entries[] = { "redis-worker=", "7/fd", file, NULL };
    char *folder = tree_new(entries);
    g_autofree char *program = g_build_filename(folder, "redis-worker", NULL);
    g_autofree char *path = g_build_filename(folder, "settings", NULL);
    g_autoptr(Hooks) hooks = hooks_read(NULL, path);
    NovacronQuiesceReason reason = NOVACRON_QUIESCE_REASON_NO_HOOK;

    ck_assert_int_eq(g_chmod(program, 0755), 0);
    server.pid = 7;
    ck_assert_ptr_null(app_new(g_memdup(&server, sizeof server), hooks, folder, folder, &reason));
    tree_free(folder);
    return reason;
}

static NovacronQuiesceReason
reason_for_user(guint uid)
{
    return reason_for((Server){ .kind = NOVACRON_QUIESCE_KIND_REDIS, .uid = uid }, "");
}

START_TEST(what_cannot_be_asked_is_told_with_the_reason)
{
    const Server redis = { .kind = NOVACRON_QUIESCE_KIND_REDIS };
    const Server postgresql = { .kind = NOVACRON_QUIESCE_KIND_POSTGRESQL };
    const Server elsewhere = { .kind = NOVACRON_QUIESCE_KIND_REDIS, .is_elsewhere = TRUE };

    ck_assert_int_eq(reason_for(redis, "POSTGRESQL_MODE=off"), NOVACRON_QUIESCE_REASON_NO_SOCKET);
    ck_assert_int_eq(reason_for(redis, "REDIS_MODE=off"), NOVACRON_QUIESCE_REASON_OFF);
    ck_assert_int_eq(reason_for(postgresql, ""), NOVACRON_QUIESCE_REASON_NO_WORKER);
    ck_assert_int_eq(reason_for(elsewhere, ""), NOVACRON_QUIESCE_REASON_IN_CONTAINER);
}
END_TEST

START_TEST(accounts_of_people_are_not_asked)
{
    static const guint people[] = { 1000, 60000, 60001, 61183, 65536, 1000000, 2000000000 };
    static const guint services[] = { 0, 27, 999, 61184, 65519, 65534 };

    for (gsize i = 0; i < G_N_ELEMENTS(people); i++)
        ck_assert_msg(people[i] == geteuid() ||
                          reason_for_user(people[i]) == NOVACRON_QUIESCE_REASON_OTHER_USER,
                      "%u", people[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(services); i++)
        ck_assert_msg(reason_for_user(services[i]) == NOVACRON_QUIESCE_REASON_NO_SOCKET, "%u",
                      services[i]);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("app");
    TCase *tcase = tcase_create("app");

    tcase_add_test(tcase, what_cannot_be_asked_is_told_with_the_reason);
    tcase_add_test(tcase, accounts_of_people_are_not_asked);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
