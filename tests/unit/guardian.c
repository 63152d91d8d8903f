/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guardian as the process that it is, over socket pairs for file systems: what the
 * test sends is how often one is frozen, and the thaw takes it from there.
 */
#include "linux/guardian-process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runner.h"

#define N 3
#define MS G_GINT64_CONSTANT(1000)
#define FAR_AWAY (60 * G_USEC_PER_SEC)

/* How late a process may be that has to be scheduled on a busy machine. */
#define LATE (200 * MS)

/* What the test does to a file system. */
#define FROZEN 'f'
#define HANGS 'h' /* its thaw waits for the next */

typedef struct {
    char *directory;
    gint ours[N], theirs[N];
    gint64 deadline;
    OsGuardian *guardian;
    guint n_ended;
    gboolean has_expired;
    guint n_told;
    gint64 kept; /* the deadline that was told */
    gint64 count;
} Scene;

static Scene *scene;

/* In the guardian. */
static gint
thaw(gint fd)
{
    char letter = 0;

    if (recv(fd, &letter, 1, MSG_DONTWAIT) != 1)
        return -1;
    if (letter == HANGS && recv(fd, &letter, 1, 0) != 1)
        return -1;
    return send(fd, "t", 1, 0) == 1 ? 0 : -1;
}

static void
on_ended(gpointer owner, gboolean has_expired)
{
    Scene *told = owner;

    told->n_ended++;
    told->has_expired = has_expired;
}

static void
on_told(gpointer owner, gint64 deadline, gint64 count)
{
    Scene *told = owner;

    told->n_told++;
    told->kept = deadline;
    told->count = count;
}

static const OsGuardianEvents events = { on_ended, on_told };

static char *
path_of(const char *name)
{
    return g_build_filename(scene->directory, name, NULL);
}

static gboolean
is_there(const char *name)
{
    g_autofree char *path = path_of(name);

    return g_access(path, F_OK) == 0;
}

static void
setup(void)
{
    scene = g_new0(Scene, 1);
    scene->directory = g_dir_make_tmp("guardian-XXXXXX", NULL);
    for (guint i = 0; i < N; i++) {
        gint pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        scene->ours[i] = pair[0];
        scene->theirs[i] = pair[1];
    }

    g_autofree char *mark = path_of("qga.state.isfrozen");
    ck_assert(g_file_set_contents(mark, "", 0, NULL));
}

static void
teardown(void)
{
    static const char *const names[] = { "qga.state.isfrozen", "qga.state.thawexpired",
                                         "qga.guardian" };

    os_guardian_free(scene->guardian);
    for (guint i = 0; i < N; i++) {
        close(scene->ours[i]);
        close(scene->theirs[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_of(names[i]);
        g_unlink(path);
    }
    ck_assert_int_eq(g_rmdir(scene->directory), 0);
    g_free(scene->directory);
    g_free(scene);
}

static void
start(gint64 span)
{
    g_autoptr(GError) error = NULL;

    scene->deadline = g_get_monotonic_time() + span;
    OsGuardianSpec spec = { scene->directory, scene->theirs, N, scene->deadline, thaw };
    scene->guardian = os_guardian_fork(&spec, &events, scene, &error);
    ck_assert_msg(scene->guardian != NULL, "%s", error ? error->message : "");
}

static void
send_letter(guint i, char letter)
{
    ck_assert_int_eq(send(scene->ours[i], &letter, 1, 0), 1);
}

static void
freeze_all(void)
{
    for (guint i = 0; i < N; i++)
        send_letter(i, FROZEN);
}

static void
wait_for_end(void)
{
    while (!scene->n_ended)
        g_main_context_iteration(NULL, TRUE);
}

static guint
n_thawed(guint i)
{
    char letters[16];
    gssize size = recv(scene->ours[i], letters, sizeof letters, MSG_DONTWAIT);

    return size > 0 ? (guint)size : 0;
}

static void
wait_for_thaw(guint i)
{
    char letter;

    ck_assert_int_eq(recv(scene->ours[i], &letter, 1, 0), 1);
}

/* It has left, with all that it has started. */
static void
wait_for_absence(void)
{
    while (os_guardian_exists(scene->directory))
        g_usleep(1000);
    ck_assert(!is_there("qga.guardian"));
}

static gboolean
is_guardian_of(const char *pid, const char *directory)
{
    g_autofree char *folder = g_strdup_printf("/proc/%s/fd", pid);
    g_autoptr(GDir) fds = g_dir_open(folder, 0, NULL);
    const char *name;

    while (fds && (name = g_dir_read_name(fds))) {
        g_autofree char *link = g_build_filename(folder, name, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);
        if (g_strcmp0(target, directory) == 0)
            return TRUE;
    }
    return FALSE;
}

static pid_t
find_guardian(void)
{
    g_autoptr(GDir) processes = g_dir_open("/proc", 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(processes)))
        if (g_ascii_isdigit(name[0]) && is_guardian_of(name, scene->directory))
            return atoi(name);
    ck_abort_msg("no guardian");
}

START_TEST(released_it_leaves_everything_as_it_is)
{
    start(FAR_AWAY);
    freeze_all();
    os_guardian_release(scene->guardian);
    wait_for_end();
    ck_assert(!scene->has_expired);
    wait_for_absence();
    for (guint i = 0; i < N; i++)
        ck_assert_uint_eq(n_thawed(i), 0);
    ck_assert(is_there("qga.state.isfrozen") && !is_there("qga.state.thawexpired"));
}
END_TEST

START_TEST(at_the_deadline_all_are_thawed_and_it_is_told)
{
    start(100 * MS);
    freeze_all();
    send_letter(1, FROZEN); /* twice */
    os_guardian_freezing_is_over(scene->guardian, N);
    wait_for_end();
    gint64 late = g_get_monotonic_time() - scene->deadline;

    ck_assert(scene->has_expired);
    ck_assert_int_ge(late, 0);
    ck_assert_int_lt(late, LATE);
    for (guint i = 0; i < N; i++)
        ck_assert_uint_eq(n_thawed(i), i == 1 ? 2 : 1);
    ck_assert(!is_there("qga.state.isfrozen") && is_there("qga.state.thawexpired"));
    ck_assert(!is_there("qga.guardian"));
}
END_TEST

START_TEST(it_needs_no_agent)
{
    start(50 * MS);
    freeze_all();
    g_clear_pointer(&scene->guardian, os_guardian_free);
    for (guint i = 0; i < N; i++)
        wait_for_thaw(i);
    ck_assert_int_ge(g_get_monotonic_time(), scene->deadline);
    wait_for_absence();
    ck_assert(!is_there("qga.state.isfrozen") && is_there("qga.state.thawexpired"));
    ck_assert_uint_eq(scene->n_ended, 0);
}
END_TEST

START_TEST(what_is_frozen_too_late_is_thawed_until_freezing_is_over)
{
    start(20 * MS);
    wait_for_end();
    ck_assert(scene->has_expired);
    ck_assert(os_guardian_exists(scene->directory));
    for (guint round = 0; round < 3; round++) {
        freeze_all();
        for (guint i = 0; i < N; i++)
            wait_for_thaw(i);
    }
    os_guardian_freezing_is_over(scene->guardian, N);
    wait_for_absence();
    freeze_all();
    g_usleep(20 * MS);
    for (guint i = 0; i < N; i++)
        ck_assert_uint_eq(n_thawed(i), 0);
}
END_TEST

START_TEST(a_deadline_that_has_passed_already_is_told)
{
    start(-MS);
    freeze_all();
    wait_for_end();
    ck_assert(scene->has_expired);
    for (guint i = 0; i < N; i++)
        wait_for_thaw(i);
    os_guardian_freezing_is_over(scene->guardian, N);
    wait_for_absence();
}
END_TEST

START_TEST(one_that_hangs_delays_no_other)
{
    start(50 * MS);
    freeze_all();
    send_letter(0, HANGS);
    os_guardian_freezing_is_over(scene->guardian, N);
    wait_for_thaw(0); /* its first */
    wait_for_thaw(1);
    wait_for_thaw(2);
    ck_assert_int_lt(g_get_monotonic_time() - scene->deadline, LATE);

    /* The verdict does not wait for ever; what hangs is thawed when it goes on. */
    wait_for_end();
    ck_assert(scene->has_expired);
    ck_assert(!is_there("qga.guardian"));
    send_letter(0, FROZEN);
    wait_for_thaw(0);
}
END_TEST

static void
wait_until_told(guint n)
{
    while (scene->n_told < n && !scene->n_ended)
        g_main_context_iteration(NULL, TRUE);
}

START_TEST(a_deadline_can_be_put_off_but_never_moved_nearer)
{
    start(100 * MS);
    freeze_all();
    os_guardian_freezing_is_over(scene->guardian, N);
    gint64 later = scene->deadline + 200 * MS;
    os_guardian_keep(scene->guardian, later);
    wait_until_told(1);
    ck_assert_int_eq(scene->kept, later);
    ck_assert_int_eq(scene->count, N);
    os_guardian_keep(scene->guardian, scene->deadline);
    wait_until_told(2);
    ck_assert_int_eq(scene->kept, later);
    wait_for_end();
    gint64 late = g_get_monotonic_time() - later;

    ck_assert(scene->has_expired);
    ck_assert_int_ge(late, 0);
    ck_assert_int_lt(late, LATE);
}
END_TEST

/* Whichever comes first, what is told is what happens. */
START_TEST(a_race_with_the_deadline_has_one_winner)
{
    guint n_kept = 0;

    for (gint64 lead = -2; lead <= 2; lead++) {
        start(30 * MS);
        freeze_all();
        os_guardian_freezing_is_over(scene->guardian, N);
        while (g_get_monotonic_time() < scene->deadline + lead * MS / 4)
            ;
        os_guardian_keep(scene->guardian, scene->deadline + FAR_AWAY);
        wait_until_told(1);
        ck_assert_uint_eq(scene->n_told + scene->n_ended, 1);
        if (scene->n_told) {
            n_kept++;
            for (guint i = 0; i < N; i++)
                ck_assert_uint_eq(n_thawed(i), 0);
            ck_assert(is_there("qga.state.isfrozen"));
            os_guardian_release(scene->guardian);
            wait_for_end();
            ck_assert(!scene->has_expired);
        } else {
            ck_assert(scene->has_expired);
            for (guint i = 0; i < N; i++)
                ck_assert_uint_eq(n_thawed(i), 1);
        }
        wait_for_absence();
        g_clear_pointer(&scene->guardian, os_guardian_free);
        scene->n_told = scene->n_ended = 0;
        teardown();
        setup();
    }
    ck_assert_uint_lt(n_kept, 5);
}
END_TEST

START_TEST(none_is_kept_when_the_system_ends_it)
{
    start(FAR_AWAY);
    freeze_all();
    os_guardian_freezing_is_over(scene->guardian, N);
    pid_t pid = find_guardian();
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    os_guardian_keep(scene->guardian, scene->deadline + FAR_AWAY);
    ck_assert_int_eq(kill(pid, SIGCONT), 0);
    wait_for_end();
    ck_assert(scene->has_expired);
    ck_assert_uint_eq(scene->n_told, 0);
}
END_TEST

START_TEST(the_next_agent_is_told_what_is_kept)
{
    start(FAR_AWAY);
    freeze_all();
    os_guardian_freezing_is_over(scene->guardian, N);
    os_guardian_keep(scene->guardian, scene->deadline + MS);
    wait_until_told(1);
    os_guardian_free(scene->guardian);
    scene->guardian = os_guardian_find(scene->directory, &events, scene);
    wait_until_told(2);
    ck_assert_int_eq(scene->kept, scene->deadline + MS);
    ck_assert_int_eq(scene->count, N);
    os_guardian_release(scene->guardian);
    wait_for_end();
}
END_TEST

START_TEST(the_system_may_end_it_early)
{
    start(FAR_AWAY);
    freeze_all();
    os_guardian_freezing_is_over(scene->guardian, N);
    ck_assert_int_eq(kill(find_guardian(), SIGTERM), 0);
    wait_for_end();
    ck_assert(scene->has_expired);
    for (guint i = 0; i < N; i++)
        ck_assert_uint_eq(n_thawed(i), 1);
    ck_assert(is_there("qga.state.thawexpired"));
}
END_TEST

START_TEST(its_death_is_told)
{
    start(FAR_AWAY);
    freeze_all();
    ck_assert_int_eq(kill(find_guardian(), SIGKILL), 0);
    wait_for_end();
    ck_assert(!scene->has_expired);
    ck_assert(!os_guardian_exists(scene->directory));
    for (guint i = 0; i < N; i++)
        ck_assert_uint_eq(n_thawed(i), 0);
    ck_assert(is_there("qga.state.isfrozen"));
}
END_TEST

/* More often than it has room for connections at a time. */
START_TEST(agent_after_agent_finds_it)
{
    start(FAR_AWAY);
    for (guint i = 0; i < 20; i++) {
        OsGuardian *former = scene->guardian;

        scene->guardian = os_guardian_find(scene->directory, &events, scene);
        ck_assert_ptr_nonnull(scene->guardian);
        os_guardian_free(former);
        ck_assert(os_guardian_exists(scene->directory));
    }
    ck_assert_uint_eq(scene->n_ended, 0);
    os_guardian_release(scene->guardian);
    wait_for_end();
    ck_assert(!scene->has_expired);
    wait_for_absence();
    ck_assert_ptr_null(os_guardian_find(scene->directory, &events, scene));
}
END_TEST

START_TEST(one_that_was_left_behind_is_dismissed)
{
    start(FAR_AWAY);
    os_guardian_free(g_steal_pointer(&scene->guardian));
    os_guardian_dismiss(scene->directory);
    wait_for_absence();
    for (guint i = 0; i < N; i++)
        ck_assert_uint_eq(n_thawed(i), 0);
    ck_assert(!is_there("qga.state.thawexpired"));
    os_guardian_dismiss(scene->directory);
}
END_TEST

START_TEST(an_agent_that_found_it_is_told_of_the_expiry)
{
    start(100 * MS);
    freeze_all();
    os_guardian_free(scene->guardian);
    scene->guardian = os_guardian_find(scene->directory, &events, scene);
    ck_assert_ptr_nonnull(scene->guardian);
    wait_for_end();
    ck_assert(scene->has_expired);
    for (guint i = 0; i < N; i++)
        ck_assert_uint_eq(n_thawed(i), 1);
}
END_TEST

/* The next agent must be able to open the port. */
START_TEST(it_keeps_no_descriptor_of_the_agents)
{
    gint fds[2];
    char letter;

    ck_assert_int_eq(pipe(fds), 0);
    gint high = fcntl(fds[1], F_DUPFD, 500);
    start(FAR_AWAY);
    close(fds[1]);
    close(high);
    ck_assert_int_eq(read(fds[0], &letter, 1), 0);
    close(fds[0]);
    os_guardian_release(scene->guardian);
    wait_for_end();
}
END_TEST

/* In KiB. */
static glong
locked_memory(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
    g_autofree char *text = NULL;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    const char *line = strstr(text, "VmLck:");
    return line ? strtol(line + strlen("VmLck:"), NULL, 10) : 0;
}

/* Not for everybody, and the sanitizers' mlock() does nothing. */
static gboolean
can_lock_memory(void)
{
    static char page[4096];

    if (mlock(page, sizeof page) != 0)
        return FALSE;
    gboolean is_locked = locked_memory(getpid()) > 0;
    munlock(page, sizeof page);
    return is_locked && geteuid() == 0;
}

START_TEST(it_is_locked_in_memory)
{
    if (!can_lock_memory())
        return;
    start(FAR_AWAY);
    pid_t pid = find_guardian();
    while (locked_memory(pid) < 1000)
        g_usleep(1000);
    os_guardian_release(scene->guardian);
    wait_for_end();
}
END_TEST

START_TEST(a_thaw_at_once_tells_what_was_frozen)
{
    gint fds[N + 1] = { scene->theirs[0], scene->theirs[1], scene->theirs[2], -1 };
    OsGuardianSpec spec = { .fds = fds, .n_fds = N + 1, .thaw = thaw };
    OsThawed thawed[N + 1] = { { FALSE, FALSE } };

    send_letter(0, FROZEN);
    send_letter(2, FROZEN);
    send_letter(2, FROZEN);
    os_guardian_process_thaw(&spec, thawed);
    for (guint i = 0; i <= N; i++) {
        ck_assert(thawed[i].is_done);
        ck_assert_int_eq(thawed[i].was_frozen, i == 0 || i == 2);
    }
    ck_assert_uint_eq(n_thawed(2), 2);
    ck_assert(is_there("qga.state.isfrozen") && !is_there("qga.guardian"));
}
END_TEST

START_TEST(where_it_cannot_listen_there_is_none)
{
    g_autoptr(GError) error = NULL;
    OsGuardianSpec spec = { "/proc/none", scene->theirs, N, g_get_monotonic_time(), thaw };

    ck_assert_ptr_null(os_guardian_fork(&spec, &events, scene, &error));
    ck_assert_str_eq(error->message, "failed to start the guardian of the freeze: No such file or "
                                     "directory");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("guardian");
    TCase *tcase = tcase_create("guardian");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, released_it_leaves_everything_as_it_is);
    tcase_add_test(tcase, at_the_deadline_all_are_thawed_and_it_is_told);
    tcase_add_test(tcase, it_needs_no_agent);
    tcase_add_test(tcase, what_is_frozen_too_late_is_thawed_until_freezing_is_over);
    tcase_add_test(tcase, a_deadline_that_has_passed_already_is_told);
    tcase_add_test(tcase, one_that_hangs_delays_no_other);
    tcase_add_test(tcase, a_deadline_can_be_put_off_but_never_moved_nearer);
    tcase_add_test(tcase, a_race_with_the_deadline_has_one_winner);
    tcase_add_test(tcase, none_is_kept_when_the_system_ends_it);
    tcase_add_test(tcase, the_next_agent_is_told_what_is_kept);
    tcase_add_test(tcase, the_system_may_end_it_early);
    tcase_add_test(tcase, its_death_is_told);
    tcase_add_test(tcase, agent_after_agent_finds_it);
    tcase_add_test(tcase, one_that_was_left_behind_is_dismissed);
    tcase_add_test(tcase, an_agent_that_found_it_is_told_of_the_expiry);
    tcase_add_test(tcase, it_keeps_no_descriptor_of_the_agents);
    tcase_add_test(tcase, it_is_locked_in_memory);
    tcase_add_test(tcase, a_thaw_at_once_tells_what_was_frozen);
    tcase_add_test(tcase, where_it_cannot_listen_there_is_none);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
