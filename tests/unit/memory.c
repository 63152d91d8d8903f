/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of memory of a folder of ours. */
#include "linux/memory.h"

#include <errno.h>

#include "json.h"
#include "runner.h"
#include "tree.h"

#define MORE_ENTRIES "power", "probe=", "auto_online_blocks=online"

/* With the slash at the end. */
static char *
slashed(const char *folder)
{
    return g_strconcat(folder, "/", NULL);
}

static void
assert_blocks(const char *state, const char *removable, const char *expected)
{
    char *root = tree_new((const char *const[]){ MORE_ENTRIES, "memory3", state, removable, NULL });
    g_autofree char *folder = slashed(root);
    g_autoptr(GError) error = NULL;
    GPtrArray *blocks = os_memory_blocks_read(folder, &error);

    if (blocks)
        assert_json(state, &guest_memory_block_list_type, blocks, expected);
    else
        ck_assert_str_eq(error->message, expected);
    tree_free(root);
}

START_TEST(state_and_removable_make_a_block)
{
#define BLOCK(online, can) "[{\"online\": " online ", \"can-offline\": " can ", \"phys-index\": 3}]"
    assert_blocks("power", NULL, BLOCK("true", "false"));
    assert_blocks("power", "memory3/removable=1\n", BLOCK("true", "false"));
    assert_blocks("memory3/state=online\n", NULL, BLOCK("true", "false"));
    assert_blocks("memory3/state=online\n", "memory3/removable=1\n", BLOCK("true", "true"));
    assert_blocks("memory3/state=offline\n", "memory3/removable=0\n", BLOCK("false", "false"));
    assert_blocks("memory3/state=going-offline\n", "memory3/removable=1", BLOCK("false", "true"));
    assert_blocks("memory3/state=online_movable\n", "memory3/removable=1", BLOCK("true", "true"));
#undef BLOCK
}
END_TEST

START_TEST(what_cannot_be_read_is_an_error)
{
    assert_blocks("memory3/state=", NULL, "pread sysfs file \"state\": unexpected EOF");
    assert_blocks("memory3/state", NULL, "pread sysfs file \"state\": Is a directory");
    assert_blocks("memory3/state=online",
                  "memory3/removable=", "pread sysfs file \"removable\": unexpected EOF");
}
END_TEST

START_TEST(no_folder_means_no_blocks_but_an_empty_one_is_an_error)
{
    char *root = tree_new((const char *const[]){ MORE_ENTRIES, "memory7=", NULL });
    g_autofree char *folder = slashed(root);
    g_autofree char *file = g_strconcat(folder, "probe/", NULL);
    g_autofree char *unopened = g_strdup_printf("Can't open directory\"%s\": Not a directory",
                                                file);
    GError *error = NULL;

    assert_json("none", &guest_memory_block_list_type, os_memory_blocks_read("/nonexistent/", NULL),
                "[]");
    ck_assert_ptr_null(os_memory_blocks_read(folder, &error));
    ck_assert_str_eq(error->message, "guest reported zero memory blocks!");
    g_clear_error(&error);
    ck_assert_ptr_null(os_memory_blocks_read(file, &error));
    ck_assert_str_eq(error->message, unopened);
    g_clear_error(&error);
    tree_free(root);
}
END_TEST

static void
assert_set(const char *folder, guint64 index, gboolean online, GuestMemoryBlockResponseType type,
           gint number)
{
    g_autoptr(GuestMemoryBlockResponse) response = os_memory_block_set(folder, index, online);

    ck_assert_uint_eq(response->phys_index, index);
    ck_assert_int_eq(response->response, type);
    ck_assert_int_eq(response->has_error_code, number >= 0);
    ck_assert_int_eq(response->error_code, MAX(number, 0));
}

#define NO_NUMBER (-1)
#define SUCCESS GUEST_MEMORY_BLOCK_RESPONSE_TYPE_SUCCESS
#define NOT_FOUND GUEST_MEMORY_BLOCK_RESPONSE_TYPE_NOT_FOUND
#define NOT_SUPPORTED GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_NOT_SUPPORTED
#define FAILED GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_FAILED

START_TEST(setting_a_block_has_many_outcomes)
{
    char *root = tree_new((const char *const[]){
        "memory1", "memory2/state=online\n", "memory3/state=", "memory4/state", "memory5=", NULL });
    g_autofree char *folder = slashed(root);
    g_autofree char *file = g_strconcat(folder, "memory5/", NULL);

    assert_set(folder, 1, TRUE, SUCCESS, ENOENT);
    assert_set(folder, 1, FALSE, NOT_SUPPORTED, ENOENT);
    assert_set(folder, 2, TRUE, SUCCESS, NO_NUMBER);
    assert_set(folder, 2, FALSE, SUCCESS, NO_NUMBER);
    assert_set(folder, 3, TRUE, FAILED, 0);
    assert_set(folder, 4, TRUE, FAILED, EISDIR);
    assert_set(folder, 5, TRUE, FAILED, ENOTDIR);
    assert_set(folder, 6, TRUE, NOT_FOUND, ENOENT);
    assert_set(folder, G_MAXUINT64, TRUE, NOT_FOUND, ENOENT);
    assert_set("/nonexistent/", 1, TRUE, NOT_SUPPORTED, ENOENT);
    assert_set(file, 1, TRUE, SUCCESS, ENOTDIR);

    g_autofree char *state = tree_text(root, "memory2/state");
    ck_assert_str_eq(state, "offline");
    tree_free(root);
}
END_TEST

START_TEST(the_size_is_hexadecimal)
{
    static const struct {
        const char *entry;
        guint64 size;
        const char *error;
    } cases[] = {
        { "block_size_bytes=8000000\n", 0x8000000, NULL },
        { "block_size_bytes=x", 0, NULL },
        { "block_size_bytes=-1", G_MAXUINT64, NULL },
        { "block_size_bytes=ffffffffffffffff", G_MAXINT64, NULL },
        { "block_size_bytes=00000000000000000008", 8, NULL },
        { "block_size_bytes=000000000000000000008", 0, NULL }, /* as far as upstream reads */
        { "block_size_bytes=", 0, "pread sysfs file \"block_size_bytes\": unexpected EOF" },
        { "power", 0, "open sysfs file \"block_size_bytes\": No such file or directory" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *root = tree_new((const char *const[]){ cases[i].entry, NULL });
        g_autofree char *folder = slashed(root);
        g_autoptr(GError) error = NULL;
        guint64 size;

        if (os_memory_block_size(folder, &size, &error)) {
            ck_assert_ptr_null(cases[i].error);
            ck_assert_uint_eq(size, cases[i].size);
        } else {
            ck_assert_str_eq(error->message, cases[i].error);
        }
        tree_free(root);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");

    tcase_add_test(tcase, state_and_removable_make_a_block);
    tcase_add_test(tcase, what_cannot_be_read_is_an_error);
    tcase_add_test(tcase, no_folder_means_no_blocks_but_an_empty_one_is_an_error);
    tcase_add_test(tcase, setting_a_block_has_many_outcomes);
    tcase_add_test(tcase, the_size_is_hexadecimal);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
