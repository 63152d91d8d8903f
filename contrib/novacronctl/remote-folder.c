/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "novacronctl/remote-folder.h"

#include "novacronctl/rows.h"

const QapiType remote_folder_type = {
    .name = "entries",
    .kind = QAPI_KIND_LIST,
    .element = &novacron_file_entry_type,
};

static gboolean
ask(QgaClient *client, const NovacronPage *page, gconstpointer data, NovacronTable **ret_table,
    GError **error)
{
    g_autofree char *path = g_strdup(data);
    const NovacronFileFolder args = { .path = path, .cursor = page->cursor };

    return qga_novacron_file_list(client, &args, ret_table, error);
}

GPtrArray *
remote_folder_list(QgaClient *client, const char *path, GError **error)
{
    return rows_read(client, &remote_folder_type, ask, path, error);
}
