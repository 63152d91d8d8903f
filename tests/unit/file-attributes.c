/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extensions/file/attributes.h"

#include <unistd.h>

#include "core/refusal.h"
#include "runner.h"

START_TEST(modes_are_octal)
{
    static const struct {
        const char *text;
        guint mode;
    } cases[] = {
        { "0", 0 }, { "644", 0644 }, { "0644", 0644 }, { "4755", 04755 }, { "07777", 07777 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint mode = G_MAXUINT;

        ck_assert(ga_mode_parse(cases[i].text, &mode, NULL));
        ck_assert_uint_eq(mode, cases[i].mode);
    }
}
END_TEST

START_TEST(what_is_no_mode_is_refused)
{
    static const char *const cases[] = { "", "8", "0o644", "-1", "10000", "000644", "u+x", " 644" };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        guint mode = 77;

        ck_assert(!ga_mode_parse(cases[i], &mode, &error));
        ck_assert_int_eq(ga_refusal_of(error), GA_REFUSAL_BAD_VALUE);
        ck_assert_uint_eq(mode, 77);
    }
}
END_TEST

static gboolean
find(const char *user, const char *group, guint32 *ret_uid, guint32 *ret_gid, GError **error)
{
    GaAttributes attributes;

    ga_attributes_init(&attributes, NULL, user, group);
    gboolean is_found = ga_owner_find(&attributes, ret_uid, ret_gid, error);
    ga_attributes_clear(&attributes);
    return is_found;
}

START_TEST(owners_have_names_or_numbers)
{
    guint32 uid, gid;

    ck_assert(find("root", "0", &uid, &gid, NULL));
    ck_assert_uint_eq(uid, 0);
    ck_assert_uint_eq(gid, 0);
    ck_assert(find("4294967294", NULL, &uid, &gid, NULL));
    ck_assert_uint_eq(uid, G_MAXUINT32 - 1);
    ck_assert_uint_eq(gid, GA_ID_SAME);
}
END_TEST

/* The largest number means "as it is": nobody may slip it in. */
START_TEST(nobody_is_found_by_an_odd_name)
{
    static const char *const cases[] = { "", "-1", "4294967295", "99999999999", "1 ", "no:body" };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        guint32 uid, gid;

        ck_assert(!find(cases[i], NULL, &uid, &gid, &error));
        ck_assert_int_eq(ga_refusal_of(error), GA_REFUSAL_NOT_FOUND);
        ck_assert(!find(NULL, cases[i], &uid, &gid, NULL));
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("file-attributes");
    TCase *tests = tcase_create("file-attributes");

    tcase_add_test(tests, modes_are_octal);
    tcase_add_test(tests, what_is_no_mode_is_refused);
    tcase_add_test(tests, owners_have_names_or_numbers);
    tcase_add_test(tests, nobody_is_found_by_an_odd_name);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
