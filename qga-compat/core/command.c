/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking up a row of the command table. */
#include "core/command.h"

#include <string.h>

const GaCommand *
ga_command_find(const GaCommandTable *table, const char *name)
{
    guint low = 0;
    guint high = table->n_rows;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        const GaCommand *row = &table->rows[table->by_name[middle]];
        gint order = strcmp(name, row->name);

        if (order == 0)
            return row;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
