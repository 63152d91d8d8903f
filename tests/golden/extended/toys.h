/* Generated from toys/schema.json by qapigen: do not edit. */
#pragma once

#include "gen/extended.h"
#include "runtime/qapi-type.h"

typedef struct NovacronToy NovacronToy;

/* A toy. */
struct NovacronToy {
    /* what it is called */
    char *name;
    /* who made it */
    GuestA *maker;
};
extern const QapiType novacron_toy_type;
void novacron_toy_free(NovacronToy *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NovacronToy, novacron_toy_free)

extern const QapiType novacron_toy_list_type;
