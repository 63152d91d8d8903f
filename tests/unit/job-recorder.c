/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records that are written while the loop goes on, on a disk as slow as the test wants it. */
#include "extensions/job/recorder.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "platform/durable.h"
#include "runner.h"
#include "toy-agent.h"

static struct {
    GMutex lock;
    GCond changed;
    gboolean is_held;
    gint failure;     /* errno */
    GString *journal; /* what was written, what was told */
} disk;

static GaGate *gate;
static GaRecorder *recorder;
static char *folder;

static void
tell(const char *text)
{
    g_mutex_lock(&disk.lock);
    g_string_append(disk.journal, text);
    g_cond_broadcast(&disk.changed);
    g_mutex_unlock(&disk.lock);
}

gboolean
os_durable_write(const char *path, G_GNUC_UNUSED const char *text, G_GNUC_UNUSED gsize size)
{
    g_autofree char *name = g_path_get_basename(path);

    name[1] = 0;
    tell(name);
    g_mutex_lock(&disk.lock);
    while (disk.is_held)
        g_cond_wait(&disk.changed, &disk.lock);
    errno = disk.failure;
    g_mutex_unlock(&disk.lock);
    return errno == 0;
}

static void
hold(gboolean is_held)
{
    g_mutex_lock(&disk.lock);
    disk.is_held = is_held;
    g_cond_broadcast(&disk.changed);
    g_mutex_unlock(&disk.lock);
}

static gboolean
has_journal(const char *expected)
{
    g_mutex_lock(&disk.lock);
    gboolean is_so = strcmp(disk.journal->str, expected) == 0;
    g_mutex_unlock(&disk.lock);
    return is_so;
}

static void
wait_for_journal(const char *expected)
{
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (!has_journal(expected)) {
        ck_assert_msg(g_get_monotonic_time() < end, "%s, not %s", disk.journal->str, expected);
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(1000);
    }
}

static void
setup(void)
{
    disk.is_held = FALSE;
    disk.failure = 0;
    disk.journal = g_string_new(NULL);
    folder = g_dir_make_tmp("job-recorder-XXXXXX", NULL);
    gate = ga_gate_new(&toy_table, NULL, NULL, NULL);
    recorder = ga_recorder_new(gate, folder);
}

static void
teardown(void)
{
    ga_recorder_free(recorder);
    ga_gate_free(gate);
    ck_assert_int_eq(g_rmdir(folder), 0);
    g_free(folder);
    g_string_free(disk.journal, TRUE);
}

static void
on_recorded(GError *error, G_GNUC_UNUSED gpointer user_data)
{
    tell(error ? "!" : "+");
    ck_assert(!error || g_str_has_prefix(error->message, "no-space: the record "));
    g_clear_error(&error);
}

static void
write_record(char name)
{
    char id[] = { name, 0 };
    char command[] = "novacron-x";

    ga_recorder_write(recorder, &(NovacronJob){ .id = id, .command = command }, NULL, on_recorded,
                      NULL);
}

static void
turn_for(gint64 ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;

    while (g_get_monotonic_time() < end)
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(1000);
}

START_TEST(the_loop_goes_on_while_the_disk_does_not)
{
    hold(TRUE);
    write_record('a');
    wait_for_journal("a");
    turn_for(50);
    ck_assert(has_journal("a"));
    hold(FALSE);
    wait_for_journal("a+");
}
END_TEST

START_TEST(all_is_done_in_the_order_in_which_it_was_asked_for)
{
    g_autofree char *path = g_build_filename(folder, "b.json", NULL);

    ck_assert(g_file_set_contents(path, "", 0, NULL));
    hold(TRUE);
    write_record('a');
    ga_recorder_remove(recorder, "b");
    write_record('c');
    wait_for_journal("a");
    turn_for(50);
    ck_assert(has_journal("a"));
    ck_assert(g_file_test(path, G_FILE_TEST_EXISTS));
    hold(FALSE);
    wait_for_journal("a+c+");
    ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(what_fails_is_told_and_the_next_one_is_tried)
{
    disk.failure = ENOSPC;
    write_record('a');
    wait_for_journal("a!");
    disk.failure = 0;
    write_record('b');
    wait_for_journal("a!b+");
}
END_TEST

START_TEST(nothing_is_begun_while_file_systems_are_frozen)
{
    ga_gate_set_frozen(gate, TRUE);
    write_record('a');
    turn_for(300);
    ck_assert(has_journal(""));
    ga_gate_set_frozen(gate, FALSE);
    wait_for_journal("a+");
}
END_TEST

START_TEST(one_that_goes_does_what_is_left_and_tells_nobody)
{
    write_record('a');
    write_record('b');
    write_record('c');
    g_clear_pointer(&recorder, ga_recorder_free);
    ck_assert(has_journal("abc"));
    turn_for(20);
    ck_assert(has_journal("abc"));
}
END_TEST

START_TEST(but_it_does_not_wait_for_what_is_frozen)
{
    hold(TRUE);
    write_record('a');
    write_record('b');
    wait_for_journal("a");
    ga_gate_set_frozen(gate, TRUE);
    g_clear_pointer(&recorder, ga_recorder_free);
    hold(FALSE);
    turn_for(20);
    ck_assert(has_journal("a"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("job-recorder");
    TCase *tests = tcase_create("job-recorder");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_loop_goes_on_while_the_disk_does_not);
    tcase_add_test(tests, all_is_done_in_the_order_in_which_it_was_asked_for);
    tcase_add_test(tests, what_fails_is_told_and_the_next_one_is_tried);
    tcase_add_test(tests, nothing_is_begun_while_file_systems_are_frozen);
    tcase_add_test(tests, one_that_goes_does_what_is_left_and_tells_nobody);
    tcase_add_test(tests, but_it_does_not_wait_for_what_is_frozen);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
