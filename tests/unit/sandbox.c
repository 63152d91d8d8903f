/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process in the sandbox can do, and what is its end. */
#include "extensions/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"

#define ROOM 64

typedef gboolean (*Deed)(void);

/* How a process ends that does it in the sandbox: 0 if it could. */
static gint
status_after(Deed deed)
{
    pid_t pid = fork();
    gint status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (!ga_sandbox_enter(NULL))
            _exit(2);
        _exit(deed() ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

static gboolean
reads(void)
{
    char byte;
    gint fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

    return fd >= 0 && read(fd, &byte, 1) == 1 && close(fd) == 0;
}

static gboolean
connects(void)
{
    const struct sockaddr_un address = { AF_UNIX, "/nonexistent/socket" };
    gint fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 && errno == ENOENT;
}

static gboolean
signals_itself(void)
{
    return signal(SIGUSR1, SIG_IGN) != SIG_ERR && raise(SIGUSR1) == 0;
}

static gboolean
is_refused_what_it_can_do_without(void)
{
    struct rlimit limit;
    gint size;

    return ioctl(0, FIONREAD, &size) < 0 && errno == ENOTTY &&
           prlimit(0, RLIMIT_NOFILE, NULL, &limit) < 0 && errno == EPERM;
}

static gboolean
has_no_more_files_than_it_needs(void)
{
    gint n = 0;

    while (n <= ROOM && dup(STDIN_FILENO) >= 0)
        n++;
    return n <= ROOM && errno == EMFILE;
}

START_TEST(a_client_of_a_database_does_its_work)
{
    static const Deed deeds[] = { reads, connects, signals_itself,
                                  is_refused_what_it_can_do_without,
                                  has_no_more_files_than_it_needs };

    for (gsize i = 0; i < G_N_ELEMENTS(deeds); i++)
        ck_assert_msg(status_after(deeds[i]) == 0, "case %zu", i);
}
END_TEST

static gboolean
writes(void)
{
    return open("/dev/null", O_WRONLY | O_CLOEXEC) >= 0;
}

static gboolean
reads_and_writes(void)
{
    return openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC) >= 0;
}

static gboolean
makes_a_file(void)
{
    return open("/nonexistent/file", O_RDONLY | O_CREAT | O_CLOEXEC, 0600) >= 0;
}

static gboolean
empties_a_file(void)
{
    return open("/dev/null", O_RDONLY | O_TRUNC | O_CLOEXEC) >= 0;
}

static gboolean
removes_a_file(void)
{
    return unlink("/nonexistent/file") == 0;
}

static gboolean
changes_a_file(void)
{
    return chmod("/nonexistent/file", 0777) == 0;
}

static gboolean
executes(void)
{
    return execl("/bin/true", "true", NULL) == 0;
}

static gboolean
forks(void)
{
    return fork() > 0;
}

static gboolean
listens(void)
{
    return listen(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), 1) == 0;
}

static gboolean
asks_the_kernel_for_a_table(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0;
}

static gboolean
signals_a_process(void)
{
    return kill(1, 0) == 0;
}

static gboolean
signals_a_thread_of_another_process(void)
{
    return syscall(SYS_tgkill, 1, 1, 0) == 0;
}

static gboolean
can_be_traced(void)
{
    return prctl(PR_SET_DUMPABLE, 1) == 0;
}

START_TEST(whatever_else_it_does_is_its_end)
{
    static const Deed deeds[] = {
        writes,
        reads_and_writes,
        makes_a_file,
        empties_a_file,
        removes_a_file,
        changes_a_file,
        executes,
        forks,
        listens,
        asks_the_kernel_for_a_table,
        can_be_traced,
        signals_a_process,
        signals_a_thread_of_another_process,
    };

    for (gsize i = 0; i < G_N_ELEMENTS(deeds); i++) {
        gint status = status_after(deeds[i]);

        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "case %zu: status %#x", i,
                      (guint)status);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sandbox");
    TCase *tcase = tcase_create("sandbox");

    tcase_add_test(tcase, a_client_of_a_database_does_its_work);
    tcase_add_test(tcase, whatever_else_it_does_is_its_end);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
