/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One page of a table: what a client asks for, and how it is told.
 *
 * The arguments are those of the schema's NovacronPage, and the reply is its NovacronTable.
 */
#pragma once

#include "core/table.h"

typedef struct {
    const char *since;        /* a generation; NULL: no changes are asked for */
    const GPtrArray *columns; /* names; NULL: all */
    guint limit;              /* of rows */
    gsize max_bytes;

    /* what the cursor says */
    char *place;      /* of the part of a table that is to be listed, or NULL */
    char *generation; /* of the table that is being told, or NULL */
    char *before;     /* of the one that it is compared with, or NULL */
    guint position;   /* in these two */
} GaPage;

/* From arguments, which `type` describes and which it borrows from. FALSE: refused, bad-value. */
gboolean ga_page_init(GaPage *page, const QapiType *type, gconstpointer args, GError **error);
void ga_page_clear(GaPage *page);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GaPage, ga_page_clear)

/* Whether an argument says which page, and not of what. */
gboolean ga_page_is_argument(const char *name);

/* Write the page: of the whole table, or, if there is one before and the two can be compared, of
 * what has changed. */
void ga_page_write(const GaPage *page, const GaTable *table, const GaTable *before,
                   QapiWriter *writer);

/* Write that nothing has changed. */
void ga_page_write_same(const GaPage *page, QapiWriter *writer);
