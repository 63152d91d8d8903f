/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files, on real ones. What a client sees of the buffer is that of qemu-ga 11.1.3,
 * whose answers to the same operations are the expectations here. The devices and
 * the looks into /proc are Linux.
 */
#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "core/task.h"
#include "platform/io.h"
#include "runner.h"

#define PATIENCE_SECONDS 20
#define MIB (1024 * 1024)

/* What the last operation told. */
typedef struct {
    gboolean is_done;
    OsFile *file;
    GBytes *bytes;
    gboolean is_end_of_file;
    gint64 position;
    GError *error;
} Answer;

static char *folder;
static OsFiles *files;
static Answer answer;

static gboolean
lose_patience(G_GNUC_UNUSED gpointer user_data)
{
    ck_abort_msg("nothing happened in %d seconds", PATIENCE_SECONDS);
    return G_SOURCE_REMOVE;
}

static void
await(const gboolean *condition)
{
    guint watchdog = g_timeout_add_seconds(PATIENCE_SECONDS, lose_patience, NULL);

    while (!*condition)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(watchdog);
}

static void
forget_answer(void)
{
    g_clear_pointer(&answer.bytes, g_bytes_unref);
    g_clear_error(&answer.error);
    memset(&answer, 0, sizeof answer);
}

static void
on_opened(OsFile *file, GError *error, G_GNUC_UNUSED gpointer user_data)
{
    answer.file = file;
    answer.error = error;
    answer.is_done = TRUE;
}

static void
on_done(GError *error, G_GNUC_UNUSED gpointer user_data)
{
    answer.error = error;
    answer.is_done = TRUE;
}

static void
on_read(GBytes *bytes, gboolean is_end_of_file, GError *error, G_GNUC_UNUSED gpointer user_data)
{
    answer.bytes = bytes;
    answer.is_end_of_file = is_end_of_file;
    answer.error = error;
    answer.is_done = TRUE;
}

static void
on_sought(gint64 position, GError *error, G_GNUC_UNUSED gpointer user_data)
{
    answer.position = position;
    answer.error = error;
    answer.is_done = TRUE;
}

/* The operations, each until its end. What they return is "" or the error. */

static const char *
outcome(void)
{
    await(&answer.is_done);
    return answer.error ? answer.error->message : "";
}

static const char *
open_file(const char *path, const char *mode)
{
    forget_answer();
    os_file_open(files, path, mode, on_opened, NULL);
    return outcome();
}

static OsFile *
opened(const char *path, const char *mode)
{
    ck_assert_str_eq(open_file(path, mode), "");
    ck_assert_ptr_nonnull(answer.file);
    return answer.file;
}

static const char *
read_file(OsFile *file, gsize count)
{
    forget_answer();
    os_file_read(file, count, on_read, NULL);
    return outcome();
}

static const char *
prepare_write(OsFile *file)
{
    forget_answer();
    os_file_prepare_write(file, on_done, NULL);
    return outcome();
}

static const char *
write_data(OsFile *file, const void *data, gsize size)
{
    const char *problem = prepare_write(file);

    if (*problem)
        return problem;
    forget_answer();
    os_file_write(file, data, size, on_done, NULL);
    return outcome();
}

static const char *
write_text(OsFile *file, const char *text)
{
    return write_data(file, text, strlen(text));
}

static const char *
seek_file(OsFile *file, gint64 offset, OsFileWhence whence)
{
    forget_answer();
    os_file_seek(file, offset, whence, on_sought, NULL);
    return outcome();
}

static const char *
flush_file(OsFile *file)
{
    forget_answer();
    os_file_flush(file, on_done, NULL);
    return outcome();
}

static const char *
close_file(OsFile *file)
{
    forget_answer();
    os_file_close(file, on_done, NULL);
    return outcome();
}

static void
assert_bytes(const void *expected, gsize size, gboolean is_end_of_file)
{
    gsize got;
    const void *bytes = g_bytes_get_data(answer.bytes, &got);

    ck_assert_uint_eq(got, size);
    if (size > 0)
        ck_assert_mem_eq(bytes, expected, size);
    ck_assert_int_eq(answer.is_end_of_file, is_end_of_file);
}

#define ASSERT_READ(file, count, expected, end)        \
    do {                                               \
        ck_assert_str_eq(read_file(file, count), "");  \
        assert_bytes(expected, strlen(expected), end); \
    } while (0)

static gsize
size_of(const char *path)
{
    GStatBuf status;

    ck_assert_int_eq(g_stat(path, &status), 0);
    return (gsize)status.st_size;
}

static char *
path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static char *
make_file(const char *name, const void *data, gssize size)
{
    char *path = path_of(name);

    ck_assert(g_file_set_contents(path, data, size, NULL));
    return path;
}

/* Bytes that show where they come from. */
static guint8 *
pattern(gsize size)
{
    guint8 *data = g_malloc(size);

    for (gsize i = 0; i < size; i++)
        data[i] = (guint8)(i * 7 + i / 256 * 13);
    return data;
}

static void
remove_folder(const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(directory))) {
        g_autofree char *entry = g_build_filename(path, name, NULL);
        g_unlink(entry);
    }
    g_rmdir(path);
}

static void
setup(void)
{
    folder = g_dir_make_tmp("ga-file-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
    files = os_files_new();
}

static void
teardown(void)
{
    forget_answer();
    os_files_free(g_steal_pointer(&files));
    remove_folder(folder);
    g_clear_pointer(&folder, g_free);
}

START_TEST(every_mode_of_fopen_and_no_other)
{
    static const char *const good[] = { "r",   "rb",  "r+", "rb+", "r+b", "w",   "wb", "w+",
                                        "wb+", "w+b", "a",  "ab",  "a+",  "ab+", "a+b" };
    static const char *const bad[] = { "", "x", "R", "rw", "r ", " r", "r++", "rbb", "+r", "wx" };
    g_autofree char *path = make_file("f", "", 0);

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        ck_assert_str_eq(close_file(opened(path, good[i])), "");
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *expected = g_strdup_printf("invalid file open mode '%s'", bad[i]);
        ck_assert_str_eq(open_file(path, bad[i]), expected);
    }
}
END_TEST

START_TEST(a_new_file_has_permissions_whatever_the_umask_is)
{
    g_autofree char *path = path_of("new");
    mode_t mask = umask(077);
    GStatBuf status;

    ck_assert_str_eq(close_file(opened(path, "w")), "");
    umask(mask);
    ck_assert_int_eq(g_stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0666);
}
END_TEST

START_TEST(an_existing_file_keeps_its_permissions)
{
    g_autofree char *path = make_file("f", "old", -1);
    GStatBuf status;

    g_chmod(path, 0600);
    ck_assert_str_eq(close_file(opened(path, "w")), "");
    ck_assert_int_eq(g_stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0600);
    ck_assert_int_eq(status.st_size, 0);
}
END_TEST

START_TEST(a_dangling_link_is_not_followed_into_creation)
{
    g_autofree char *link = path_of("link");
    g_autofree char *target = path_of("target");
    g_autofree char *expected = g_strdup_printf(
        "failed to open file '%s' (mode: 'w'): No such file or directory", link);

    ck_assert_int_eq(symlink(target, link), 0);
    ck_assert_str_eq(open_file(link, "w"), expected);
    ck_assert(!g_file_test(target, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(the_end_is_met_by_a_read_that_comes_short)
{
    g_autofree char *path = make_file("f", "hello world\n", -1);
    OsFile *file = opened(path, "r");

    ASSERT_READ(file, 0, "", FALSE);
    ASSERT_READ(file, 5, "hello", FALSE);
    ASSERT_READ(file, 7, " world\n", FALSE);
    ASSERT_READ(file, 4096, "", TRUE);
    ASSERT_READ(file, 0, "", FALSE);
    ck_assert_str_eq(seek_file(file, -2, OS_FILE_END), "");
    ck_assert_int_eq(answer.position, 10);
    ASSERT_READ(file, 4096, "d\n", TRUE);
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

/* What is in the file after each write: whole blocks pass the buffer, a block that is just full
 * stays in it. */
START_TEST(written_data_appears_block_by_block)
{
    static const struct {
        gsize size, visible;
    } writes[] = {
        { 3, 0 },        { 4093, 0 },     { 1, 4096 },      { 5000, 8192 },  { 0, 8192 },
        { 2000, 8192 },  { 8192, 16384 }, { 65536, 81920 }, { 1191, 81920 }, { 1, 86016 },
        { 4095, 86016 }, { 4096, 94208 }, { 4097, 98304 },
    };
    g_autofree guint8 *data = pattern(128 * 1024);
    g_autofree char *path = path_of("f");
    OsFile *file = opened(path, "w");
    gsize written = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(writes); i++) {
        ck_assert_str_eq(write_data(file, data + written, writes[i].size), "");
        written += writes[i].size;
        ck_assert_msg(size_of(path) == writes[i].visible, "write %zu: %zu bytes", i, size_of(path));
    }
    ck_assert_str_eq(flush_file(file), "");
    ck_assert_uint_eq(size_of(path), written);
    ck_assert_str_eq(close_file(file), "");

    g_autofree char *contents = NULL;
    gsize size;
    ck_assert(g_file_get_contents(path, &contents, &size, NULL));
    ck_assert_uint_eq(size, written);
    ck_assert_mem_eq(contents, data, size);
}
END_TEST

START_TEST(closing_reading_and_seeking_flush)
{
    g_autofree char *path = path_of("f");
    OsFile *file = opened(path, "w+");

    ck_assert_str_eq(write_text(file, "abc"), "");
    ck_assert_uint_eq(size_of(path), 0);
    ASSERT_READ(file, 4096, "", TRUE);
    ck_assert_uint_eq(size_of(path), 3);
    ck_assert_str_eq(write_text(file, "def"), "");
    ck_assert_uint_eq(size_of(path), 3);
    ck_assert_str_eq(seek_file(file, 1, OS_FILE_SET), "");
    ck_assert_uint_eq(size_of(path), 6);
    ASSERT_READ(file, 4096, "bcdef", TRUE);
    ck_assert_str_eq(write_text(file, "g"), "");
    ck_assert_str_eq(close_file(file), "");
    ck_assert_uint_eq(size_of(path), 7);
}
END_TEST

START_TEST(what_was_read_ahead_is_old_until_a_flush)
{
    g_autofree char *path = make_file("f", "abcdef", -1);
    OsFile *file = opened(path, "r");

    ASSERT_READ(file, 1, "a", FALSE);
    g_free(make_file("g", "", 0));
    gint fd = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, "ABCDEF", 6, 0), 6);
    close(fd);
    ASSERT_READ(file, 2, "bc", FALSE);
    ck_assert_str_eq(flush_file(file), "");
    ASSERT_READ(file, 9, "DEF", TRUE);
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

START_TEST(a_write_after_a_read_goes_where_reading_ended)
{
    g_autofree char *path = make_file("f", "0123456789", -1);
    OsFile *file = opened(path, "r+");

    ASSERT_READ(file, 3, "012", FALSE);
    ck_assert_str_eq(write_text(file, "XY"), "");
    ASSERT_READ(file, 2, "56", FALSE);
    ck_assert_str_eq(seek_file(file, 0, OS_FILE_SET), "");
    ASSERT_READ(file, 99, "012XY56789", TRUE);
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

START_TEST(appending_goes_to_the_end_from_anywhere)
{
    g_autofree char *path = make_file("f", "0123456789", -1);
    OsFile *file = opened(path, "a+");

    ck_assert_str_eq(seek_file(file, 0, OS_FILE_CURRENT), "");
    ck_assert_int_eq(answer.position, 0);
    ASSERT_READ(file, 3, "012", FALSE);
    ck_assert_str_eq(write_text(file, "zzz"), "");
    ck_assert_str_eq(seek_file(file, 0, OS_FILE_CURRENT), "");
    ck_assert_int_eq(answer.position, 13);
    ck_assert_str_eq(seek_file(file, -4, OS_FILE_CURRENT), "");
    ASSERT_READ(file, 99, "9zzz", TRUE);
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

START_TEST(positions_out_of_range_are_refused_and_change_nothing)
{
    static const struct {
        gint64 offset;
        OsFileWhence whence;
    } bad[] = {
        { -1, OS_FILE_SET },         { -5, OS_FILE_CURRENT },     { -11, OS_FILE_END },
        { G_MININT64, OS_FILE_SET }, { G_MAXINT64, OS_FILE_SET }, { G_MININT64, OS_FILE_CURRENT },
        { G_MAXINT64, OS_FILE_END }, { G_MININT64, OS_FILE_END }, { G_MAXINT64, OS_FILE_CURRENT },
    };
    g_autofree char *path = make_file("f", "0123456789", -1);
    OsFile *file = opened(path, "r");

    ck_assert_str_eq(seek_file(file, 4, OS_FILE_SET), "");
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        ck_assert_str_eq(seek_file(file, bad[i].offset, bad[i].whence),
                         "failed to seek file: Invalid argument");
    ASSERT_READ(file, 1, "4", FALSE);
    ck_assert_str_eq(seek_file(file, 1000, OS_FILE_END), "");
    ck_assert_int_eq(answer.position, 1010);
    ASSERT_READ(file, 1, "", TRUE);
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

START_TEST(a_full_disk_shows_at_the_flush_and_once_more)
{
    OsFile *file = opened("/dev/full", "w");

    ck_assert_str_eq(write_text(file, "abc"), "");
    ck_assert_str_eq(flush_file(file), "failed to flush file: No space left on device");
    ck_assert_str_eq(flush_file(file), "");
    ck_assert_str_eq(write_text(file, "x"), "failed to write to file");
    ck_assert_str_eq(write_text(file, "y"), "");
    ck_assert_str_eq(close_file(file), "failed to close handle: No space left on device");

    file = opened("/dev/full", "r+");
    ck_assert_str_eq(write_text(file, "abc"), "");
    ck_assert_str_eq(read_file(file, 3), "failed to flush file: No space left on device");
    ck_assert_str_eq(read_file(file, 3), "failed to read file");
    ck_assert_str_eq(read_file(file, 3), "");
    assert_bytes("\0\0\0", 3, FALSE);
    ck_assert_str_eq(write_text(file, "abc"), "");
    ck_assert_str_eq(seek_file(file, 0, OS_FILE_SET),
                     "failed to seek file: No space left on device");
    ck_assert_str_eq(read_file(file, 1), "");
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

START_TEST(a_handle_does_what_its_mode_says)
{
    g_autofree char *path = make_file("f", "abc", -1);
    OsFile *file = opened(path, "r");

    ck_assert_str_eq(write_text(file, ""), "");
    ck_assert_str_eq(write_text(file, "x"), "failed to write to file: Bad file descriptor");
    ASSERT_READ(file, 2, "ab", FALSE);
    ck_assert_str_eq(close_file(file), "");

    file = opened(path, "w");
    ASSERT_READ(file, 0, "", FALSE);
    ck_assert_str_eq(read_file(file, 2), "failed to read file: Bad file descriptor");
    ck_assert_str_eq(read_file(file, 9000), "failed to read file: Bad file descriptor");
    ck_assert_str_eq(close_file(file), "");

    file = opened(folder, "r");
    ck_assert_str_eq(read_file(file, 10), "failed to read file: Is a directory");
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

START_TEST(what_a_pipe_holds_is_answered_before_its_error)
{
    g_autofree char *path = path_of("fifo");

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    OsFile *file = opened(path, "r+");
    ck_assert_str_eq(write_text(file, "abc"), "");
    ck_assert_str_eq(flush_file(file), "");
    ASSERT_READ(file, 4096, "abc", FALSE);
    ck_assert_str_eq(read_file(file, 1), "failed to read file: Resource temporarily unavailable");
    ck_assert_str_eq(prepare_write(file), "");

    /* A read that got all it asked for has to be undone before a write, which a pipe cannot. */
    ck_assert_str_eq(write_text(file, "d"), "");
    ASSERT_READ(file, 1, "d", FALSE);
    ck_assert_str_eq(prepare_write(file), "failed to seek file: Illegal seek");
    ck_assert_str_eq(seek_file(file, 0, OS_FILE_SET), "failed to seek file: Illegal seek");
    ck_assert_str_eq(prepare_write(file), "");
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

START_TEST(a_pipe_ends_without_a_writer)
{
    g_autofree char *path = path_of("fifo");

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    OsFile *file = opened(path, "r");
    ASSERT_READ(file, 10, "", TRUE);
    gint fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(write(fd, "xyz", 3), 3);
    close(fd);
    ASSERT_READ(file, 10, "xyz", TRUE);
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

static gint
open_terminal(char **ret_path)
{
    gint master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios settings;

    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    *ret_path = g_strdup(ptsname(master));
    ck_assert_int_eq(tcgetattr(master, &settings), 0);
    cfmakeraw(&settings);
    ck_assert_int_eq(tcsetattr(master, TCSANOW, &settings), 0);
    return master;
}

START_TEST(a_terminal_is_written_by_lines)
{
    g_autofree char *path = NULL;
    char seen[64];
    gint master = open_terminal(&path);
    OsFile *file = opened(path, "r+");

    ck_assert_str_eq(write_text(file, "abc"), "");
    ck_assert_int_eq(read(master, seen, sizeof seen), -1);
    ck_assert_str_eq(write_text(file, "d\ne\nfg"), "");
    gsize size = 0;
    for (gint tries = 0; size < 7 && tries < 1000; tries++, g_usleep(1000)) {
        gssize got = read(master, seen + size, sizeof seen - size);
        size += got > 0 ? (gsize)got : 0;
    }
    ck_assert_uint_eq(size, 7);
    ck_assert_mem_eq(seen, "abcd\ne\n", 7);
    ck_assert_str_eq(close_file(file), "");
    close(master);
}
END_TEST

START_TEST(any_piece_of_a_large_file_is_read_right)
{
    static const gsize counts[] = { 1, 4095, 4096, 4097, 65536, 100000, MIB, 3 * MIB + 17 };
    const gsize size = 9 * MIB + 123;
    g_autofree guint8 *data = pattern(size);
    g_autofree char *path = make_file("f", data, (gssize)size);

    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
        OsFile *file = opened(path, "r");
        gint fd = open(path, O_RDONLY | O_CLOEXEC);

        fdatasync(fd);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* so that the engines have to do with it */
        close(fd);
        for (gsize at = 0; at < MIN(size, counts[i] * 8); at += counts[i]) {
            gsize expected = MIN(counts[i], size - at);
            ck_assert_str_eq(read_file(file, counts[i]), "");
            assert_bytes(data + at, expected, expected < counts[i]);
        }
        ck_assert_str_eq(close_file(file), "");
    }
}
END_TEST

START_TEST(a_file_of_the_kernel_is_read_to_its_end)
{
    g_autofree char *expected = NULL;
    OsFile *file = opened("/proc/version", "r");

    ck_assert(g_file_get_contents("/proc/version", &expected, NULL, NULL));
    ASSERT_READ(file, 65536, expected, TRUE);
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

static gboolean
count_turn(gpointer user_data)
{
    guint *turns = user_data;

    ++*turns;
    return G_SOURCE_CONTINUE;
}

/* 48 MiB read while another source of the loop is always ready: it gets its turns. */
START_TEST(a_large_read_lets_others_have_their_turns)
{
    const gsize size = 48 * MIB;
    g_autofree guint8 *data = pattern(size);
    g_autofree char *path = make_file("f", data, (gssize)size);
    OsFile *file = opened(path, "r");
    guint turns = 0;
    guint other = g_idle_add_full(G_PRIORITY_DEFAULT, count_turn, &turns, NULL);

    ck_assert_str_eq(read_file(file, size), "");
    g_source_remove(other);
    assert_bytes(data, size, FALSE);
    ck_assert_uint_ge(turns, 40);
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

static gsize
resident_bytes(void)
{
    g_autofree char *text = NULL;

    ck_assert(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    return (gsize)g_ascii_strtoull(strchr(text, ' '), NULL, 10) * (gsize)sysconf(_SC_PAGESIZE);
}

START_TEST(a_large_count_costs_no_memory_that_is_not_read)
{
    g_autofree char *path = make_file("f", "abc", -1);
    OsFile *file = opened(path, "r");
    gsize before = resident_bytes();

    ASSERT_READ(file, 48 * MIB, "abc", TRUE);
    ck_assert_uint_lt(resident_bytes(), before + 16 * MIB);
    ck_assert_str_eq(close_file(file), "");
}
END_TEST

START_TEST(large_writes_arrive_whole)
{
    static const gsize sizes[] = { 100, 65536, 65536, 65536, 3 * MIB + 5, 131072, 7 };
    const gsize total = 100 + 3 * 65536 + 3 * MIB + 5 + 131072 + 7;
    g_autofree guint8 *data = pattern(total);
    g_autofree char *path = path_of("f");
    g_autofree char *contents = NULL;
    OsFile *file = opened(path, "w");
    gsize size, written = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); written += sizes[i++])
        ck_assert_str_eq(write_data(file, data + written, sizes[i]), "");
    ck_assert_uint_eq(written, total);
    ck_assert_str_eq(close_file(file), "");
    ck_assert(g_file_get_contents(path, &contents, &size, NULL));
    ck_assert_uint_eq(size, total);
    ck_assert_mem_eq(contents, data, total);
}
END_TEST

START_TEST(what_is_buffered_at_the_end_is_written)
{
    g_autofree char *path = path_of("f");
    OsFile *file = opened(path, "w");

    ck_assert_str_eq(write_text(file, "pending"), "");
    ck_assert_uint_eq(size_of(path), 0);
    os_file_free(file);
    ck_assert_uint_eq(size_of(path), 7);
}
END_TEST

/* A hole reads slowly enough on no machine, so the operation is caught between two turns. */
START_TEST(a_file_can_be_given_up_while_it_is_read)
{
    g_autofree char *path = make_file("f", "", 0);

    ck_assert_int_eq(truncate(path, 8 * MIB), 0);
    OsFile *file = opened(path, "r");
    forget_answer();
    os_file_read(file, 8 * MIB, on_read, NULL);
    ck_assert(!answer.is_done);
    os_file_free(file);
    for (gint turns = 0; turns < 100; turns++, g_usleep(1000))
        while (g_main_context_iteration(NULL, FALSE))
            ;
    ck_assert(!answer.is_done);
}
END_TEST

START_TEST(descriptors_are_left_for_others)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit small = { 1024, limit.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &small), 0);
    ck_assert_uint_eq(os_files_maximum(), 1024 - 128);
    small.rlim_cur = 64;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &small), 0);
    ck_assert_uint_eq(os_files_maximum(), 32);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
END_TEST

/* Both engines, at the descriptor's own position. */

static gboolean transfer_is_done;

static void
on_transferred(G_GNUC_UNUSED OsTransfer *transfer)
{
    transfer_is_done = TRUE;
}

static gint64
transfer(OsIo *io, OsTransfer *work)
{
    transfer_is_done = FALSE;
    work->done = on_transferred;
    ck_assert(io->class->start(io, work));
    ck_assert(!transfer_is_done);
    await(&transfer_is_done);
    return work->result;
}

static OsIo *
new_engine(gint number)
{
    return number == 0 ? os_io_thread_new() : os_io_uring_new();
}

START_TEST(an_engine_reads_from_where_the_descriptor_is)
{
    OsIo *io = new_engine(_i);
    if (!io)
        return; /* a kernel without io_uring */
    g_autofree char *path = make_file("f", "0123456789", -1);
    gint fd = open(path, O_RDONLY | O_CLOEXEC);
    char into[8] = "";

    ck_assert_int_eq(transfer(io, &(OsTransfer){ .fd = fd, .into = into, .size = 4 }), 4);
    ck_assert_mem_eq(into, "0123", 4);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 4);
    ck_assert_int_eq(transfer(io, &(OsTransfer){ .fd = fd, .into = into, .size = 8 }), 6);
    ck_assert_mem_eq(into, "456789", 6);
    ck_assert_int_eq(transfer(io, &(OsTransfer){ .fd = fd, .into = into, .size = 8 }), 0);
    close(fd);
    ck_assert_int_eq(transfer(io, &(OsTransfer){ .fd = fd, .into = into, .size = 8 }), -EBADF);
    io->class->free(io);
}
END_TEST

static OsIo *ring;

static void
free_ring(OsTransfer *work)
{
    ring->class->free(ring);
    on_transferred(work);
}

START_TEST(a_ring_may_be_freed_by_whom_it_tells)
{
    g_autofree char *path = make_file("f", "0123456789", -1);
    gint fd = open(path, O_RDONLY | O_CLOEXEC);
    char into[4];
    OsTransfer work = { .fd = fd, .into = into, .size = sizeof into, .done = free_ring };

    ring = os_io_uring_new();
    transfer_is_done = !ring; /* a kernel without io_uring */
    if (ring)
        ck_assert(ring->class->start(ring, &work));
    await(&transfer_is_done);
    close(fd);
}
END_TEST

START_TEST(the_thread_writes_and_measures)
{
    OsIo *io = os_io_thread_new();
    g_autofree char *path = make_file("f", "", 0);
    gint fd = open(path, O_WRONLY | O_CLOEXEC);
    OsTransfer work = { .kind = OS_IO_WRITE, .fd = fd, .from = "abc", .size = 3 };

    ck_assert_int_eq(transfer(io, &work), 3);
    ck_assert_int_ge(work.duration, 0);
    work.kind = OS_IO_SIZE;
    ck_assert_int_eq(transfer(io, &work), 3);
    close(fd);
    io->class->free(io);
}
END_TEST

/* Trust, the base of writing at once */

START_TEST(only_a_brisk_transfer_earns_trust)
{
    g_autofree char *path = make_file("f", "", 0);
    gint fd = open(path, O_WRONLY | O_CLOEXEC);
    OsTransfer work = { .kind = OS_IO_WRITE, .fd = fd, .from = "abc", .size = 3 };
    OsPace pace;

    os_pace_init(&pace, fd);
    if (!pace.is_local) { /* a temporary folder on an unusual file system */
        close(fd);
        return;
    }
    ck_assert(!os_pace_try(&pace, &work));
    work.duration = 50 * G_TIME_SPAN_MILLISECOND;
    os_pace_learn(&pace, &work);
    ck_assert(!os_pace_try(&pace, &work));
    work.duration = 10;
    os_pace_learn(&pace, &work);
    ck_assert(os_pace_try(&pace, &work));
    ck_assert_int_eq(work.result, 3);
    work.size = 8 * MIB;
    ck_assert(!os_pace_try(&pace, &work));
    work.size = 3;
    pace.trusted_until = g_get_monotonic_time() - 1;
    ck_assert(!os_pace_try(&pace, &work));
    close(fd);
}
END_TEST

START_TEST(distrust_outlives_a_brisk_transfer)
{
    g_autofree char *path = make_file("f", "", 0);
    gint fd = open(path, O_WRONLY | O_CLOEXEC);
    OsTransfer work = { .kind = OS_IO_WRITE, .fd = fd, .from = "abc", .size = 3, .duration = 10 };
    OsPace pace = { .is_local = TRUE };

    pace.distrusted_until = g_get_monotonic_time() + G_TIME_SPAN_MINUTE;
    os_pace_learn(&pace, &work);
    ck_assert(!os_pace_try(&pace, &work));
    close(fd);
}
END_TEST

/* More tasks at a time than there are threads all come to their end. */

#define TASKS 50

static gint tasks_worked;
static gint tasks_done;
static gboolean tasks_are_done;

static void
task_work(gpointer data)
{
    g_usleep(1000);
    *(GThread **)data = g_thread_self();
    g_atomic_int_inc(&tasks_worked);
}

static void
task_done(gpointer data)
{
    ck_assert_ptr_ne(*(GThread **)data, g_thread_self());
    tasks_are_done = ++tasks_done == TASKS;
}

START_TEST(tasks_end_on_the_main_loop)
{
    GThread *threads[TASKS];

    tasks_worked = tasks_done = 0;
    tasks_are_done = FALSE;
    for (gint i = 0; i < TASKS; i++)
        ga_task_run(task_work, task_done, &threads[i]);
    ck_assert_int_eq(tasks_done, 0);
    await(&tasks_are_done);
    ck_assert_int_eq(g_atomic_int_get(&tasks_worked), TASKS);
}
END_TEST

static TCase *
case_of(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 3 * PATIENCE_SECONDS);
    suite_add_tcase(suite, tests);
    return tests;
}

static Suite *
file_suite(void)
{
    Suite *suite = suite_create("file");
    TCase *tests = case_of(suite, "opening");
    tcase_add_test(tests, every_mode_of_fopen_and_no_other);
    tcase_add_test(tests, a_new_file_has_permissions_whatever_the_umask_is);
    tcase_add_test(tests, an_existing_file_keeps_its_permissions);
    tcase_add_test(tests, a_dangling_link_is_not_followed_into_creation);
    tcase_add_test(tests, descriptors_are_left_for_others);

    tests = case_of(suite, "stream");
    tcase_add_test(tests, the_end_is_met_by_a_read_that_comes_short);
    tcase_add_test(tests, written_data_appears_block_by_block);
    tcase_add_test(tests, closing_reading_and_seeking_flush);
    tcase_add_test(tests, what_was_read_ahead_is_old_until_a_flush);
    tcase_add_test(tests, a_write_after_a_read_goes_where_reading_ended);
    tcase_add_test(tests, appending_goes_to_the_end_from_anywhere);
    tcase_add_test(tests, positions_out_of_range_are_refused_and_change_nothing);
    tcase_add_test(tests, a_full_disk_shows_at_the_flush_and_once_more);
    tcase_add_test(tests, a_handle_does_what_its_mode_says);
    tcase_add_test(tests, what_a_pipe_holds_is_answered_before_its_error);
    tcase_add_test(tests, a_pipe_ends_without_a_writer);
    tcase_add_test(tests, a_terminal_is_written_by_lines);

    tests = case_of(suite, "waiting");
    tcase_add_test(tests, any_piece_of_a_large_file_is_read_right);
    tcase_add_test(tests, a_file_of_the_kernel_is_read_to_its_end);
    tcase_add_test(tests, a_large_read_lets_others_have_their_turns);
    tcase_add_test(tests, a_large_count_costs_no_memory_that_is_not_read);
    tcase_add_test(tests, large_writes_arrive_whole);
    tcase_add_test(tests, what_is_buffered_at_the_end_is_written);
    tcase_add_test(tests, a_file_can_be_given_up_while_it_is_read);
    tcase_add_test(tests, only_a_brisk_transfer_earns_trust);
    tcase_add_test(tests, distrust_outlives_a_brisk_transfer);

    tests = case_of(suite, "engines");
    tcase_add_loop_test(tests, an_engine_reads_from_where_the_descriptor_is, 0, 2);
    tcase_add_test(tests, a_ring_may_be_freed_by_whom_it_tells);
    tcase_add_test(tests, the_thread_writes_and_measures);
    tcase_add_test(tests, tasks_end_on_the_main_loop);
    return suite;
}

int
main(void)
{
    return run_suite(file_suite());
}
