/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest-ssh-*-authorized-keys, over a file that is a string. */
#include <string.h>

#include "platform/ssh-keys.h"
#include "runner.h"
#include "runtime/qapi-error.h"
#include "table-agent.h"

#define DONE "{\"return\": {}}\n"
#define ERROR(text) "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" text "\"}}\n"

struct OsSshKeys {
    gint nothing;
};

static OsSshKeys the_keys;

/* What is there. */
static char *file;         /* NULL: nothing */
static gint reading_error; /* an OsSshKeysError; -1: none */
static gboolean is_prepared;
static guint n_writes;

GQuark
os_ssh_keys_error_quark(void)
{
    return g_quark_from_static_string("os-ssh-keys-error");
}

OsSshKeys *
os_ssh_keys_open(const char *username, GError **error)
{
    if (strcmp(username, "bob") == 0)
        return &the_keys;
    qapi_set_error(error, "no %s", username);
    return NULL;
}

void
os_ssh_keys_close(G_GNUC_UNUSED OsSshKeys *keys)
{
}

char *
os_ssh_keys_read(G_GNUC_UNUSED const OsSshKeys *keys, GError **error)
{
    gint code = file ? reading_error : OS_SSH_KEYS_MISSING;

    if (code < 0)
        return g_strdup(file);
    g_set_error(error, OS_SSH_KEYS_ERROR, code, "error %d", code);
    return NULL;
}

gboolean
os_ssh_keys_prepare(G_GNUC_UNUSED const OsSshKeys *keys, G_GNUC_UNUSED GError **error)
{
    is_prepared = TRUE;
    return TRUE;
}

gboolean
os_ssh_keys_write(G_GNUC_UNUSED const OsSshKeys *keys, const char *text,
                  G_GNUC_UNUSED GError **error)
{
    g_free(file);
    file = g_strdup(text);
    n_writes++;
    return TRUE;
}

static void
assert_reply(const char *verb, const char *arguments, const char *reply)
{
    g_autoptr(TableAgent) agent = table_agent_new();
    g_autofree char *request = g_strdup_printf(
        "{\"execute\": \"guest-ssh-%s-authorized-keys\", \"arguments\": {%s}}", verb, arguments);

    g_autofree char *got = table_agent_ask(agent, request);
    ck_assert_str_eq(got, reply);
}

static void
set_file(const char *text)
{
    g_free(file);
    file = g_strdup(text);
    is_prepared = FALSE;
    n_writes = 0;
    reading_error = -1;
}

static void
assert_change(const char *before, const char *verb, const char *arguments, const char *after)
{
    g_autofree char *all = g_strdup_printf("\"username\": \"bob\", %s", arguments);

    set_file(before);
    assert_reply(verb, all, DONE);
    ck_assert_str_eq(file, after);
    ck_assert_uint_eq(n_writes, 1);
}

static void
teardown(void)
{
    g_clear_pointer(&file, g_free);
}

START_TEST(the_list_is_reversed_trimmed_and_without_comments)
{
    static const struct {
        const char *text, *keys;
    } cases[] = {
        { "", "" },
        { "\n\n", "" },
        { "a", "\"a\"" },
        { "a\nb\nc\n", "\"c\", \"b\", \"a\"" },
        { " \ta b \r\n#c\n #d\n\na b\n", "\"a b\", \"a b\"" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reply = g_strdup_printf("{\"return\": {\"keys\": [%s]}}\n", cases[i].keys);

        set_file(cases[i].text);
        assert_reply("get", "\"username\": \"bob\"", reply);
    }
}
END_TEST

START_TEST(new_keys_come_behind_once_each)
{
    assert_change("", "add", "\"keys\": [\"a\", \"b\", \"a\"]", "a\nb");
    assert_change("a", "add", "\"keys\": [\"b\"]", "a\nb");
    assert_change("a\n", "add", "\"keys\": [\"b\"]", "a\n\nb");
    assert_change("a\n#c\n", "add", "\"keys\": [\"a\", \" a\"]", "a\n#c\n\n a");
    assert_change("", "add", "\"keys\": [\"\", \"a\"]", "\na");
    assert_change("a\n", "add", "\"keys\": [\"\"]", "a\n");
    assert_change("a\n", "add", "\"keys\": []", "a\n");
    ck_assert(!is_prepared);
}
END_TEST

START_TEST(a_reset_forgets_the_rest)
{
    assert_change("a\nb\n", "add", "\"keys\": [\"c\"], \"reset\": true", "c");
    ck_assert(is_prepared);
    assert_change("a\nb\n", "add", "\"keys\": [], \"reset\": true", "");
    assert_change("a", "add", "\"keys\": [\"c\"], \"reset\": false", "a\nc");
}
END_TEST

START_TEST(a_file_is_made_where_there_is_none)
{
    assert_change(NULL, "add", "\"keys\": [\"a\"]", "a");
    ck_assert(is_prepared);
}
END_TEST

/* Upstream's way. */
START_TEST(a_file_that_the_system_does_not_read_is_replaced)
{
    set_file("a");
    reading_error = OS_SSH_KEYS_UNREADABLE;
    assert_reply("add", "\"username\": \"bob\", \"keys\": [\"b\"]", DONE);
    ck_assert_str_eq(file, "b");
}
END_TEST

START_TEST(but_not_one_that_we_do_not_read)
{
    set_file("a");
    reading_error = OS_SSH_KEYS_REFUSED;
    assert_reply("add", "\"username\": \"bob\", \"keys\": [\"b\"]", ERROR("error 2"));
    assert_reply("remove", "\"username\": \"bob\", \"keys\": [\"b\"]", ERROR("error 2"));
    ck_assert_uint_eq(n_writes, 0);
}
END_TEST

START_TEST(lines_that_are_the_keys_go)
{
    assert_change("a\nb\na\n", "remove", "\"keys\": [\"a\"]", "b\n");
    assert_change("a\n\n#a\n a", "remove", "\"keys\": [\"a\", \"x\"]", "\n#a\n a");
    assert_change("a\nb\n", "remove", "\"keys\": [\"a\", \"b\", \"\"]", "");
    assert_change("a\nb", "remove", "\"keys\": []", "a\nb");
    assert_change("", "remove", "\"keys\": [\"a\"]", "");
}
END_TEST

START_TEST(nothing_is_removed_from_nothing)
{
    set_file(NULL);
    assert_reply("remove", "\"username\": \"bob\", \"keys\": [\"a\"]", DONE);
    ck_assert_uint_eq(n_writes, 0);

    set_file("a");
    reading_error = OS_SSH_KEYS_UNREADABLE;
    assert_reply("remove", "\"username\": \"bob\", \"keys\": [\"a\"]", ERROR("error 1"));
    ck_assert_uint_eq(n_writes, 0);
}
END_TEST

START_TEST(what_is_no_key_is_told_before_who_is_no_user)
{
    static const char *const verbs[] = { "add", "remove" };

    set_file("a");
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
        assert_reply(verbs[i], "\"username\": \"eve\", \"keys\": [\"k\", \"#x\"]",
                     ERROR("invalid OpenSSH public key: '#x'"));
        assert_reply(verbs[i], "\"username\": \"bob\", \"keys\": [\"a\\nb\"]",
                     ERROR("invalid OpenSSH public key: 'a\\nb'"));
        assert_reply(verbs[i], "\"username\": \"eve\", \"keys\": [\"k\"]", ERROR("no eve"));
    }
    assert_reply("get", "\"username\": \"eve\"", ERROR("no eve"));
    ck_assert_uint_eq(n_writes, 0);
}
END_TEST

/* Two lists of this length would take hours with a search from end to end. */
START_TEST(long_lists_take_no_time)
{
    g_autoptr(GString) text = g_string_new(NULL), keys = g_string_new("\"keys\": [\"k\"");

    for (guint i = 0; i < 200000; i++) {
        g_string_append_printf(text, "old %u\n", i);
        g_string_append_printf(keys, ", \"new %u\"", i);
    }
    g_string_append(keys, "]");
    gint64 began = g_get_monotonic_time();
    g_autofree char *before = g_strdup(text->str);
    g_autofree char *all = g_strdup_printf("\"username\": \"bob\", %s", keys->str);
    set_file(before);
    assert_reply("add", all, DONE);
    assert_reply("remove", all, DONE);
    ck_assert_str_eq(file, before);
    ck_assert_int_lt(g_get_monotonic_time() - began, 20 * G_USEC_PER_SEC);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ssh");
    TCase *tcase = tcase_create("ssh");

    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, the_list_is_reversed_trimmed_and_without_comments);
    tcase_add_test(tcase, new_keys_come_behind_once_each);
    tcase_add_test(tcase, a_reset_forgets_the_rest);
    tcase_add_test(tcase, a_file_is_made_where_there_is_none);
    tcase_add_test(tcase, a_file_that_the_system_does_not_read_is_replaced);
    tcase_add_test(tcase, but_not_one_that_we_do_not_read);
    tcase_add_test(tcase, lines_that_are_the_keys_go);
    tcase_add_test(tcase, nothing_is_removed_from_nothing);
    tcase_add_test(tcase, what_is_no_key_is_told_before_who_is_no_user);
    tcase_add_test(tcase, long_lists_take_no_time);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
