/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control groups of plain files, with real processes in their lists. */
#include "extensions/exec/limits.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"
#include "tree.h"

/* Sleeps in a session of its own, as what has left its program's would. */
static pid_t
start_sleeper(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        setsid();
        for (;;)
            pause();
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

static gint
signal_that_ended(pid_t pid)
{
    gint status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

START_TEST(the_kernel_kills_all_at_once)
{
    pid_t pid = start_sleeper();
    g_autofree char *procs = g_strdup_printf("cgroup.procs=%d\n", (gint)pid);
    char *folder = tree_new((const char *const[]){ "cgroup.kill=", procs, "pids.max=max", NULL });

    exec_limits_kill(folder);
    g_autofree char *kill_text = tree_text(folder, "cgroup.kill");
    ck_assert_str_eq(kill_text, "1");
    kill(pid, SIGUSR1);
    ck_assert_int_eq(signal_that_ended(pid), SIGUSR1);
    tree_free(folder);
}
END_TEST

START_TEST(older_kernels_list_whom_to_kill)
{
    pid_t first = start_sleeper(), second = start_sleeper();
    g_autofree char *procs = g_strdup_printf("cgroup.procs=%d\n%d\n", (gint)first, (gint)second);
    char *folder = tree_new((const char *const[]){ procs, "pids.max=max", NULL });

    exec_limits_kill(folder);
    ck_assert_int_eq(signal_that_ended(first), SIGKILL);
    ck_assert_int_eq(signal_that_ended(second), SIGKILL);
    g_autofree char *pids_max = tree_text(folder, "pids.max");
    ck_assert_int_eq(pids_max[0], '0');
    tree_free(folder);
}
END_TEST

/* 0 would be this test's own process group, -1 everybody. */
START_TEST(what_is_no_process_is_nobody)
{
    char *folder = tree_new((const char *const[]){ "cgroup.procs=0\n-1\n\nnobody\n", NULL });

    exec_limits_kill(folder);
    exec_limits_kill("/no/such/folder");
    exec_limits_kill(NULL);
    tree_free(folder);
}
END_TEST

static gboolean
holds_somebody(const char *events)
{
    g_autofree char *entry = g_strconcat("cgroup.events=", events, NULL);
    char *folder = tree_new((const char *const[]){ entry, NULL });
    gboolean is_somebody = exec_limits_hold_somebody(folder);

    tree_free(folder);
    return is_somebody;
}

START_TEST(who_is_in_a_group_is_seen)
{
    ck_assert(holds_somebody("populated 1\nfrozen 0\n"));
    ck_assert(!holds_somebody("populated 0\nfrozen 1\n"));
    ck_assert(!exec_limits_hold_somebody("/no/such/folder"));
    ck_assert(!exec_limits_hold_somebody(NULL));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("exec-limits");
    TCase *tests = tcase_create("exec-limits");

    tcase_add_test(tests, the_kernel_kills_all_at_once);
    tcase_add_test(tests, older_kernels_list_whom_to_kill);
    tcase_add_test(tests, what_is_no_process_is_nobody);
    tcase_add_test(tests, who_is_in_a_group_is_seen);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
