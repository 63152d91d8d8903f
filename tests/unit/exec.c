/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of guest-exec, over processes that do what the test says. */
#include "commands/exec.h"

#include <string.h>

#include "runner.h"
#include "runtime/qapi-error.h"

struct OsProcess {
    const OsProcessEvents *events;
    gpointer owner;
    gint64 pid;
    gsize pending_input;
};

static const GaExecLimits small = {
    .stream_bytes = 10, .output_bytes = 25, .input_bytes = 100, .n_running = 4, .n_ended = 3
};

/* All that were started and not freed, the newest first: a pid may be used again. */
static GList *processes;
static gint64 next_pid;

OsProcess *
os_process_start(const OsProcessSpec *spec, const OsProcessEvents *events, gpointer owner,
                 GError **error)
{
    if (strcmp(spec->argv[0], "missing") == 0) {
        qapi_set_error(error, "missing is missing");
        return NULL;
    }

    OsProcess *process = g_new0(OsProcess, 1);
    process->events = events;
    process->owner = owner;
    process->pid = next_pid++;
    process->pending_input = spec->input_size;
    processes = g_list_prepend(processes, process);
    return process;
}

gint64
os_process_pid(const OsProcess *process)
{
    return process->pid;
}

gsize
os_process_pending_input(const OsProcess *process)
{
    return process->pending_input;
}

/* For the commands that run helper programs; none of them is asked for here. */
void
os_process_kill(G_GNUC_UNUSED OsProcess *process)
{
    ck_abort();
}

gboolean
os_process_has_left_input(G_GNUC_UNUSED const OsProcess *process)
{
    ck_abort();
}

GQuark
os_process_error_quark(void)
{
    return g_quark_from_static_string("process");
}

void
os_process_free(OsProcess *process)
{
    processes = g_list_remove(processes, process);
    g_free(process);
}

static void
setup(void)
{
    next_pid = 1000;
}

static void
teardown(void)
{
    ck_assert_ptr_null(processes);
}

static gboolean
start_named(GaExecs *execs, const char *name, gsize input_size, gint64 *ret_pid, GError **error)
{
    g_autofree char *program = g_strdup(name);
    char *argv[] = { program, NULL };
    OsProcessSpec spec = { .argv = argv, .input = "", .input_size = input_size };

    return ga_execs_start(execs, &spec, ret_pid, error);
}

static gint64
start(GaExecs *execs)
{
    gint64 pid = -1;

    ck_assert(start_named(execs, "program", 0, &pid, NULL));
    return pid;
}

static OsProcess *
process_of(gint64 pid)
{
    GList *link = processes;

    while (link && ((OsProcess *)link->data)->pid != pid)
        link = link->next;
    ck_assert_ptr_nonnull(link);
    return link->data;
}

static void
print(gint64 pid, OsProcessStream stream, const char *text)
{
    OsProcess *process = process_of(pid);

    process->events->output(process->owner, stream, text, strlen(text));
}

static void
end(gint64 pid, gint64 code)
{
    OsProcess *process = process_of(pid);

    process->events->ended(process->owner, (OsProcessStatus){ FALSE, code });
}

static GuestExecStatus *
status_of(GaExecs *execs, gint64 pid)
{
    GuestExecStatus *status = ga_execs_status(execs, pid, NULL);

    ck_assert_ptr_nonnull(status);
    return status;
}

static gboolean
is_known(GaExecs *execs, gint64 pid)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GuestExecStatus) status = ga_execs_status(execs, pid, &error);

    if (!status)
        ck_assert_str_eq(error->message, "PID ld does not exist");
    return status != NULL;
}

static void
assert_bytes(GBytes *bytes, const char *expect)
{
    gsize size;
    const char *data;

    ck_assert_ptr_nonnull(bytes);
    data = g_bytes_get_data(bytes, &size);
    ck_assert_uint_eq(size, strlen(expect));
    ck_assert(size == 0 || memcmp(data, expect, size) == 0);
}

START_TEST(a_running_process_has_nothing_but_exited_false)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    gint64 pid = start(execs);

    print(pid, OS_PROCESS_OUT, "abc");
    g_autoptr(GuestExecStatus) status = status_of(execs, pid);
    ck_assert(!status->exited && !status->has_exitcode && !status->has_signal);
    ck_assert(!status->out_data && !status->has_out_truncated);
}
END_TEST

START_TEST(the_end_is_told_once_with_all_output)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    gint64 pid = start(execs);

    print(pid, OS_PROCESS_OUT, "abc");
    print(pid, OS_PROCESS_ERR, "x");
    print(pid, OS_PROCESS_OUT, "def");
    end(pid, 3);
    g_autoptr(GuestExecStatus) status = status_of(execs, pid);
    ck_assert(status->exited && status->has_exitcode && !status->has_signal);
    ck_assert_int_eq(status->exitcode, 3);
    assert_bytes(status->out_data, "abcdef");
    assert_bytes(status->err_data, "x");
    ck_assert(status->has_out_truncated && !status->out_truncated);
    ck_assert(status->has_err_truncated && !status->err_truncated);
    ck_assert(!is_known(execs, pid));
}
END_TEST

START_TEST(a_signal_is_no_exit_code)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    gint64 pid = start(execs);
    OsProcess *process = process_of(pid);

    process->events->ended(process->owner, (OsProcessStatus){ TRUE, 9 });
    g_autoptr(GuestExecStatus) status = status_of(execs, pid);
    ck_assert(status->exited && status->has_signal && !status->has_exitcode);
    ck_assert_int_eq(status->signal, 9);
}
END_TEST

START_TEST(silent_streams_have_no_members)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    gint64 pid = start(execs);

    end(pid, 0);
    g_autoptr(GuestExecStatus) status = status_of(execs, pid);
    ck_assert(!status->out_data && !status->has_out_truncated);
    ck_assert(!status->err_data && !status->has_err_truncated);
}
END_TEST

START_TEST(a_stream_is_truncated_behind_its_limit)
{
    static const struct {
        const char *first, *second, *kept;
        gboolean is_truncated;
    } cases[] = {
        { "0123456789", NULL, "0123456789", FALSE }, { "01234", "56789", "0123456789", FALSE },
        { "0123456789A", NULL, "0123456789", TRUE }, { "0123456789", "A", "0123456789", TRUE },
        { "01234567", "89ABC", "0123456789", TRUE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GaExecs) execs = ga_execs_new(&small);
        gint64 pid = start(execs);

        print(pid, OS_PROCESS_OUT, cases[i].first);
        if (cases[i].second)
            print(pid, OS_PROCESS_OUT, cases[i].second);
        end(pid, 0);
        g_autoptr(GuestExecStatus) status = status_of(execs, pid);
        assert_bytes(status->out_data, cases[i].kept);
        ck_assert_int_eq(status->out_truncated, cases[i].is_truncated);
    }
}
END_TEST

START_TEST(exactly_sixteen_mebibytes_are_kept)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&ga_exec_limits);
    g_autofree char *piece = g_strnfill(1 << 20, 'x');
    gint64 full = start(execs), over = start(execs);

    for (guint i = 0; i < 16; i++) {
        print(full, OS_PROCESS_OUT, piece);
        print(over, OS_PROCESS_OUT, piece);
    }
    print(over, OS_PROCESS_OUT, "y");
    end(full, 0);
    end(over, 0);
    g_autoptr(GuestExecStatus) full_status = status_of(execs, full);
    g_autoptr(GuestExecStatus) over_status = status_of(execs, over);
    ck_assert_uint_eq(g_bytes_get_size(full_status->out_data), 16777216);
    ck_assert_uint_eq(g_bytes_get_size(over_status->out_data), 16777216);
    ck_assert(!full_status->out_truncated);
    ck_assert(over_status->out_truncated);
}
END_TEST

START_TEST(output_beyond_the_total_displaces_what_ended_first)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    gint64 running = start(execs), oldest = start(execs), newer = start(execs);

    print(running, OS_PROCESS_OUT, "01234");
    print(oldest, OS_PROCESS_OUT, "0123456789");
    print(newer, OS_PROCESS_OUT, "0123456789");
    end(oldest, 0);
    end(newer, 0);
    print(running, OS_PROCESS_ERR, "X");

    ck_assert(!is_known(execs, oldest));
    end(running, 0);
    g_autoptr(GuestExecStatus) newer_status = status_of(execs, newer);
    g_autoptr(GuestExecStatus) status = status_of(execs, running);
    assert_bytes(newer_status->out_data, "0123456789");
    assert_bytes(status->err_data, "X");
    ck_assert(!status->err_truncated);
}
END_TEST

START_TEST(output_beyond_the_total_of_running_processes_is_truncated_for_good)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    gint64 first = start(execs), second = start(execs), third = start(execs);

    print(first, OS_PROCESS_OUT, "0123456789");
    print(second, OS_PROCESS_OUT, "0123456789");
    print(third, OS_PROCESS_OUT, "01234567");
    print(third, OS_PROCESS_ERR, "lost");
    end(first, 0);
    guest_exec_status_free(status_of(execs, first));
    print(third, OS_PROCESS_OUT, "not behind a gap");
    end(third, 0);

    g_autoptr(GuestExecStatus) status = status_of(execs, third);
    assert_bytes(status->out_data, "01234");
    ck_assert(status->out_truncated);
    assert_bytes(status->err_data, "");
    ck_assert(status->has_err_truncated && status->err_truncated);
}
END_TEST

START_TEST(output_that_was_told_makes_room)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);

    for (guint i = 0; i < 10; i++) {
        gint64 pid = start(execs);

        print(pid, OS_PROCESS_OUT, "0123456789");
        print(pid, OS_PROCESS_ERR, "0123456789");
        end(pid, 0);
        g_autoptr(GuestExecStatus) status = status_of(execs, pid);
        ck_assert(!status->out_truncated && !status->err_truncated);
    }
}
END_TEST

START_TEST(of_ended_processes_nobody_asks_about_the_newest_are_kept)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    gint64 running = start(execs);

    for (guint i = 0; i < 5; i++)
        end(start(execs), 0);
    ck_assert(is_known(execs, running));
    ck_assert(!is_known(execs, running + 1));
    ck_assert(!is_known(execs, running + 2));
    for (guint i = 3; i <= 5; i++)
        ck_assert(is_known(execs, running + i));
}
END_TEST

START_TEST(too_many_running_processes_are_refused)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    g_autoptr(GError) error = NULL;
    gint64 pid = 0, first = start(execs);

    for (guint i = 1; i < small.n_running; i++)
        start(execs);
    ck_assert(!start_named(execs, "one", 0, &pid, &error));
    ck_assert_str_eq(error->message,
                     "Failed to execute child process “one” (4 are running already)");
    end(first, 0);
    ck_assert(start_named(execs, "one", 0, &pid, NULL));
}
END_TEST

START_TEST(input_that_nobody_reads_has_a_limit)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    g_autoptr(GError) error = NULL;
    gint64 pid = 0, first = 0;

    ck_assert(start_named(execs, "one", 60, &first, NULL));
    ck_assert(start_named(execs, "two", 40, &pid, NULL));
    ck_assert(!start_named(execs, "three", 1, &pid, &error));
    ck_assert_str_eq(error->message, "Failed to execute child process “three” (too much input "
                                     "waits for others)");
    ck_assert(start_named(execs, "none", 0, &pid, NULL));
    process_of(first)->pending_input = 59;
    ck_assert(start_named(execs, "three", 1, &pid, NULL));
}
END_TEST

START_TEST(a_pid_that_is_used_again_means_the_first_process)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    gint64 pid = start(execs);

    end(pid, 1);
    next_pid = pid;
    ck_assert_int_eq(start(execs), pid);
    end(pid, 2);
    for (gint expect = 1; expect <= 2; expect++) {
        g_autoptr(GuestExecStatus) status = status_of(execs, pid);
        ck_assert_int_eq(status->exitcode, expect);
    }
}
END_TEST

START_TEST(what_does_not_start_is_not_kept)
{
    g_autoptr(GaExecs) execs = ga_execs_new(&small);
    g_autoptr(GError) error = NULL;
    gint64 pid = 0;

    for (guint i = 0; i <= small.n_running; i++) {
        g_clear_error(&error);
        ck_assert(!start_named(execs, "missing", 0, &pid, &error));
        ck_assert_str_eq(error->message, "missing is missing");
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("exec");
    TCase *tcase = tcase_create("exec");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_running_process_has_nothing_but_exited_false);
    tcase_add_test(tcase, the_end_is_told_once_with_all_output);
    tcase_add_test(tcase, a_signal_is_no_exit_code);
    tcase_add_test(tcase, silent_streams_have_no_members);
    tcase_add_test(tcase, a_stream_is_truncated_behind_its_limit);
    tcase_add_test(tcase, exactly_sixteen_mebibytes_are_kept);
    tcase_add_test(tcase, output_beyond_the_total_displaces_what_ended_first);
    tcase_add_test(tcase, output_beyond_the_total_of_running_processes_is_truncated_for_good);
    tcase_add_test(tcase, output_that_was_told_makes_room);
    tcase_add_test(tcase, of_ended_processes_nobody_asks_about_the_newest_are_kept);
    tcase_add_test(tcase, too_many_running_processes_are_refused);
    tcase_add_test(tcase, input_that_nobody_reads_has_a_limit);
    tcase_add_test(tcase, a_pid_that_is_used_again_means_the_first_process);
    tcase_add_test(tcase, what_does_not_start_is_not_kept);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
