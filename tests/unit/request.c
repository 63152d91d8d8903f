/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Envelopes, and which of several problems is named. */
#include "core/request.h"

#include <check.h>
#include <string.h>

#include "runner.h"
#include "runtime/qapi-parse.h"

typedef struct {
    const char *text;
    const char *message; /* NULL: well-formed */
} Case;

/* Recorded from the real program. */
static const Case cases[] = {
    { "{'execute': 'a'}", NULL },
    { "{'arguments': {}, 'id': null, 'execute': 'a'}", NULL },
    { "[]", "QMP input must be a JSON object" },
    { "'execute'", "QMP input must be a JSON object" },
    { "{}", "QMP input lacks member 'execute'" },
    { "{'id': 1}", "QMP input lacks member 'execute'" },
    { "{'execute': 1}", "QMP input member 'execute' must be a string" },
    { "{'execute': 'a', 'arguments': []}", "QMP input member 'arguments' must be an object" },
    { "{'execute': 'a', 'exec-oob': 'b'}", "QMP input member 'exec-oob' is unexpected" },
    /* exec-oob is in bucket 162, before execute (299); arguments in 447 */
    { "{'execute': 1, 'exec-oob': 'b'}", "QMP input member 'exec-oob' is unexpected" },
    { "{'arguments': 1, 'execute': 1}", "QMP input member 'execute' must be a string" },
    /* success-response and pid share bucket 472: the newest comes first */
    { "{'pid': 1, 'success-response': 1}", "QMP input member 'success-response' is unexpected" },
    { "{'success-response': 1, 'pid': 1}", "QMP input member 'pid' is unexpected" },
};

START_TEST(each_envelope_is_read_or_refused_as_upstream_does)
{
    const Case *expected = &cases[_i];
    g_autoptr(QapiValue) value = qapi_parse(expected->text, strlen(expected->text), NULL);
    g_autoptr(GError) error = NULL;
    GaRequest request;

    ck_assert(ga_request_read(value, &request, &error) == !expected->message);
    if (expected->message)
        ck_assert_str_eq(error->message, expected->message);
    else
        ck_assert_str_eq(request.command, "a");
    ck_assert((request.id != NULL) == (strstr(expected->text, "'id'") != NULL));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("request");
    TCase *tcase = tcase_create("request");

    tcase_add_loop_test(tcase, each_envelope_is_read_or_refused_as_upstream_does, 0,
                        G_N_ELEMENTS(cases));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
