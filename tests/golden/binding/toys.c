/* Generated from toys/schema.json by qapigen: do not edit. */
#include "client/toys.h"

G_STATIC_ASSERT(sizeof(NovacronToy) <= G_MAXINT16);

static const QapiMember novacron_toy_members[] = {
    { "name", offsetof(NovacronToy, name), QAPI_MANDATORY, &qapi_type_string },
    { "maker", offsetof(NovacronToy, maker), QAPI_BY_POINTER, &guest_a_type },
};

static const guint8 novacron_toy_order[] = { 0, 1 };

const QapiType novacron_toy_type = {
    .name = "NovacronToy",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(NovacronToy),
    .n_members = 2,
    .members = novacron_toy_members,
    .wire_order = novacron_toy_order,
};

void
novacron_toy_free(NovacronToy *object)
{
    qapi_free(&novacron_toy_type, object);
}

const QapiType novacron_toy_list_type = {
    .name = "NovacronToyList",
    .kind = QAPI_KIND_LIST,
    .element = &novacron_toy_type,
};
