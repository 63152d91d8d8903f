/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SHA-256 of a range of a file, computed a step at a time. For threads. */
#pragma once

#include "file/steps.h"

typedef struct {
    gint fd; /* borrowed */
    GChecksum *checksum;
    guint64 begin, at, end;
} GaHash;

/* `end` may lie beyond the end of the file: G_MAXINT64. */
void ga_hash_init(GaHash *hash, gint fd, guint64 begin, guint64 end);
void ga_hash_clear(GaHash *hash);

/* `path` is for errors. Done: `at` is where it has ended. */
GaStep ga_hash_step(GaHash *hash, const char *path, GError **error);

/* In hexadecimal digits; borrowed. */
const char *ga_hash_text(GaHash *hash);
