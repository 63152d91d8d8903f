/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The classes a client can be told. */
#include "runtime/qapi-error.h"

#include "runner.h"

START_TEST(codes_are_classes_on_the_wire)
{
    static const char *const names[] = {
        [QAPI_ERROR_GENERIC] = "GenericError",
        [QAPI_ERROR_COMMAND_NOT_FOUND] = "CommandNotFound",
        [QAPI_ERROR_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
        [QAPI_ERROR_DEVICE_NOT_FOUND] = "DeviceNotFound",
        [QAPI_ERROR_KVM_MISSING_CAP] = "KVMMissingCap",
    };

    for (gint code = 0; code < (gint)G_N_ELEMENTS(names); code++) {
        g_autoptr(GError) error = g_error_new_literal(QAPI_ERROR, code, "");
        ck_assert_str_eq(qapi_error_class_name(error), names[code]);
    }
}
END_TEST

START_TEST(errors_of_other_domains_are_generic)
{
    g_autoptr(GError) error = g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_ISDIR, "");

    ck_assert_str_eq(qapi_error_class_name(error), "GenericError");
}
END_TEST

START_TEST(messages_are_kept_to_the_byte)
{
    g_autoptr(GError) error = NULL;

    qapi_set_error(&error, "file '%s' is %d", "\xFF%s", 7);
    ck_assert(g_error_matches(error, QAPI_ERROR, QAPI_ERROR_GENERIC));
    ck_assert_str_eq(error->message, "file '\xFF%s' is 7");
    qapi_set_error(NULL, "nobody asked");
}
END_TEST

static Suite *
qapi_error_suite(void)
{
    Suite *suite = suite_create("qapi-error");
    TCase *tcase = tcase_create("all");

    tcase_add_test(tcase, codes_are_classes_on_the_wire);
    tcase_add_test(tcase, errors_of_other_domains_are_generic);
    tcase_add_test(tcase, messages_are_kept_to_the_byte);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(qapi_error_suite());
}
