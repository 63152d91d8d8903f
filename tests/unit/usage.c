/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File systems that hang, without any: statvfs() is ours here. It waits at a gate
 * for the directories whose names begin with /hung.
 */
#include "linux/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"

#define NOBODY 65534

static struct {
    GMutex mutex;
    GCond moved;
    gboolean is_open;
    guint n_waiting, n_asked;
} gate;

/* Its parameters are called as in the library's header. */
int
statvfs(const char *__file, struct statvfs *__buf)
{
    g_mutex_lock(&gate.mutex);
    gate.n_asked++;
    if (g_str_has_prefix(__file, "/hung")) {
        gate.n_waiting++;
        while (!gate.is_open)
            g_cond_wait(&gate.moved, &gate.mutex);
        gate.n_waiting--;
        g_cond_broadcast(&gate.moved);
    }
    g_mutex_unlock(&gate.mutex);
    if (strcmp(__file, "/gone") == 0) {
        errno = ENOENT;
        return -1;
    }
    *__buf = (struct statvfs){
        .f_bsize = 4096, .f_frsize = 1024, .f_blocks = 100, .f_bfree = 60, .f_bavail = 50
    };
    return 0;
}

/* Let all go, and wait until they are gone. */
static void
open_gate(void)
{
    g_mutex_lock(&gate.mutex);
    gate.is_open = TRUE;
    g_cond_broadcast(&gate.moved);
    while (gate.n_waiting)
        g_cond_wait(&gate.moved, &gate.mutex);
    g_mutex_unlock(&gate.mutex);
}

static void
close_gate(void)
{
    g_mutex_lock(&gate.mutex);
    gate.is_open = FALSE;
    gate.n_asked = 0;
    g_mutex_unlock(&gate.mutex);
}

typedef struct {
    OsMounts *mounts;
    guint n_prepared;
    gulong prepares_for; /* microseconds */
    gboolean is_done, is_refused;
    GString *known; /* a digit for each mount */
    gint64 milliseconds;
} Answer;

static const OsMounts *
prepare(gpointer data)
{
    Answer *answer = data;

    answer->n_prepared++;
    g_usleep(answer->prepares_for);
    return answer->mounts;
}

static void
done(const OsUsage *usages, gpointer data)
{
    Answer *answer = data;

    answer->is_done = TRUE;
    answer->is_refused = !usages;
    for (guint i = 0; usages && i < answer->mounts->list->len; i++) {
        g_string_append_c(answer->known, usages[i].is_known ? '1' : '0');
        if (!usages[i].is_known)
            continue;
        ck_assert(usages[i].used == 40 * 1024);
        ck_assert(usages[i].total == 90 * 1024);
        ck_assert(usages[i].total_privileged == 100 * 1024);
    }
}

/* Directories with blanks between them, each on a device of its own; NULL: no mounts at all. */
static void
ask(OsUsages *usages, const char *directories, Answer *answer)
{
    g_auto(GStrv) names = directories ? g_strsplit(directories, " ", -1) : NULL;
    gint64 start = g_get_monotonic_time();

    answer->known = g_string_new(NULL);
    if (names)
        answer->mounts = os_mounts_new();
    for (guint i = 0; names && names[i]; i++) {
        g_autofree char *line = g_strdup_printf("1 0 9:%u / %s rw - ext4 /dev/x rw", i, names[i]);
        os_mounts_add_info(answer->mounts, line);
    }
    os_usages_ask(usages, prepare, done, answer);
    while (!answer->is_done)
        g_main_context_iteration(NULL, TRUE);
    answer->milliseconds = (g_get_monotonic_time() - start) / G_TIME_SPAN_MILLISECOND;
}

static void
answer_clear(Answer *answer)
{
    g_string_free(answer->known, TRUE);
    os_mounts_free(answer->mounts);
}

static void
assert_known(OsUsages *usages, const char *directories, const char *known, gint64 at_most)
{
    Answer answer = { 0 };

    ask(usages, directories, &answer);
    ck_assert_str_eq(answer.known->str, known);
    ck_assert_int_le(answer.milliseconds, at_most);
    answer_clear(&answer);
}

START_TEST(sizes_come_in_the_order_of_the_mounts)
{
    OsUsages *usages = os_usages_new();

    assert_known(usages, "/a /gone /b", "101", OS_USAGES_LIMIT_MS - 1);
    assert_known(usages, "", "", OS_USAGES_LIMIT_MS - 1);
    os_usages_free(usages);
}
END_TEST

START_TEST(without_mounts_there_is_no_answer)
{
    OsUsages *usages = os_usages_new();
    Answer answer = { 0 };

    ask(usages, NULL, &answer);
    ck_assert(answer.is_refused);
    answer_clear(&answer);
    os_usages_free(usages);
}
END_TEST

START_TEST(a_long_preparation_is_waited_for)
{
    OsUsages *usages = os_usages_new();
    Answer answer = { .prepares_for = (OS_USAGES_LIMIT_MS + 100) * 1000 };

    ask(usages, "/a /b", &answer);
    ck_assert_uint_eq(answer.n_prepared, 1);
    ck_assert_str_eq(answer.known->str, "11");
    answer_clear(&answer);
    os_usages_free(usages);
}
END_TEST

/* So many that the main loop looks while the survey is made of them. */
START_TEST(very_many_mounts_are_prepared_once)
{
    OsUsages *usages = os_usages_new();
    g_autoptr(GString) many = g_string_new("/0");
    Answer answer = { 0 };

    for (guint i = 1; i < 150000; i++)
        g_string_append_printf(many, " /%u", i);
    ask(usages, many->str, &answer);
    ck_assert_uint_eq(answer.n_prepared, 1);
    ck_assert_uint_eq(answer.known->len, 150000);
    answer_clear(&answer);
    os_usages_free(usages);
}
END_TEST

static void
allow_threads(rlim_t number)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NPROC, &limit);
    limit.rlim_cur = MIN(number, limit.rlim_max);
    setrlimit(RLIMIT_NPROC, &limit);
}

static gboolean
allow_all_threads(G_GNUC_UNUSED gpointer data)
{
    allow_threads(RLIM_INFINITY);
    return G_SOURCE_REMOVE;
}

/* In a child without privileges, whose limits are its own. */
static void
ask_without_threads(void)
{
    OsUsages *usages = os_usages_new();
    Answer answer = { 0 };

    if (geteuid() == 0 && setuid(NOBODY) != 0)
        _exit(EXIT_FAILURE);
    allow_threads(0);
    g_timeout_add(100, allow_all_threads, NULL);
    ask(usages, "/a /b", &answer);
    _exit(strcmp(answer.known->str, "11") == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

START_TEST(an_answer_comes_as_soon_as_there_are_threads)
{
    pid_t child = fork();
    gint status;

    if (child == 0)
        ask_without_threads();
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_SUCCESS);
}
END_TEST

START_TEST(what_hangs_costs_its_own_sizes_only)
{
    OsUsages *usages = os_usages_new();

    assert_known(usages, "/hung1 /a /hung2 /b /hung3", "01010", OS_USAGES_LIMIT_MS + 300);
    open_gate();
    os_usages_free(usages);
}
END_TEST

START_TEST(what_hangs_is_not_asked_again_until_it_has_answered)
{
    OsUsages *usages = os_usages_new();

    assert_known(usages, "/hung1 /a", "01", OS_USAGES_LIMIT_MS + 300);
    for (guint i = 0; i < 10; i++)
        assert_known(usages, "/hung1 /a", "01", OS_USAGES_LIMIT_MS - 1);
    ck_assert_uint_eq(gate.n_asked, 12); /* one of them is /hung1 */
    ck_assert_uint_eq(gate.n_waiting, 1);

    open_gate();
    for (guint i = 0; i < 100; i++) { /* its thread takes the note away in a moment */
        Answer answer = { 0 };
        ask(usages, "/hung1 /a", &answer);
        gboolean is_known = strcmp(answer.known->str, "11") == 0;
        answer_clear(&answer);
        if (is_known)
            break;
        g_usleep(10 * 1000);
    }
    assert_known(usages, "/hung1 /a", "11", OS_USAGES_LIMIT_MS - 1);
    os_usages_free(usages);
}
END_TEST

/* More than there may be threads for: never all at once, and never more than those. */
START_TEST(hanging_file_systems_do_not_eat_threads_without_end)
{
    OsUsages *usages = os_usages_new();
    g_autoptr(GString) many = g_string_new("/a");
    guint n_waiting = 0;

    for (guint i = 0; i < 100; i++)
        g_string_append_printf(many, " /hung%u", i);
    for (guint i = 0; i < 6; i++) {
        Answer answer = { 0 };
        ask(usages, many->str, &answer);
        ck_assert_int_le(answer.milliseconds, OS_USAGES_LIMIT_MS + 300);
        answer_clear(&answer);
        ck_assert_uint_ge(gate.n_waiting, n_waiting);
        n_waiting = gate.n_waiting;
    }
    ck_assert_uint_ge(n_waiting, 64);
    ck_assert_uint_lt(n_waiting, 64 + 30); /* a call sends so many more before its end */
    open_gate();
    os_usages_free(usages);
}
END_TEST

START_TEST(the_end_does_not_wait_for_what_hangs)
{
    OsUsages *usages = os_usages_new();

    assert_known(usages, "/hung1 /a", "01", OS_USAGES_LIMIT_MS + 300);
    os_usages_free(usages);
    open_gate();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("usage");
    TCase *tcase = tcase_create("usage");

    tcase_add_checked_fixture(tcase, close_gate, NULL);
    tcase_add_test(tcase, sizes_come_in_the_order_of_the_mounts);
    tcase_add_test(tcase, without_mounts_there_is_no_answer);
    tcase_add_test(tcase, a_long_preparation_is_waited_for);
    tcase_add_test(tcase, very_many_mounts_are_prepared_once);
    tcase_add_test(tcase, an_answer_comes_as_soon_as_there_are_threads);
    tcase_add_test(tcase, what_hangs_costs_its_own_sizes_only);
    tcase_add_test(tcase, what_hangs_is_not_asked_again_until_it_has_answered);
    tcase_add_test(tcase, hanging_file_systems_do_not_eat_threads_without_end);
    tcase_add_test(tcase, the_end_does_not_wait_for_what_hangs);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
