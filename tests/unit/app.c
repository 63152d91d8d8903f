/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which servers can be asked. */
#include "extensions/quiesce/app.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "runner.h"
#include "tree.h"

/* Why a worker does not ask Redis of that user, which listens nowhere: if for nothing else, then
 * for that. */
static NovacronQuiesceReason
reason_for(guint uid)
{
    static const char *const entries[] = { "redis-worker=", "7/fd", NULL };
    char *folder = tree_new(entries);
    g_autofree char *program = g_build_filename(folder, "redis-worker", NULL);
    g_autoptr(Hooks) hooks = hooks_read(NULL, "/nonexistent");
    Server *server = g_new0(Server, 1);
    NovacronQuiesceReason reason = NOVACRON_QUIESCE_REASON_OFF;

    ck_assert_int_eq(g_chmod(program, 0755), 0);
    *server = (Server){ .kind = NOVACRON_QUIESCE_KIND_REDIS, .pid = 7, .uid = uid };
    ck_assert_ptr_null(app_new(server, hooks, folder, folder, &reason));
    tree_free(folder);
    return reason;
}

START_TEST(accounts_of_people_are_not_asked)
{
    static const guint people[] = { 1000, 60000, 60001, 61183, 65536, 1000000, 2000000000 };
    static const guint services[] = { 0, 27, 999, 61184, 65519, 65534 };

    for (gsize i = 0; i < G_N_ELEMENTS(people); i++)
        ck_assert_msg(people[i] == geteuid() ||
                          reason_for(people[i]) == NOVACRON_QUIESCE_REASON_OTHER_USER,
                      "%u", people[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(services); i++)
        ck_assert_msg(reason_for(services[i]) == NOVACRON_QUIESCE_REASON_NO_SOCKET, "%u",
                      services[i]);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("app");
    TCase *tcase = tcase_create("app");

    tcase_add_test(tcase, accounts_of_people_are_not_asked);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
