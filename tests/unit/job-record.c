/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of jobs in a folder of ours. */
#include "extensions/job/record.h"

#include <glib/gstdio.h>

#include "runner.h"
#include "runtime/qapi-write.h"

static char *folder;

static void
setup(void)
{
    g_autofree char *parent = g_dir_make_tmp("job-record-XXXXXX", NULL);

    folder = g_build_filename(parent, "not", "there", "yet", NULL);
}

static void
remove_file(const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    ck_assert_int_eq(g_unlink(path), 0);
}

static void
teardown(void)
{
    for (guint i = 0; i < 4; i++) {
        char *parent = g_path_get_dirname(folder);

        ck_assert_int_eq(g_rmdir(folder), 0);
        g_free(folder);
        folder = parent;
    }
    g_free(folder);
}

static void
write_record(const char *id, gint64 created, const char *result)
{
    NovacronJob job = { .id = (char *)(gsize)id,
                        .command = (char *)(gsize) "novacron-x",
                        .status = NOVACRON_JOB_STATUS_RUNNING,
                        .created_ns = created };
    g_autofree char *text = ga_record_text(&job, result);

    ck_assert(ga_record_write(folder, id, text, NULL));
}

static void
assert_record(GPtrArray *records, guint i, const char *id, const char *result)
{
    const NovacronJobRecord *record = records->pdata[i];

    ck_assert_str_eq(record->job->id, id);
    ck_assert_int_eq(record->result != NULL, result != NULL);
    if (!result)
        return;
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    qapi_write_echo(writer, record->result->value, record->result->node);
    g_autofree char *text = qapi_writer_to_text(writer, NULL);
    ck_assert_str_eq(text, result);
}

static void
free_records(GPtrArray *records)
{
    for (guint i = 0; i < records->len; i++)
        novacron_job_record_free(records->pdata[i]);
    g_ptr_array_unref(records);
}

START_TEST(records_are_read_as_they_were_written_the_eldest_first)
{
    write_record("b", 2, "{\"x\": [1, 2]}");
    write_record("a", 1, NULL);
    GPtrArray *records = ga_record_read_all(folder);

    ck_assert_uint_eq(records->len, 2);
    assert_record(records, 0, "a", NULL);
    assert_record(records, 1, "b", "{\"x\": [1, 2]}");
    free_records(records);
    ga_record_remove(folder, "a");
    ga_record_remove(folder, "b");
    ga_record_remove(folder, "b");
}
END_TEST

START_TEST(what_is_not_a_record_is_passed_over_and_left)
{
    static const char *const texts[] = { "", "{", "[]", "{\"job\": 1}", "{\"job\": {}}" };

    write_record("good", 1, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *name = g_strdup_printf("%s/bad-%u.json", folder, i);
        ck_assert(g_file_set_contents(name, texts[i], -1, NULL));
    }
    GPtrArray *records = ga_record_read_all(folder);
    ck_assert_uint_eq(records->len, 1);
    assert_record(records, 0, "good", NULL);
    free_records(records);
    ga_record_remove(folder, "good");
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *name = g_strdup_printf("bad-%u.json", i);
        remove_file(name);
    }
}
END_TEST

START_TEST(without_a_folder_there_are_none)
{
    GPtrArray *records = ga_record_read_all(folder);

    ck_assert_uint_eq(records->len, 0);
    free_records(records);
    ck_assert_int_eq(g_mkdir_with_parents(folder, 0700), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("job-record");
    TCase *tests = tcase_create("job-record");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, records_are_read_as_they_were_written_the_eldest_first);
    tcase_add_test(tests, what_is_not_a_record_is_passed_over_and_left);
    tcase_add_test(tests, without_a_folder_there_are_none);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
