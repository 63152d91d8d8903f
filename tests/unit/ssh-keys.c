/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of a user of the test's, whose home is a folder of the test's. Only root can act in
 * somebody's name; for others there is the refusal.
 */
#include "platform/ssh-keys.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/user.h"
#include "runner.h"
#include "runtime/qapi-error.h"

/* Nobody in particular. */
#define UID 61234
#define GID 61235
#define GROUP 61236

#define PATIENCE 20000 /* milliseconds */

static char *home, *folder, *file;

OsUser *
os_user_lookup(const char *name, GError **error)
{
    static const guint groups[] = { GID, GROUP };

    if (strcmp(name, "bob") != 0) {
        qapi_set_errno(error, 0, "failed to lookup user '%s'", name);
        return NULL;
    }
    OsUser *user = g_new0(OsUser, 1);
    *user = (OsUser){
        g_strdup(name),      g_strdup(home), UID, GID, g_memdup(groups, sizeof groups),
        G_N_ELEMENTS(groups)
    };
    return user;
}

void
os_user_free(OsUser *user)
{
    g_free(user->name);
    g_free(user->home);
    g_free(user->groups);
    g_free(user);
}

static void
remove_all(const char *path)
{
    GDir *directory = g_dir_open(path, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);

        remove_all(inner);
    }
    if (directory)
        g_dir_close(directory);
    g_remove(path);
}

static void
setup(void)
{
    home = g_dir_make_tmp("ga-ssh-keys-XXXXXX", NULL);
    folder = g_build_filename(home, ".ssh", NULL);
    file = g_build_filename(folder, "authorized_keys", NULL);
    ck_assert_int_eq(chmod(home, 0755), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(chown(home, UID, GID), 0);
}

static void
teardown(void)
{
    remove_all(home);
    g_clear_pointer(&home, g_free);
    g_clear_pointer(&folder, g_free);
    g_clear_pointer(&file, g_free);
}

static OsSshKeys *
open_keys(void)
{
    OsSshKeys *keys = os_ssh_keys_open("bob", NULL);

    ck_assert_ptr_nonnull(keys);
    return keys;
}

static void
write_keys(const char *text)
{
    g_autoptr(OsSshKeys) keys = open_keys();
    g_autoptr(GError) error = NULL;

    ck_assert_msg(os_ssh_keys_prepare(keys, &error) && os_ssh_keys_write(keys, text, &error), "%s",
                  error ? error->message : "no error");
}

static void
assert_unreadable(OsSshKeysError code, const char *reason)
{
    g_autoptr(OsSshKeys) keys = open_keys();
    g_autoptr(GError) error = NULL;
    g_autofree char *text = os_ssh_keys_read(keys, &error);
    g_autofree char *expected = g_strdup_printf(
        "failed to read '%s': %s file “%s”: %s", file,
        code == OS_SSH_KEYS_MISSING ? "Failed to open" : "Error reading", file, reason);

    ck_assert_ptr_null(text);
    ck_assert_str_eq(error->message, expected);
    ck_assert(g_error_matches(error, OS_SSH_KEYS_ERROR, (gint)code));
}

static void
assert_owned(const char *path, guint mode)
{
    struct stat status;

    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert_uint_eq(status.st_uid, UID);
    ck_assert_uint_eq(status.st_gid, GID);
    ck_assert_uint_eq(status.st_mode & 07777, mode);
}

START_TEST(folder_and_file_are_the_users_alone)
{
    g_autoptr(OsSshKeys) keys = open_keys();

    umask(0);
    write_keys("a\nb");
    umask(022);
    assert_owned(folder, 0700);
    assert_owned(file, 0600);
    g_autofree char *text = os_ssh_keys_read(keys, NULL);
    ck_assert_str_eq(text, "a\nb");
}
END_TEST

START_TEST(nothing_else_is_left_in_the_folder)
{
    write_keys("a");
    write_keys("b");
    GDir *directory = g_dir_open(folder, 0, NULL);
    ck_assert_str_eq(g_dir_read_name(directory), "authorized_keys");
    ck_assert_ptr_null(g_dir_read_name(directory));
    g_dir_close(directory);
}
END_TEST

START_TEST(a_link_in_place_of_the_file_is_replaced_and_not_followed)
{
    g_autofree char *target = g_build_filename(home, "target", NULL);
    g_autofree char *text = NULL;

    write_keys("a");
    ck_assert(g_file_set_contents(target, "precious", -1, NULL));
    ck_assert_int_eq(g_unlink(file), 0);
    ck_assert_int_eq(symlink(target, file), 0);
    write_keys("b");
    assert_owned(file, 0600);
    ck_assert(g_file_get_contents(target, &text, NULL, NULL));
    ck_assert_str_eq(text, "precious");
}
END_TEST

START_TEST(what_only_root_may_write_is_not_written)
{
    g_autoptr(OsSshKeys) keys = open_keys();
    g_autoptr(GError) error = NULL;
    g_autofree char *vault = g_build_filename(home, "vault", NULL);
    g_autofree char *start = g_strdup_printf("failed to write to '%s': Failed to create file “%s.",
                                             file, file);
    struct stat status;

    ck_assert_int_eq(g_mkdir(vault, 0755), 0);
    ck_assert_int_eq(symlink(vault, folder), 0);
    ck_assert(!os_ssh_keys_write(keys, "a", &error));
    ck_assert_msg(g_str_has_prefix(error->message, start), "%s", error->message);
    ck_assert_msg(g_str_has_suffix(error->message, "”: Permission denied"), "%s", error->message);
    ck_assert_int_eq(stat(vault, &status), 0);
    ck_assert_uint_eq(status.st_uid, 0);
    ck_assert_int_eq(rmdir(vault), 0);
}
END_TEST

START_TEST(a_missing_file_is_missing)
{
    assert_unreadable(OS_SSH_KEYS_MISSING, "No such file or directory");
}
END_TEST

START_TEST(a_folder_is_unreadable)
{
    ck_assert_int_eq(g_mkdir(folder, 0755), 0);
    ck_assert_int_eq(g_mkdir(file, 0755), 0);
    assert_unreadable(OS_SSH_KEYS_UNREADABLE, "Is a directory");
}
END_TEST

START_TEST(a_fifo_and_a_file_without_end_are_refused)
{
    ck_assert_int_eq(g_mkdir(folder, 0755), 0);
    ck_assert_int_eq(mkfifo(file, 0666), 0);
    assert_unreadable(OS_SSH_KEYS_REFUSED, "Is a FIFO");
    ck_assert_int_eq(g_unlink(file), 0);
    ck_assert_int_eq(symlink("/dev/zero", file), 0);
    assert_unreadable(OS_SSH_KEYS_REFUSED, "File too large");
}
END_TEST

START_TEST(the_largest_file_is_read_and_written)
{
    g_autoptr(OsSshKeys) keys = open_keys();
    g_autofree char *text = g_strnfill(OS_SSH_KEYS_MAX + 1, 'x');
    g_autoptr(GError) error = NULL;

    ck_assert(os_ssh_keys_prepare(keys, NULL));
    ck_assert(!os_ssh_keys_write(keys, text, &error));
    ck_assert(strstr(error->message, "File too large"));
    ck_assert_int_eq(access(file, F_OK), -1);

    text[OS_SSH_KEYS_MAX] = '\0';
    write_keys(text);
    g_autofree char *read = os_ssh_keys_read(keys, NULL);
    ck_assert_str_eq(read, text);
}
END_TEST

START_TEST(a_null_byte_ends_the_text)
{
    static const char text[] = "a\nb\0c\n";
    g_autoptr(OsSshKeys) keys = open_keys();

    ck_assert_int_eq(g_mkdir(folder, 0755), 0);
    ck_assert(g_file_set_contents(file, text, sizeof text, NULL));
    ck_assert_int_eq(chmod(file, 0644), 0);
    g_autofree char *read = os_ssh_keys_read(keys, NULL);
    ck_assert_str_eq(read, "a\nb");
}
END_TEST

/* What a child says of itself. */
typedef struct {
    gint uid, gid, saved_uid;
    gint n_groups;
    gid_t groups[8];
    guint n_descriptors;
    gboolean can_be_root;
} Self;

static void
look_at_oneself(gpointer data)
{
    Self *self = data;
    uid_t real, effective, saved;

    if (getresuid(&real, &effective, &saved) == 0 && real == effective)
        self->uid = (gint)real;
    self->saved_uid = (gint)saved;
    self->gid = (gint)getgid() == (gint)getegid() ? (gint)getgid() : -1;
    self->n_groups = getgroups(G_N_ELEMENTS(self->groups), self->groups);
    self->can_be_root = setuid(0) == 0 || seteuid(0) == 0;
    for (gint fd = 0; fd < 1024; fd++)
        self->n_descriptors += fcntl(fd, F_GETFD) >= 0;
}

START_TEST(the_child_has_the_users_rights_for_good_and_no_descriptors)
{
    OsUser *user = os_user_lookup("bob", NULL);
    Self *self = os_shared_new(sizeof *self);

    ck_assert(os_user_run(user, look_at_oneself, self, PATIENCE, NULL));
    ck_assert_int_eq(self->uid, UID);
    ck_assert_int_eq(self->saved_uid, UID);
    ck_assert_int_eq(self->gid, GID);
    ck_assert_int_eq(self->n_groups, 2);
    ck_assert_int_eq(self->groups[0], GID);
    ck_assert_int_eq(self->groups[1], GROUP);
    ck_assert(!self->can_be_root);
    ck_assert_uint_eq(self->n_descriptors, 1);
    ck_assert_int_eq(geteuid(), 0);
    os_shared_free(self, sizeof *self);
    os_user_free(user);
}
END_TEST

static void
die(G_GNUC_UNUSED gpointer data)
{
    _exit(0);
}

START_TEST(a_child_that_dies_has_not_done_it)
{
    OsUser *user = os_user_lookup("bob", NULL);
    g_autoptr(GError) error = NULL;

    ck_assert(!os_user_run(user, die, NULL, PATIENCE, &error));
    ck_assert_str_eq(error->message, "child process for user 'bob' has not come to its end");
    os_user_free(user);
}
END_TEST

static void
wait_for_ever(gpointer data)
{
    *(gint *)data = getpid();
    for (;;)
        pause();
}

START_TEST(a_child_that_takes_too_long_is_killed)
{
    OsUser *user = os_user_lookup("bob", NULL);
    gint *pid = os_shared_new(sizeof *pid);
    gint64 end = g_get_monotonic_time() + PATIENCE * 1000;

    ck_assert(!os_user_run(user, wait_for_ever, pid, 200, NULL));
    ck_assert_int_gt(*pid, 0);
    /* Reaped by the loop. */
    while (kill(*pid, 0) == 0 && g_get_monotonic_time() < end)
        g_main_context_iteration(NULL, FALSE);
    ck_assert_int_eq(kill(*pid, 0), -1);
    os_shared_free(pid, sizeof *pid);
    os_user_free(user);
}
END_TEST

START_TEST(without_root_nothing_is_done_in_anybodys_name)
{
    g_autoptr(OsSshKeys) keys = open_keys();
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(os_ssh_keys_read(keys, &error));
    ck_assert_str_eq(error->message, "failed to set group for user 'bob': Operation not permitted");
    ck_assert(g_error_matches(error, OS_SSH_KEYS_ERROR, OS_SSH_KEYS_REFUSED));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ssh-keys");
    TCase *tcase = tcase_create("ssh-keys");

    tcase_add_checked_fixture(tcase, setup, teardown);
    if (geteuid() != 0) {
        tcase_add_test(tcase, without_root_nothing_is_done_in_anybodys_name);
    } else {
        tcase_add_test(tcase, folder_and_file_are_the_users_alone);
        tcase_add_test(tcase, nothing_else_is_left_in_the_folder);
        tcase_add_test(tcase, a_link_in_place_of_the_file_is_replaced_and_not_followed);
        tcase_add_test(tcase, what_only_root_may_write_is_not_written);
        tcase_add_test(tcase, a_missing_file_is_missing);
        tcase_add_test(tcase, a_folder_is_unreadable);
        tcase_add_test(tcase, a_fifo_and_a_file_without_end_are_refused);
        tcase_add_test(tcase, the_largest_file_is_read_and_written);
        tcase_add_test(tcase, a_null_byte_ends_the_text);
        tcase_add_test(tcase, the_child_has_the_users_rights_for_good_and_no_descriptors);
        tcase_add_test(tcase, a_child_that_dies_has_not_done_it);
        tcase_add_test(tcase, a_child_that_takes_too_long_is_killed);
    }
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
