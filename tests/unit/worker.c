/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workers that are scripts: what comes of one that answers, and of those that do not. */
#include "extensions/worker/worker.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/refusal.h"
#include "runner.h"
#include "runtime/qapi-type.h"
#include "tree.h"

gboolean qga_client_call(GaWorker *worker, const char *command, const QapiType *args_type,
                         gconstpointer args, const QapiType *result_type, gpointer ret_place,
                         gboolean silent, GError **error);

typedef struct {
    char *folder;
    GaWorker *worker;
} Place;

/* What runs when the request has been read. */
static Place *
place_new(const char *script)
{
    g_autofree char *file = g_strdup_printf("worker=#!/bin/sh\nexec 3>&0\nread -r line\n%s\n",
                                            script);
    const char *const entries[] = { file, NULL };
    Place *place = g_new(Place, 1);

    place->folder = tree_new(entries);
    g_autofree char *path = g_build_filename(place->folder, "worker", NULL);
    ck_assert_int_eq(g_chmod(path, 0755), 0);
    place->worker = ga_worker_new(path, 12345);
    return place;
}

static gboolean
tick_over(G_GNUC_UNUSED gpointer user_data)
{
    return G_SOURCE_CONTINUE;
}

static void
place_free(Place *place)
{
    ga_worker_free(place->worker);
    /* its end is heard by the main loop */
    guint tick = g_timeout_add(1, tick_over, NULL);
    for (guint i = 0; i < 50; i++)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(tick);
    tree_free(place->folder);
    g_free(place);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Place, place_free)

static gboolean
ask(Place *place, char **ret_text, GError **error)
{
    return qga_client_call(place->worker, "toy-ask", NULL, NULL, &qapi_type_string, ret_text, FALSE,
                           error);
}

static void
assert_refused(Place *place, const char *expected)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    ck_assert(!ask(place, &text, &error));
    ck_assert_msg(g_str_has_prefix(error->message, expected), "'%s' is not '%s'", error->message,
                  expected);
    ck_assert_ptr_null(text);
}

START_TEST(one_is_told_its_user_and_answers)
{
    g_autoptr(Place) place = place_new("echo \"{'return': '$1'}\" >&3; read -r line; "
                                       "echo \"{'return': '$line'}\" | tr -d '\"' >&3");
    GError *error = NULL;
    g_autofree char *uid = NULL;
    g_autofree char *line = NULL;

    ck_assert(ga_worker_start(place->worker, &error));
    ck_assert(ask(place, &uid, &error));
    ck_assert_str_eq(uid, "12345");
    ck_assert(ask(place, &line, &error));
    ck_assert_str_eq(line, "{execute: toy-ask}");
}
END_TEST

START_TEST(an_error_of_its_own_is_told_as_it_is)
{
    g_autoptr(Place) place = place_new("echo \"{'error': {'class': 'GenericError', "
                                       "'desc': 'permission: no'}}\" >&3");
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    ck_assert(ga_worker_start(place->worker, &error));
    ck_assert(!ask(place, &text, &error));
    ck_assert_str_eq(error->message, "permission: no");
    ck_assert_int_eq(ga_refusal_of(error), GA_REFUSAL_PERMISSION);
}
END_TEST

START_TEST(a_long_error_is_cut)
{
    static const char *const scripts[] = {
        "printf \"{'error': {'class': 'GenericError', 'desc': '%05000d'}}\\n\" 0 >&3",
        "printf '%05000d\\n' 0 >&3",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
        g_autoptr(Place) place = place_new(scripts[i]);
        g_autoptr(GError) error = NULL;
        char *text = NULL;

        ck_assert(ga_worker_start(place->worker, NULL));
        ck_assert(!ask(place, &text, &error));
        ck_assert_uint_le(strlen(error->message), 600);
    }
}
END_TEST

START_TEST(whatever_else_it_does_is_one_failed_call)
{
    static const struct {
        const char *script;
        const char *expected;
    } cases[] = {
        { "kill -s SEGV $$", "failed: worker has died of signal 11" },
        { "exit 3", "failed: worker has left with status 3" },
        { "exec 0<&- 3>&-; sleep 60", "failed: worker has died of signal 9" },
        { "echo nonsense >&3; sleep 60", "failed: the worker's answer makes no sense: " },
        { "echo '{}' >&3", "failed: the worker's answer makes no sense: it is neither" },
        { "echo '{\"return\": 7}' >&3", "failed: the worker's answer makes no sense: " },
        { "yes | tr -d '\\n' >&3", "failed: the worker's answer has no end" },
        { "sleep 60", "timeout: no answer within 300 ms" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Place) place = place_new(cases[i].script);

        ck_assert(ga_worker_start(place->worker, NULL));
        ga_worker_set_limit(place->worker, i + 1 == G_N_ELEMENTS(cases) ? 300 : 10000);
        assert_refused(place, cases[i].expected);
        ga_worker_kill(place->worker);
        assert_refused(place, "cancelled: worker was ended");
    }
}
END_TEST

static gpointer
kill_soon(gpointer worker)
{
    g_usleep(100000);
    ga_worker_kill(worker);
    return NULL;
}

START_TEST(another_thread_can_end_it)
{
    g_autoptr(Place) place = place_new("sleep 60");

    ck_assert(ga_worker_start(place->worker, NULL));
    GThread *thread = g_thread_new("kill", kill_soon, place->worker);
    assert_refused(place, "cancelled: worker was ended");
    g_thread_join(thread);
}
END_TEST

START_TEST(one_that_was_ended_before_does_not_begin)
{
    g_autoptr(Place) place = place_new("sleep 60");
    g_autoptr(GError) error = NULL;

    ga_worker_kill(place->worker);
    ck_assert(!ga_worker_start(place->worker, &error));
    ck_assert_str_eq(error->message, "cancelled: worker was ended");
}
END_TEST

START_TEST(a_program_that_is_not_there_is_told)
{
    g_autoptr(GaWorker) worker = ga_worker_new("/nonexistent/worker", 0);
    g_autoptr(GError) error = NULL;

    ck_assert(!ga_worker_start(worker, &error));
    ck_assert_str_eq(error->message, "not-found: cannot execute '/nonexistent/worker': "
                                     "No such file or directory");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("worker");
    TCase *tcase = tcase_create("worker");

    tcase_add_test(tcase, one_is_told_its_user_and_answers);
    tcase_add_test(tcase, an_error_of_its_own_is_told_as_it_is);
    tcase_add_test(tcase, a_long_error_is_cut);
    tcase_add_test(tcase, whatever_else_it_does_is_one_failed_call);
    tcase_add_test(tcase, another_thread_can_end_it);
    tcase_add_test(tcase, one_that_was_ended_before_does_not_begin);
    tcase_add_test(tcase, a_program_that_is_not_there_is_told);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
