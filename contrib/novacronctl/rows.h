/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of the agent, as the structs that its rows are. */
#pragma once

#include "novacronctl/client.h"

/* Ask for a page: the command with these arguments of a page, and `data`. */
typedef gboolean (*RowsAsk)(QgaClient *client, const NovacronPage *page, gconstpointer data,
                            NovacronTable **ret_table, GError **error);

/* All rows, page by page. `list` is the type of what is returned: a list of structs, to be freed by
 * qapi_free(). If the agent forgets the table meanwhile, it is asked for again, though not for
 * ever. */
GPtrArray *rows_read(QgaClient *client, const QapiType *list, RowsAsk ask, gconstpointer data,
                     GError **error);
