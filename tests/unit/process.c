/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real child processes. The shell commands are POSIX, the looks into /proc are Linux. */
#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"

#define PATIENCE_SECONDS 20
#define LARGE (1024 * 1024)

/* What came from a process. */
typedef struct {
    GString *streams[2];
    gsize largest_event;
    guint n_events;
    gboolean has_ended;
    OsProcessStatus status;
} Result;

static char *work_folder;

static void
output(gpointer owner, OsProcessStream stream, const void *data, gsize size)
{
    Result *result = owner;

    ck_assert(!result->has_ended);
    ck_assert_uint_gt(size, 0);
    g_string_append_len(result->streams[stream], data, (gssize)size);
    result->largest_event = MAX(result->largest_event, size);
    result->n_events++;
}

static void
ended(gpointer owner, OsProcessStatus status)
{
    Result *result = owner;

    ck_assert(!result->has_ended);
    result->has_ended = TRUE;
    result->status = status;
}

static const OsProcessEvents result_events = { output, ended };

static Result *
result_new(void)
{
    Result *result = g_new0(Result, 1);

    for (guint i = 0; i < 2; i++)
        result->streams[i] = g_string_new(NULL);
    return result;
}

static void
result_free(Result *result)
{
    for (guint i = 0; i < 2; i++)
        g_string_free(result->streams[i], TRUE);
    g_free(result);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Result, result_free)

static gboolean
lose_patience(G_GNUC_UNUSED gpointer user_data)
{
    ck_abort_msg("nothing happened in %d seconds", PATIENCE_SECONDS);
    return G_SOURCE_REMOVE;
}

static void
wait_for(const gboolean *condition)
{
    guint timeout = g_timeout_add_seconds(PATIENCE_SECONDS, lose_patience, NULL);

    while (!*condition)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(timeout);
}

static void
wait_for_output(const Result *result, OsProcessStream stream, const char *text)
{
    guint timeout = g_timeout_add_seconds(PATIENCE_SECONDS, lose_patience, NULL);

    while (strcmp(result->streams[stream]->str, text) != 0)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(timeout);
}

static void
wait_until_reaped(gint64 pid)
{
    guint timeout = g_timeout_add_seconds(PATIENCE_SECONDS, lose_patience, NULL);

    while (kill((pid_t)pid, 0) == 0)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_int_eq(errno, ESRCH);
    g_source_remove(timeout);
}

static OsProcess *
start(const OsProcessSpec *spec, Result *result)
{
    g_autoptr(GError) error = NULL;
    OsProcess *process = os_process_start(spec, &result_events, result, &error);

    ck_assert_msg(process, "%s", error ? error->message : "no error");
    return process;
}

static Result *
run(const OsProcessSpec *spec)
{
    Result *result = result_new();
    OsProcess *process = start(spec, result);

    wait_for(&result->has_ended);
    os_process_free(process);
    return result;
}

/* Run a shell command, its standard output captured. */
static Result *
run_shell(const char *command)
{
    g_autofree char *text = g_strdup(command);
    char shell[] = "/bin/sh", option[] = "-c";
    char *argv[] = { shell, option, text, NULL };

    return run(&(OsProcessSpec){ .argv = argv, .capture_out = TRUE });
}

static void
assert_failure(const OsProcessSpec *spec, const char *message)
{
    g_autoptr(Result) result = result_new();
    g_autoptr(GError) error = NULL;

    ck_assert(!os_process_start(spec, &result_events, result, &error));
    ck_assert_str_eq(error->message, message);
}

/* A file in the folder of this test run; returns its path. */
static char *
write_file(const char *name, const char *text, gint mode)
{
    char *path = g_build_filename(work_folder, name, NULL);

    ck_assert(g_file_set_contents(path, text, -1, NULL));
    ck_assert_int_eq(g_chmod(path, mode), 0);
    return path;
}

START_TEST(every_capture_gets_its_streams_each_time)
{
    static const struct {
        gboolean out, err, merge;
        const char *expect[2];
    } cases[] = {
        { FALSE, FALSE, FALSE, { "", "" } },
        { TRUE, FALSE, FALSE, { "one\nthree\n", "" } },
        { FALSE, TRUE, FALSE, { "", "two\n" } },
        { TRUE, TRUE, FALSE, { "one\nthree\n", "two\n" } },
        { TRUE, FALSE, TRUE, { "one\ntwo\nthree\n", "" } },
    };
    char shell[] = "/bin/sh", option[] = "-c", command[] = "echo one; echo two >&2; echo three";
    char *argv[] = { shell, option, command, NULL };

    for (guint i = 0; i < 3 * G_N_ELEMENTS(cases); i++) {
        const guint n = i % G_N_ELEMENTS(cases);
        g_autoptr(Result) result = run(&(OsProcessSpec){ .argv = argv,
                                                         .capture_out = cases[n].out,
                                                         .capture_err = cases[n].err,
                                                         .merge_err = cases[n].merge });

        ck_assert_str_eq(result->streams[OS_PROCESS_OUT]->str, cases[n].expect[0]);
        ck_assert_str_eq(result->streams[OS_PROCESS_ERR]->str, cases[n].expect[1]);
    }
}
END_TEST

START_TEST(the_end_is_told_as_exit_code_or_signal)
{
    static const struct {
        const char *command;
        OsProcessStatus status;
    } cases[] = {
        { "exit 0", { FALSE, 0 } },      { "exit 1", { FALSE, 1 } },
        { "exit 127", { FALSE, 127 } },  { "exit 255", { FALSE, 255 } },
        { "kill -2 $$", { TRUE, 2 } },   { "kill -9 $$", { TRUE, 9 } },
        { "kill -15 $$", { TRUE, 15 } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Result) result = run_shell(cases[i].command);

        ck_assert_int_eq(result->status.is_signalled, cases[i].status.is_signalled);
        ck_assert_int_eq(result->status.code, cases[i].status.code);
    }
}
END_TEST

START_TEST(input_larger_than_a_pipe_arrives_whole)
{
    char cat[] = "cat";
    char *argv[] = { cat, NULL };
    g_autofree char *input = g_malloc(LARGE);

    for (guint i = 0; i < LARGE; i++)
        input[i] = (char)(i * 2654435761u >> 24);
    g_autoptr(Result) result = run(
        &(OsProcessSpec){ .argv = argv, .input = input, .input_size = LARGE, .capture_out = TRUE });

    ck_assert_uint_eq(result->streams[OS_PROCESS_OUT]->len, LARGE);
    ck_assert_mem_eq(result->streams[OS_PROCESS_OUT]->str, input, LARGE);
}
END_TEST

START_TEST(input_that_waits_is_counted_until_it_is_read)
{
    char shell[] = "/bin/sh", option[] = "-c", command[] = "read line; cat >/dev/null";
    char *argv[] = { shell, option, command, NULL };
    g_autofree char *input = g_malloc0(LARGE);
    g_autoptr(Result) result = result_new();
    g_autoptr(OsProcess) process = start(
        &(OsProcessSpec){ .argv = argv, .input = input, .input_size = LARGE }, result);

    ck_assert_uint_gt(os_process_pending_input(process), 0);
    ck_assert_uint_lt(os_process_pending_input(process), LARGE);
    wait_for(&result->has_ended);
    ck_assert_uint_eq(os_process_pending_input(process), 0);
}
END_TEST

START_TEST(a_child_that_does_not_read_its_input_just_ends)
{
    char program[] = "true";
    char *argv[] = { program, NULL };
    g_autofree char *input = g_malloc0(LARGE);
    g_autoptr(Result)
        result = run(&(OsProcessSpec){ .argv = argv, .input = input, .input_size = LARGE });

    ck_assert_int_eq(result->status.code, 0);
}
END_TEST

START_TEST(a_stream_is_a_pipe_or_the_null_device)
{
    static const char *const links[] = { "readlink /proc/self/fd/0", "readlink /proc/self/fd/2" };

    for (guint i = 0; i < G_N_ELEMENTS(links); i++) {
        g_autoptr(Result) result = run_shell(links[i]);

        ck_assert_str_eq(result->streams[OS_PROCESS_OUT]->str, "/dev/null\n");
    }

    char program[] = "readlink", link[] = "/proc/self/fd/0";
    char *argv[] = { program, link, NULL };
    g_autoptr(Result)
        result = run(&(OsProcessSpec){ .argv = argv, .input = "", .capture_out = TRUE });
    ck_assert(g_str_has_prefix(result->streams[OS_PROCESS_OUT]->str, "pipe:"));
}
END_TEST

START_TEST(a_missing_program_is_told_at_once)
{
    char missing[] = "/no/such/program", name[] = "no-such-program", empty[] = "";
    char *const programs[] = { missing, name, empty };

    for (guint i = 0; i < G_N_ELEMENTS(programs); i++) {
        char *argv[] = { programs[i], NULL };
        g_autofree char *message = g_strdup_printf(
            "Failed to execute child process “%s” (No such file or directory)", programs[i]);

        assert_failure(&(OsProcessSpec){ .argv = argv, .capture_out = TRUE, .input = "" }, message);
    }
}
END_TEST

START_TEST(a_file_that_is_no_program_is_denied)
{
    g_autofree char *file = write_file("plain", "exit 0\n", 0644);
    char *const programs[] = { file, work_folder };

    for (guint i = 0; i < G_N_ELEMENTS(programs); i++) {
        char *argv[] = { programs[i], NULL };
        g_autofree char *message = g_strdup_printf(
            "Failed to execute child process “%s” (Permission denied)", programs[i]);

        assert_failure(&(OsProcessSpec){ .argv = argv }, message);
    }
}
END_TEST

START_TEST(a_missing_interpreter_is_a_missing_file)
{
    g_autofree char *file = write_file("orphan", "#!/no/such/shell\n", 0755);
    char *argv[] = { file, NULL };
    g_autofree char *message = g_strdup_printf(
        "Failed to execute child process “%s” (No such file or directory)", file);

    assert_failure(&(OsProcessSpec){ .argv = argv }, message);
}
END_TEST

START_TEST(the_path_is_that_of_the_given_environment)
{
    g_free(write_file("only-here", "#!/bin/sh\necho \"$A\"\n", 0755));
    g_autofree char *path = g_strconcat("PATH=/no/such/folder:", work_folder, NULL);
    char name[] = "only-here", variable[] = "A=1";
    char *argv[] = { name, NULL }, *environment[] = { variable, path, NULL };
    g_autoptr(Result) result = run(
        &(OsProcessSpec){ .argv = argv, .environment = environment, .capture_out = TRUE });

    ck_assert_str_eq(result->streams[OS_PROCESS_OUT]->str, "1\n");
    assert_failure(&(OsProcessSpec){ .argv = argv },
                   "Failed to execute child process “only-here” (No such file or directory)");
}
END_TEST

START_TEST(an_empty_path_is_the_working_directory)
{
    g_free(write_file("right-here", "#!/bin/sh\nexit 7\n", 0755));
    g_autofree char *before = g_get_current_dir();
    char name[] = "right-here", path[] = "PATH=";
    char *argv[] = { name, NULL }, *environment[] = { path, NULL };

    ck_assert_int_eq(g_chdir(work_folder), 0);
    g_autoptr(Result) result = run(&(OsProcessSpec){ .argv = argv, .environment = environment });
    ck_assert_int_eq(g_chdir(before), 0);
    ck_assert_int_eq(result->status.code, 7);
}
END_TEST

START_TEST(a_denied_file_does_not_end_the_search_but_is_remembered)
{
    g_free(write_file("sh", "", 0644));
    g_autofree char *found_path = g_strconcat("PATH=", work_folder, ":/bin", NULL);
    g_autofree char *denied_path = g_strconcat("PATH=", work_folder, ":/no/such/folder", NULL);
    char name[] = "sh", option[] = "-c", command[] = "exit 5";
    char *argv[] = { name, option, command, NULL };
    char *found[] = { found_path, NULL }, *lost[] = { denied_path, NULL };
    g_autoptr(Result) result = run(&(OsProcessSpec){ .argv = argv, .environment = found });

    ck_assert_int_eq(result->status.code, 5);
    assert_failure(&(OsProcessSpec){ .argv = argv, .environment = lost },
                   "Failed to execute child process “sh” (Permission denied)");
}
END_TEST

START_TEST(an_environment_is_taken_verbatim)
{
    char program[] = "/usr/bin/env", a[] = "A=1", odd[] = "no equals sign", again[] = "A=2";
    char *argv[] = { program, NULL }, *environment[] = { a, odd, again, NULL }, *empty[] = { NULL };
    g_autoptr(Result) result = run(
        &(OsProcessSpec){ .argv = argv, .environment = environment, .capture_out = TRUE });
    g_autoptr(Result)
        nothing = run(&(OsProcessSpec){ .argv = argv, .environment = empty, .capture_out = TRUE });

    ck_assert_str_eq(result->streams[OS_PROCESS_OUT]->str, "A=1\nno equals sign\nA=2\n");
    ck_assert_str_eq(nothing->streams[OS_PROCESS_OUT]->str, "");
}
END_TEST

START_TEST(a_script_without_interpreter_is_the_shells)
{
    g_autofree char *file = write_file("script", "echo \"$0 $1 $2\"\n", 0755);
    g_autofree char *expect = g_strconcat(file, " a b c\n", NULL);
    char a[] = "a", bc[] = "b c";
    char *argv[] = { file, a, bc, NULL };
    g_autoptr(Result) result = run(&(OsProcessSpec){ .argv = argv, .capture_out = TRUE });

    ck_assert_str_eq(result->streams[OS_PROCESS_OUT]->str, expect);
}
END_TEST

START_TEST(no_other_descriptor_reaches_the_child)
{
    gint fd = open("/dev/null", O_RDONLY);
    g_autofree char *command = g_strdup_printf("test -e /proc/self/fd/%d", fd);
    g_autoptr(Result) result = run_shell(command);

    ck_assert_int_eq(result->status.code, 1);
    close(fd);
}
END_TEST

START_TEST(an_agent_without_standard_descriptors_gives_them_to_its_children)
{
    char shell[] = "/bin/sh", option[] = "-c", command[] = "cat; echo err >&2";
    char *argv[] = { shell, option, command, NULL };
    OsProcessSpec spec = {
        .argv = argv, .input = "in", .input_size = 2, .capture_out = TRUE, .capture_err = TRUE
    };
    gint saved[3];

    for (gint fd = 0; fd < 3; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
        close(fd);
    }
    g_autoptr(Result) result = result_new();
    g_autoptr(OsProcess) process = os_process_start(&spec, &result_events, result, NULL);
    for (gint fd = 0; fd < 3; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }

    ck_assert_ptr_nonnull(process);
    wait_for(&result->has_ended);
    ck_assert_str_eq(result->streams[OS_PROCESS_OUT]->str, "in");
    ck_assert_str_eq(result->streams[OS_PROCESS_ERR]->str, "err\n");
}
END_TEST

START_TEST(no_signal_is_blocked_or_ignored_because_the_agent_does_so)
{
    sigset_t block, before;

    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &block, &before);
    g_autoptr(Result) blocked = run_shell("grep SigBlk /proc/self/status");
    g_autoptr(Result) pipe = run_shell("kill -PIPE $$");
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    ck_assert_str_eq(blocked->streams[OS_PROCESS_OUT]->str, "SigBlk:\t0000000000000000\n");
    ck_assert(pipe->status.is_signalled);
    ck_assert_int_eq(pipe->status.code, SIGPIPE);
}
END_TEST

START_TEST(output_that_a_grandchild_holds_open_delays_the_end)
{
    g_autofree char *fifo = g_build_filename(work_folder, "fifo", NULL);
    g_autofree char *command = g_strdup_printf("(read line <'%s'; echo late) & echo soon", fifo);
    char shell[] = "/bin/sh", option[] = "-c";
    char *argv[] = { shell, option, command, NULL };
    g_autoptr(Result) result = result_new();

    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    g_autoptr(OsProcess)
        process = start(&(OsProcessSpec){ .argv = argv, .capture_out = TRUE }, result);
    wait_for_output(result, OS_PROCESS_OUT, "soon\n");
    wait_until_reaped(os_process_pid(process));
    ck_assert(!result->has_ended);

    gint fd = open(fifo, O_WRONLY);
    ck_assert_int_eq(write(fd, "\n", 1), 1);
    close(fd);
    wait_for(&result->has_ended);
    ck_assert_str_eq(result->streams[OS_PROCESS_OUT]->str, "soon\nlate\n");
}
END_TEST

START_TEST(a_process_that_is_forgotten_goes_on_and_is_reaped_later)
{
    char program[] = "cat";
    char *argv[] = { program, NULL };
    g_autofree char *input = g_malloc0(LARGE);
    g_autoptr(Result) result = result_new();
    OsProcess *process = start(
        &(OsProcessSpec){ .argv = argv, .input = input, .input_size = LARGE }, result);
    gint64 pid = os_process_pid(process);

    kill((pid_t)pid, SIGSTOP);
    os_process_free(process);
    ck_assert_int_eq(kill((pid_t)pid, SIGCONT), 0);
    wait_until_reaped(pid);
    ck_assert(!result->has_ended);
}
END_TEST

static gboolean
count_turn(gpointer user_data)
{
    ++*(guint *)user_data;
    return G_SOURCE_CONTINUE;
}

START_TEST(a_child_that_floods_leaves_every_turn_to_others)
{
    char shell[] = "/bin/sh", option[] = "-c", command[] = "yes | head -c 8000000";
    char *argv[] = { shell, option, command, NULL };
    guint n_turns = 0;
    guint counter = g_idle_add_full(G_PRIORITY_DEFAULT, count_turn, &n_turns, NULL);
    g_autoptr(Result) result = run(&(OsProcessSpec){ .argv = argv, .capture_out = TRUE });

    g_source_remove(counter);
    ck_assert_uint_eq(result->streams[OS_PROCESS_OUT]->len, 8000000);
    ck_assert_uint_le(result->largest_event, 64 * 1024);
    ck_assert_uint_ge(n_turns, result->n_events);
}
END_TEST

START_TEST(without_descriptors_nothing_is_started_and_nothing_leaks)
{
    struct rlimit before, none;
    char program[] = "true";
    char *argv[] = { program, NULL };

    getrlimit(RLIMIT_NOFILE, &before);
    gint next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    none = (struct rlimit){ .rlim_cur = (rlim_t)next + 2, .rlim_max = before.rlim_max };
    setrlimit(RLIMIT_NOFILE, &none);
    g_autoptr(Result) result = result_new();
    g_autoptr(GError) error = NULL;
    OsProcess *process = os_process_start(
        &(OsProcessSpec){ .argv = argv, .capture_out = TRUE, .capture_err = TRUE }, &result_events,
        result, &error);
    setrlimit(RLIMIT_NOFILE, &before);

    ck_assert(!process);
    ck_assert_str_eq(error->message, "Failed to create pipe for communicating with child process "
                                     "(Too many open files)");
}
END_TEST

static int
run_in(const char *folder)
{
    Suite *suite = suite_create("process");
    TCase *tcase = tcase_create("process");

    work_folder = g_strdup(folder);
    tcase_set_timeout(tcase, 3 * PATIENCE_SECONDS);
    tcase_add_test(tcase, every_capture_gets_its_streams_each_time);
    tcase_add_test(tcase, the_end_is_told_as_exit_code_or_signal);
    tcase_add_test(tcase, input_larger_than_a_pipe_arrives_whole);
    tcase_add_test(tcase, input_that_waits_is_counted_until_it_is_read);
    tcase_add_test(tcase, a_child_that_does_not_read_its_input_just_ends);
    tcase_add_test(tcase, a_stream_is_a_pipe_or_the_null_device);
    tcase_add_test(tcase, a_missing_program_is_told_at_once);
    tcase_add_test(tcase, a_file_that_is_no_program_is_denied);
    tcase_add_test(tcase, a_missing_interpreter_is_a_missing_file);
    tcase_add_test(tcase, the_path_is_that_of_the_given_environment);
    tcase_add_test(tcase, an_empty_path_is_the_working_directory);
    tcase_add_test(tcase, a_denied_file_does_not_end_the_search_but_is_remembered);
    tcase_add_test(tcase, an_environment_is_taken_verbatim);
    tcase_add_test(tcase, a_script_without_interpreter_is_the_shells);
    tcase_add_test(tcase, no_other_descriptor_reaches_the_child);
    tcase_add_test(tcase, an_agent_without_standard_descriptors_gives_them_to_its_children);
    tcase_add_test(tcase, no_signal_is_blocked_or_ignored_because_the_agent_does_so);
    tcase_add_test(tcase, output_that_a_grandchild_holds_open_delays_the_end);
    tcase_add_test(tcase, a_process_that_is_forgotten_goes_on_and_is_reaped_later);
    tcase_add_test(tcase, a_child_that_floods_leaves_every_turn_to_others);
    tcase_add_test(tcase, without_descriptors_nothing_is_started_and_nothing_leaks);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

static void
remove_folder(const char *folder)
{
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

int
main(void)
{
    g_autofree char *folder = g_dir_make_tmp("process-XXXXXX", NULL);

    signal(SIGPIPE, SIG_IGN);
    /* GLib keeps a wake-up descriptor from its first use on, which is no leak. */
    g_main_context_iteration(NULL, FALSE);
    int status = run_in(folder);
    g_free(work_folder);
    remove_folder(folder);
    return status;
}
