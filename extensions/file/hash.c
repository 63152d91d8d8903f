/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashing. */
#include "file/hash.h"

#include <errno.h>
#include <unistd.h>

/* Between two looks at the clock: a disk has it in some milliseconds. */
#define BLOCK (1024 * 1024)

void
ga_hash_init(GaHash *hash, gint fd, guint64 begin, guint64 end)
{
    *hash = (GaHash){ fd, g_checksum_new(G_CHECKSUM_SHA256), begin, begin, end };
}

void
ga_hash_clear(GaHash *hash)
{
    g_clear_pointer(&hash->checksum, g_checksum_free);
}

/* Bytes; 0 at the end; -1 and errno. */
static gssize
hash_block(GaHash *hash, guint8 *block)
{
    gsize wanted = (gsize)MIN(hash->end - hash->at, BLOCK);
    gssize got;

    do
        got = wanted > 0 ? pread(hash->fd, block, wanted, (goffset)hash->at) : 0;
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        g_checksum_update(hash->checksum, block, got);
        hash->at += (guint64)got;
    }
    return got;
}

GaStep
ga_hash_step(GaHash *hash, const char *path, GError **error)
{
    g_autofree guint8 *block = g_malloc(BLOCK);
    gint64 end = g_get_monotonic_time() + GA_STEP_US;

    do {
        gssize got = hash_block(hash, block);
        if (got < 0) {
            ga_refuse_errno(error, errno, "'%s'", path);
            return GA_STEP_FAILED;
        }
        if (got == 0)
            return GA_STEP_DONE;
    } while (g_get_monotonic_time() < end);
    return GA_STEP_MORE;
}

const char *
ga_hash_text(GaHash *hash)
{
    return g_checksum_get_string(hash->checksum);
}
