/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces written into a model of a file in memory and into a real one. */
#include "extensions/file/piece.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/refusal.h"
#include "runner.h"

#define SIZE (64 * 1024)

static void
write_both(gint fd, guint8 *model, gsize *model_size, guint64 offset, const guint8 *bytes,
           guint64 size)
{
    g_autofree char *text = bytes ? g_base64_encode(bytes, size) : NULL;
    GaPiece piece;

    ck_assert(ga_piece_init(&piece, offset, text, bytes ? NULL : &size, NULL, NULL));
    ck_assert(ga_piece_decode(&piece, NULL));
    ck_assert_uint_eq(ga_piece_end(&piece), offset + size);
    ck_assert(ga_piece_write(&piece, fd, "file", NULL));
    ga_piece_clear(&piece);

    if (bytes)
        memcpy(model + offset, bytes, size);
    else
        memset(model + offset, 0, size);
    if (size > 0 || !bytes)
        *model_size = MAX(*model_size, offset + size);
}

START_TEST(bytes_and_holes_become_what_they_say)
{
    gint fd = memfd_create("piece", MFD_CLOEXEC);
    g_autoptr(GRand) dice = g_rand_new_with_seed(7);
    g_autofree guint8 *model = g_malloc0(2 * SIZE);
    g_autofree guint8 *bytes = g_malloc(SIZE);
    g_autofree guint8 *found = g_malloc(2 * SIZE);
    gsize model_size = 0;
    struct stat status;

    for (guint i = 0; i < 300; i++) {
        guint64 size = (guint64)g_rand_int_range(dice, 1, SIZE);

        memset(bytes, (gint)i, size);
        write_both(fd, model, &model_size, (guint64)g_rand_int_range(dice, 0, SIZE),
                   g_rand_boolean(dice) ? bytes : NULL, size);
        ck_assert_int_eq(fstat(fd, &status), 0);
        ck_assert_int_eq(status.st_size, (goffset)model_size);
        ck_assert_int_eq(pread(fd, found, 2 * SIZE, 0), (gssize)model_size);
        ck_assert_int_eq(memcmp(found, model, model_size), 0);
    }
    close(fd);
}
END_TEST

static void
assert_refused(guint64 offset, const char *text, const guint64 *hole)
{
    g_autoptr(GError) error = NULL;
    GaPiece piece;

    ck_assert(!ga_piece_init(&piece, offset, text, hole, NULL, &error));
    ck_assert_int_eq(ga_refusal_of(error), GA_REFUSAL_BAD_VALUE);
}

START_TEST(a_piece_is_bytes_or_a_hole_within_a_file)
{
    guint64 small = 1, large = G_MAXUINT64;

    assert_refused(0, NULL, NULL);
    assert_refused(0, "", &small);
    assert_refused(0, NULL, &large);
    assert_refused(G_MAXINT64, NULL, &small);
    assert_refused(G_MAXUINT64, "", NULL);
}
END_TEST

START_TEST(bytes_must_have_their_digest)
{
    g_autoptr(GError) error = NULL;
    GaPiece piece;

    ck_assert(ga_piece_init(&piece, 0, "aGVs\nbG8=", NULL,
                            "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824",
                            NULL));
    ck_assert(ga_piece_decode(&piece, NULL));
    ck_assert_uint_eq(piece.size, 5);
    ga_piece_clear(&piece);
    ck_assert(ga_piece_init(&piece, 0, "aGVsbG8=", NULL, "2cf24d", NULL));
    ck_assert(!ga_piece_decode(&piece, &error));
    ck_assert_int_eq(ga_refusal_of(error), GA_REFUSAL_BAD_VALUE);
    ga_piece_clear(&piece);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("file-piece");
    TCase *tests = tcase_create("file-piece");

    tcase_add_test(tests, bytes_and_holes_become_what_they_say);
    tcase_add_test(tests, a_piece_is_bytes_or_a_hole_within_a_file);
    tcase_add_test(tests, bytes_must_have_their_digest);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
