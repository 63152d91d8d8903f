/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pid files, also against the kind of lock that upstream's agent holds. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/service.h"
#include "runner.h"

typedef struct {
    char *directory;
    char *path;
} Place;

static Place *
place_new(void)
{
    Place *place = g_new0(Place, 1);

    place->directory = g_dir_make_tmp("pid-file-XXXXXX", NULL);
    place->path = g_build_filename(place->directory, "pid", NULL);
    return place;
}

static void
place_free(Place *place)
{
    g_unlink(place->path);
    ck_assert_int_eq(g_rmdir(place->directory), 0);
    g_free(place->directory);
    g_free(place->path);
    g_free(place);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Place, place_free)

static void
assert_text(const char *path, const char *expected)
{
    g_autofree char *text = NULL;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, expected);
}

/* Whether another process, with upstream's kind of lock, would find it taken. */
static gboolean
is_locked(const char *path)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    gint fd = open(path, O_RDWR | O_CLOEXEC);
    pid_t child = fork();
    gint status;

    if (child == 0)
        _exit(fcntl(fd, F_SETLK, &lock) != 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    close(fd);
    return WEXITSTATUS(status);
}

/* A process that holds upstream's kind of lock on the file until it is killed. */
static pid_t
lock_in_child(const char *path)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    gint ready[2];
    char byte;

    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        gint fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        if (write(fd, "1\n", 2) == 2 && fcntl(fd, F_SETLK, &lock) == 0 &&
            write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

START_TEST(it_holds_the_pid_and_a_lock_until_it_is_closed)
{
    g_autoptr(Place) place = place_new();
    g_autofree char *expected = g_strdup_printf("%d\n", (gint)getpid());
    GStatBuf status;

    OsPidFile *file = os_pid_file_open(place->path, NULL);
    ck_assert_ptr_nonnull(file);
    assert_text(place->path, expected);
    ck_assert_int_eq(g_stat(place->path, &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0600);
    ck_assert(is_locked(place->path));
    os_pid_file_close(file);
    ck_assert(!g_file_test(place->path, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(what_a_dead_agent_left_behind_is_overwritten)
{
    g_autoptr(Place) place = place_new();
    g_autofree char *expected = g_strdup_printf("%d\n", (gint)getpid());

    ck_assert(g_file_set_contents(place->path, "123456789012345\nand more\n", -1, NULL));
    g_autoptr(OsPidFile) file = os_pid_file_open(place->path, NULL);
    ck_assert_ptr_nonnull(file);
    assert_text(place->path, expected);
}
END_TEST

START_TEST(the_file_of_another_agent_is_left_alone)
{
    g_autoptr(Place) place = place_new();
    pid_t child = lock_in_child(place->path);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(os_pid_file_open(place->path, &error));
    ck_assert_str_eq(error->message, "Cannot lock pid file: Resource temporarily unavailable");
    assert_text(place->path, "1\n");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
END_TEST

START_TEST(reading_the_file_does_not_give_up_the_lock)
{
    g_autoptr(Place) place = place_new();
    g_autoptr(OsPidFile) file = os_pid_file_open(place->path, NULL);
    g_autofree char *text = NULL;

    ck_assert_ptr_nonnull(file);
    ck_assert(g_file_get_contents(place->path, &text, NULL, NULL));
    ck_assert(is_locked(place->path));
}
END_TEST

START_TEST(a_file_that_took_its_place_is_not_removed)
{
    g_autoptr(Place) place = place_new();
    OsPidFile *file = os_pid_file_open(place->path, NULL);

    ck_assert_ptr_nonnull(file);
    g_unlink(place->path);
    ck_assert(g_file_set_contents(place->path, "2\n", -1, NULL));
    os_pid_file_close(file);
    assert_text(place->path, "2\n");
}
END_TEST

START_TEST(a_file_that_cannot_be_made_is_told)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(os_pid_file_open("/nonexistent/pid", &error));
    ck_assert_str_eq(error->message,
                     "Could not create '/nonexistent/pid': No such file or directory");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pid-file");
    TCase *tcase = tcase_create("pid-file");

    tcase_add_test(tcase, it_holds_the_pid_and_a_lock_until_it_is_closed);
    tcase_add_test(tcase, what_a_dead_agent_left_behind_is_overwritten);
    tcase_add_test(tcase, the_file_of_another_agent_is_left_alone);
    tcase_add_test(tcase, reading_the_file_does_not_give_up_the_lock);
    tcase_add_test(tcase, a_file_that_took_its_place_is_not_removed);
    tcase_add_test(tcase, a_file_that_cannot_be_made_is_told);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
