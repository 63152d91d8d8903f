/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of the guest. */
#include <stdlib.h>
#include <string.h>

#include "novacronctl/output.h"
#include "novacronctl/remote-folder.h"
#include "novacronctl/subcommand.h"
#include "novacronctl/table.h"

#define GUEST_PREFIX "guest:"
#define NAME 6 /* the column */

static void
take_number(Table *table, gboolean is_known, guint32 number)
{
    table_take(table, is_known ? g_strdup_printf("%u", number) : NULL);
}

static void
add_entry(Table *table, const NovacronFileEntry *entry)
{
    table_add(table, entry->mode);
    take_number(table, entry->has_uid, entry->uid);
    take_number(table, entry->has_gid, entry->gid);
    table_add_size(table, entry->has_size_bytes, entry->size_bytes);
    table_take(table, entry->has_modified_ns ? output_time(entry->modified_ns) : NULL);
    table_add(table, entry->has_type ? novacron_file_type_type.values[entry->type] : NULL);
    table_add(table, entry->name);
    table_add(table, entry->target);
}

int
ls_run(const Subcommand *subcommand, GError **error)
{
    static const char *const headings[] = { "MODE",     "UID",  "GID",  "SIZE",
                                            "MODIFIED", "TYPE", "NAME", "TARGET" };
    const char *word = subcommand->words[0];
    const char *path = g_str_has_prefix(word, GUEST_PREFIX) ? word + strlen(GUEST_PREFIX) : word;
    g_autoptr(Table)
        table = table_new(headings, G_N_ELEMENTS(headings), subcommand->options->columns, error);
    GPtrArray *entries = table ? remote_folder_list(subcommand->client, path, error) : NULL;

    if (!entries)
        return -1;
    if (subcommand->options->as_json) {
        output_result(&remote_folder_type, &entries);
    } else {
        for (guint i = 0; i < entries->len; i++)
            add_entry(table, entries->pdata[i]);
        table_sort(table, NAME);
        table_print(table);
    }
    qapi_free(&remote_folder_type, entries);
    return EXIT_SUCCESS;
}
