/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open-addressing set of key nodes. Slots keep the hash, so that growing
 * touches no key and almost every miss is decided without looking at text.
 */
#include "runtime/qapi-keyset.h"

#include <string.h>

#include "runtime/qapi-value-private.h"

#define FIRST_SLOTS 32 /* a power of two, as all sizes */

typedef struct {
    guint32 hash;
    guint32 node; /* 0 is the top-level value, never a key: a free slot */
} Slot;

struct QapiKeySet {
    guint64 secret[2]; /* keeps a client from choosing keys that collide */
    Slot *slots;
    guint32 n_slots;
    guint32 n_keys;
};

static inline guint64
rotate(guint64 word, guint bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void
sip_round(guint64 *v)
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32) + v[3];
    v[2] += v[1];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3: a keyed hash, for no unkeyed one resists a client that knows it. */
static guint32
key_hash(const guint64 *secret, const char *key, gsize length)
{
    guint64 v[] = {
        secret[0] ^ G_GUINT64_CONSTANT(0x736f6d6570736575),
        secret[1] ^ G_GUINT64_CONSTANT(0x646f72616e646f6d),
        secret[0] ^ G_GUINT64_CONSTANT(0x6c7967656e657261),
        secret[1] ^ G_GUINT64_CONSTANT(0x7465646279746573),
    };

    for (gsize left = length;; left -= sizeof(guint64), key += sizeof(guint64)) {
        gboolean is_last = left < sizeof(guint64);
        guint64 word = is_last ? (guint64)length << 56 : 0;
        memcpy(&word, key, is_last ? left : sizeof(word));
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
        if (is_last)
            break;
    }

    v[2] ^= 0xFF;
    for (guint i = 0; i < 3; i++)
        sip_round(v);
    return (guint32)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

static gboolean
keys_equal(const QapiValue *value, guint32 a, guint32 b)
{
    const QapiNode *one = &value->nodes[a], *other = &value->nodes[b];

    return one->string.length == other->string.length &&
           !memcmp(qapi_node_text(value, one), qapi_node_text(value, other), one->string.length);
}

static void
grow(QapiKeySet *set)
{
    guint32 n_slots = set->n_slots * 2;
    Slot *slots = g_new0(Slot, n_slots);

    for (guint32 i = 0; i < set->n_slots; i++) {
        if (!set->slots[i].node)
            continue;
        guint32 place = set->slots[i].hash & (n_slots - 1);
        while (slots[place].node)
            place = (place + 1) & (n_slots - 1);
        slots[place] = set->slots[i];
    }
    g_free(set->slots);
    set->slots = slots;
    set->n_slots = n_slots;
}

QapiKeySet *
qapi_key_set_new(void)
{
    QapiKeySet *set = g_new0(QapiKeySet, 1);

    for (guint i = 0; i < G_N_ELEMENTS(set->secret); i++)
        set->secret[i] = (guint64)g_random_int() << 32 | g_random_int();
    set->n_slots = FIRST_SLOTS;
    set->slots = g_new0(Slot, FIRST_SLOTS);
    return set;
}

void
qapi_key_set_free(QapiKeySet *set)
{
    if (!set)
        return;

    g_free(set->slots);
    g_free(set);
}

gboolean
qapi_key_set_add(QapiKeySet *set, const QapiValue *value, guint32 node)
{
    const QapiNode *key = &value->nodes[node];
    guint32 hash = key_hash(set->secret, qapi_node_text(value, key), key->string.length);

    if (set->n_keys >= set->n_slots / 2)
        grow(set);

    guint32 place = hash & (set->n_slots - 1);
    while (set->slots[place].node) {
        if (set->slots[place].hash == hash && keys_equal(value, set->slots[place].node, node))
            return FALSE;
        place = (place + 1) & (set->n_slots - 1);
    }
    set->slots[place] = (Slot){ hash, node };
    set->n_keys++;
    return TRUE;
}
