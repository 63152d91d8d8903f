/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each kernel that this machine can run against a naive model, on all small
 * sizes at all alignments. What the model does at the edges was seen on
 * qemu-ga 11.1.3.
 */
#include "runtime/qapi-base64.h"

#include <string.h>

#include "runner.h"
#include "runtime/qapi-base64-private.h"

#define SIZES 200
#define ALIGNMENTS 32

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static guint32
model_digit(char c)
{
    return c == '=' ? 0 : (guint32)(strchr(alphabet, c) - alphabet);
}

/* One character after the other; NULL for what is to be refused. */
static GByteArray *
model_decode(const char *text, gsize length)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    char group[4];
    guint n_chars = 0;

    for (gsize i = 0; i < length; i++) {
        if (text[i] == '\n')
            continue;
        if (text[i] != '=' && (!text[i] || !strchr(alphabet, text[i])))
            return NULL;
        group[n_chars++] = text[i];
        if (n_chars < 4)
            continue;

        guint32 bits = 0;
        for (n_chars = 0; n_chars < 4; n_chars++)
            bits = bits * 64 + model_digit(group[n_chars]);
        guint8 bytes[] = { (guint8)(bits >> 16), (guint8)(bits >> 8), (guint8)bits };
        g_byte_array_append(data, bytes, 1);
        if (group[2] != '=')
            g_byte_array_append(data, bytes + 1, 1);
        if (group[3] != '=')
            g_byte_array_append(data, bytes + 2, 1);
        n_chars = 0;
    }
    return g_steal_pointer(&data);
}

/* Whether a kernel does with `place` (room for one byte more) what the model does. Not an
 * assertion, for those are slow and this is done a million times. */
static gboolean
decodes_as_model(const QapiBase64Kernel *kernel, char *place, gsize length,
                 const GByteArray *expected)
{
    gsize size = G_MAXSIZE;

    place[length] = '#';
    gboolean is_good = qapi_base64_decode_with(kernel, place, length, &size);
    if (place[length] != '#' || is_good != (expected != NULL))
        return FALSE;
    if (!is_good)
        return size == G_MAXSIZE;
    return size == expected->len && (!size || !memcmp(place, expected->data, size));
}

static void
check_decode(const QapiBase64Kernel *kernel, const char *text, gsize length)
{
    g_autoptr(GByteArray) expected = model_decode(text, length);
    char memory[ALIGNMENTS + SIZES + 1];

    for (gsize alignment = 0; alignment < ALIGNMENTS; alignment++) {
        memcpy(memory + alignment, text, length);
        if (!decodes_as_model(kernel, memory + alignment, length, expected))
            ck_abort_msg("%s at %zu: %.*s", kernel->name, alignment, (int)length, text);
    }
}

START_TEST(every_size_is_encoded_as_glib_does)
{
    const QapiBase64Kernel *kernel = qapi_base64_kernel((guint)_i);
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    guint8 memory[ALIGNMENTS + SIZES];
    char text[QAPI_BASE64_SIZE(SIZES) + 1];

    if (!kernel)
        return;
    for (guint i = 0; i < sizeof(memory); i++)
        memory[i] = (guint8)g_rand_int(random);
    for (gsize size = 0; size <= SIZES; size++)
        for (gsize alignment = 0; alignment < ALIGNMENTS; alignment++) {
            g_autofree char *expected = g_base64_encode(memory + alignment, size);
            memset(text, '\0', sizeof(text));
            qapi_base64_encode_with(kernel, memory + alignment, size, text);
            if (strcmp(text, expected))
                ck_abort_msg("%s: %zu bytes at %zu", kernel->name, size, alignment);
        }
}
END_TEST

START_TEST(every_size_is_decoded)
{
    const QapiBase64Kernel *kernel = qapi_base64_kernel((guint)_i);
    g_autoptr(GRand) random = g_rand_new_with_seed(2);
    char text[SIZES];

    if (!kernel)
        return;
    for (guint i = 0; i < SIZES; i++)
        text[i] = alphabet[g_rand_int_range(random, 0, 64)];
    for (gsize length = 0; length <= SIZES; length++)
        check_decode(kernel, text, length);
}
END_TEST

START_TEST(every_byte_is_told_apart_at_every_place)
{
    const QapiBase64Kernel *kernel = qapi_base64_kernel((guint)_i);
    char text[80];

    if (!kernel)
        return;
    memset(text, 'z', sizeof(text));
    for (gsize place = 0; place < sizeof(text); place++) {
        for (guint byte = 0; byte < 256; byte++) {
            text[place] = (char)byte;
            check_decode(kernel, text, sizeof(text));
        }
        text[place] = 'z';
    }
}
END_TEST

START_TEST(random_texts_are_decoded)
{
    const QapiBase64Kernel *kernel = qapi_base64_kernel((guint)_i);
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    char text[SIZES];

    if (!kernel)
        return;
    for (guint round = 0; round < 5000; round++) {
        gsize length = (gsize)g_rand_int_range(random, 0, SIZES + 1);
        for (gsize i = 0; i < length; i++)
            text[i] = alphabet[g_rand_int_range(random, 0, 64)];
        /* newlines and padding, and a rare intruder */
        for (gint left = g_rand_int_range(random, 0, 8); left && length; left--)
            text[g_rand_int_range(random, 0, (gint32)length)] =
                "\n\n\n\n===\r"[g_rand_int_range(random, 0, 8)];
        check_decode(kernel, text, length);
    }
}
END_TEST

START_TEST(padding_is_what_upstream_makes_of_it)
{
    static const struct {
        const char *text;
        const char *data;
        gsize size;
    } cases[] = {
        { "", "", 0 },
        { "YWJj", "abc", 3 },
        { "YWI=", "ab", 2 },
        { "YQ==", "a", 1 },
        { "YWI", "", 0 },
        { "YWJjZA", "abc", 3 },
        { "YQ==YQ==", "aa", 2 },
        { "YWJj=", "abc", 3 },
        { "====", "\0", 1 },
        { "A===", "\0", 1 },
        { "AA=A", "\0\0", 2 },
        { "A=AA", "\0\0\0", 3 },
        { "YQ\n=\n=\nYQ==", "aa", 2 },
        { "\nY\nW\nJ\nj\n", "abc", 3 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup(cases[i].text);
        gsize size;
        ck_assert(qapi_base64_decode(text, strlen(text), &size, NULL));
        ck_assert_uint_eq(size, cases[i].size);
        ck_assert_mem_eq(text, cases[i].data, size);
    }
}
END_TEST

START_TEST(other_characters_are_refused)
{
    static const char *const cases[] = { "YWJj ", "YW\r\nJj", "Y-_j", "YWJj\xC0\x80", "\t" };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup(cases[i]);
        g_autoptr(GError) error = NULL;
        gsize size;
        ck_assert(!qapi_base64_decode(text, strlen(text), &size, &error));
        ck_assert_str_eq(error->message, "Base64 data contains invalid characters");
    }
}
END_TEST

START_TEST(pieces_of_whole_groups_join)
{
    g_autofree char *whole = g_base64_encode((const guchar *)"0123456789abcdefghijklmn", 23);
    char text[32];

    qapi_base64_encode("0123456789ab", 12, text);
    qapi_base64_encode("cdefghijklmn", 11, text + 16);
    ck_assert_mem_eq(text, whole, sizeof(text));
}
END_TEST

static Suite *
qapi_base64_suite(void)
{
    Suite *suite = suite_create("qapi-base64");
    TCase *tcase = tcase_create("all");
    const int max_kernels = 3;

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_size_is_encoded_as_glib_does, 0, max_kernels);
    tcase_add_loop_test(tcase, every_size_is_decoded, 0, max_kernels);
    tcase_add_loop_test(tcase, every_byte_is_told_apart_at_every_place, 0, max_kernels);
    tcase_add_loop_test(tcase, random_texts_are_decoded, 0, max_kernels);
    tcase_add_test(tcase, padding_is_what_upstream_makes_of_it);
    tcase_add_test(tcase, other_characters_are_refused);
    tcase_add_test(tcase, pieces_of_whole_groups_join);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(qapi_base64_suite());
}
