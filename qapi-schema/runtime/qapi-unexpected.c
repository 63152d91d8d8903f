/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of several unexpected members an error names.
 *
 * Upstream names the first one it finds in a GLib hash table that held all
 * members and lost the expected ones. So this is that table's geometry, and
 * only that: how slots are filled, left as tombstones, and resettled. GLib
 * could not be asked instead: its iteration order is no promise, and newer
 * versions may change it while clients keep the texts they know.
 */
#include <string.h>

#include "runtime/qapi-read.h"
#include "runtime/qapi-write.h"

#define FREE G_MAXUINT32
#define DEAD (G_MAXUINT32 - 1)
#define SMALLEST_SHIFT 3

/* Keys can be chosen to collide, and then the table takes quadratic time. What a client gains by
 * that is the name of another unexpected member, so beyond this many probes (a tenth of a
 * second; half a million honest keys take a third of it) the emulation gives up. */
#define MAX_PROBES (16u << 20)

typedef struct {
    const guint32 *hashes; /* of the keys */
    guint32 *slots;        /* numbers of keys, FREE or DEAD */
    guint shift;
    guint32 size;
    guint32 n_live;
    guint32 n_used; /* with tombstones */
    guint32 n_probes;
} Table;

static guint32
string_hash(const char *key)
{
    guint32 hash = 5381;

    /* GLib takes bytes as signed, whatever char is on the machine. */
    for (; *key; key++)
        hash = hash * 33 + (guint32)(gint32)(gint8)*key;
    return MAX(hash, 2); /* 0 and 1 mark free slots and tombstones there */
}

static guint32
home_slot(const Table *table, guint32 key)
{
    static const guint32 primes[] = {
        1,    2,    3,     7,     13,    31,     61,     127,    251,     509,     1021,    2039,
        4093, 8191, 16381, 32749, 65521, 131071, 262139, 524287, 1048573, 2097143, 4194301,
    };

    return table->hashes[key] * 11 % primes[table->shift];
}

static guint32
next_slot(Table *table, guint32 slot, guint32 step)
{
    table->n_probes++;
    return (slot + step) & (table->size - 1);
}

/* Every loop below ends once this is true; the slots are then nonsense. */
static gboolean
has_given_up(const Table *table)
{
    return table->n_probes >= MAX_PROBES;
}

static void
set_shift(Table *table, guint shift)
{
    guint32 old_size = table->size;

    table->shift = shift;
    table->size = 1u << shift;
    if (table->size <= old_size)
        return;
    table->slots = g_renew(guint32, table->slots, table->size);
    for (guint32 i = old_size; i < table->size; i++)
        table->slots[i] = FREE;
}

/* Put `key` where it belongs now, and whatever it evicts, until a slot was empty. */
static void
settle(Table *table, guint8 *settled, guint32 key)
{
    while (key != FREE && key != DEAD && !has_given_up(table)) {
        guint32 slot = home_slot(table, key);
        for (guint32 step = 1; settled[slot] && !has_given_up(table); step++)
            slot = next_slot(table, slot, step);
        settled[slot] = TRUE;

        guint32 evicted = table->slots[slot];
        table->slots[slot] = key;
        key = evicted;
    }
}

/* In place: what was not visited yet still lies as the old geometry had it. */
static void
resettle(Table *table)
{
    guint32 old_size = table->size;
    guint32 wanted = (guint32)(table->n_live * 1.333);

    set_shift(table, MAX(g_bit_storage(wanted), SMALLEST_SHIFT));

    g_autofree guint8 *settled = g_new0(guint8, MAX(table->size, old_size));
    for (guint32 i = 0; i < old_size; i++) {
        if (settled[i])
            continue;
        guint32 key = table->slots[i];
        table->slots[i] = FREE;
        settle(table, settled, key);
    }
    table->n_used = table->n_live;
}

static void
maybe_resettle(Table *table)
{
    gboolean is_sparse = table->size > table->n_live * 4 && table->size > 1u << SMALLEST_SHIFT;

    if (is_sparse || table->size <= table->n_used + table->n_used / 16)
        resettle(table);
}

static void
insert(Table *table, guint32 key)
{
    guint32 slot = home_slot(table, key);

    for (guint32 step = 1; table->slots[slot] != FREE && !has_given_up(table); step++)
        slot = next_slot(table, slot, step);
    table->slots[slot] = key;
    table->n_live++;
    table->n_used++;
    maybe_resettle(table);
}

static void
drop(Table *table, guint32 key)
{
    guint32 slot = home_slot(table, key);

    for (guint32 step = 1; table->slots[slot] != key && !has_given_up(table); step++)
        slot = next_slot(table, slot, step);
    table->slots[slot] = DEAD;
    table->n_live--;
    maybe_resettle(table);
}

static guint32
find_key(const char *const *keys, guint n_keys, const char *name)
{
    for (guint32 i = 0; i < n_keys; i++)
        if (g_str_equal(keys[i], name))
            return i;
    return FREE;
}

static guint32 *
wire_order(const char *const *keys, guint n_keys)
{
    g_autofree guint16 *buckets = g_new(guint16, n_keys);
    guint32 *order = g_new(guint32, n_keys);

    for (guint i = 0; i < n_keys; i++)
        buckets[i] = (guint16)qapi_key_bucket(keys[i]);
    qapi_wire_order(buckets, n_keys, order);
    return order;
}

static gboolean
is_consumed(const char *key, const char *const *consumed, guint n_consumed)
{
    return find_key(consumed, n_consumed, key) != FREE;
}

static const char *
first_in_order(const char *const *keys, guint n_keys, const guint32 *order,
               const char *const *consumed, guint n_consumed)
{
    for (guint i = 0; i < n_keys; i++)
        if (!is_consumed(keys[order[i]], consumed, n_consumed))
            return keys[order[i]];
    return NULL;
}

const char *
qapi_first_unexpected(const char *const *keys, guint n_keys, const char *const *consumed,
                      guint n_consumed)
{
    g_autofree guint32 *order = wire_order(keys, n_keys);
    g_autofree guint32 *hashes = g_new(guint32, n_keys);
    g_autofree guint32 *slots = NULL;
    Table table = { .hashes = hashes };

    for (guint i = 0; i < n_keys; i++)
        hashes[i] = string_hash(keys[i]);

    set_shift(&table, SMALLEST_SHIFT);
    for (guint i = 0; i < n_keys && !has_given_up(&table); i++)
        insert(&table, order[i]);
    for (guint i = 0; i < n_consumed && !has_given_up(&table); i++) {
        guint32 key = find_key(keys, n_keys, consumed[i]);
        if (key != FREE)
            drop(&table, key);
    }
    slots = table.slots;

    if (has_given_up(&table))
        return first_in_order(keys, n_keys, order, consumed, n_consumed);
    for (guint32 i = 0; i < table.size; i++)
        if (slots[i] != FREE && slots[i] != DEAD)
            return keys[slots[i]];
    return NULL;
}
