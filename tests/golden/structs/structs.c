/* Generated from structs.json by qapigen: do not edit. */
#include "gen/structs.h"

static const QapiType any_list_type = {
    .name = "anyList",
    .kind = QAPI_KIND_LIST,
    .element = &qapi_type_any,
};

static const QapiType int64_list_type = {
    .name = "intList",
    .kind = QAPI_KIND_LIST,
    .element = &qapi_type_int64,
};

static const QapiType string_list_type = {
    .name = "strList",
    .kind = QAPI_KIND_LIST,
    .element = &qapi_type_string,
};

G_STATIC_ASSERT(sizeof(GuestEmpty) <= G_MAXINT16);

const QapiType guest_empty_type = {
    .name = "GuestEmpty",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestEmpty),
};

void
guest_empty_free(GuestEmpty *object)
{
    qapi_free(&guest_empty_type, object);
}

G_STATIC_ASSERT(sizeof(GuestScalars) <= G_MAXINT16);

static const QapiMember guest_scalars_members[] = {
    { "truth", offsetof(GuestScalars, truth), QAPI_MANDATORY, &qapi_type_bool },
    { "i8", offsetof(GuestScalars, i8), QAPI_MANDATORY, &qapi_type_int8 },
    { "i16", offsetof(GuestScalars, i16), QAPI_MANDATORY, &qapi_type_int16 },
    { "i32", offsetof(GuestScalars, i32), QAPI_MANDATORY, &qapi_type_int32 },
    { "i64", offsetof(GuestScalars, i64), QAPI_MANDATORY, &qapi_type_int64 },
    { "plain", offsetof(GuestScalars, plain), QAPI_MANDATORY, &qapi_type_int64 },
    { "u8", offsetof(GuestScalars, u8), QAPI_MANDATORY, &qapi_type_uint8 },
    { "u16", offsetof(GuestScalars, u16), QAPI_MANDATORY, &qapi_type_uint16 },
    { "u32", offsetof(GuestScalars, u32), QAPI_MANDATORY, &qapi_type_uint32 },
    { "u64", offsetof(GuestScalars, u64), QAPI_MANDATORY, &qapi_type_uint64 },
    { "bytes", offsetof(GuestScalars, bytes), QAPI_MANDATORY, &qapi_type_uint64 },
    { "ratio", offsetof(GuestScalars, ratio), QAPI_MANDATORY, &qapi_type_number },
    { "nothing", offsetof(GuestScalars, nothing), QAPI_MANDATORY, &qapi_type_null },
};

static const guint8 guest_scalars_order[] = { 0, 5, 10, 6, 3, 4, 7, 12, 1, 8, 9, 2, 11 };

const QapiType guest_scalars_type = {
    .name = "GuestScalars",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestScalars),
    .n_members = 13,
    .members = guest_scalars_members,
    .wire_order = guest_scalars_order,
};

void
guest_scalars_free(GuestScalars *object)
{
    qapi_free(&guest_scalars_type, object);
}

G_STATIC_ASSERT(sizeof(GuestOptional) <= G_MAXINT16);

static const QapiMember guest_optional_members[] = {
    { "truth", offsetof(GuestOptional, truth), offsetof(GuestOptional, has_truth),
      &qapi_type_bool },
    { "plain", offsetof(GuestOptional, plain), offsetof(GuestOptional, has_plain),
      &qapi_type_int64 },
    { "ratio", offsetof(GuestOptional, ratio), offsetof(GuestOptional, has_ratio),
      &qapi_type_number },
    { "text", offsetof(GuestOptional, text), QAPI_BY_POINTER, &qapi_type_string },
    { "anything", offsetof(GuestOptional, anything), QAPI_BY_POINTER, &qapi_type_any },
    { "colour", offsetof(GuestOptional, colour), offsetof(GuestOptional, has_colour),
      &guest_hue_type },
    { "empty", offsetof(GuestOptional, empty), QAPI_BY_POINTER, &guest_empty_type },
};

static const guint8 guest_optional_order[] = { 3, 0, 1, 5, 6, 4, 2 };

const QapiType guest_optional_type = {
    .name = "GuestOptional",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestOptional),
    .n_members = 7,
    .members = guest_optional_members,
    .wire_order = guest_optional_order,
};

void
guest_optional_free(GuestOptional *object)
{
    qapi_free(&guest_optional_type, object);
}

static const char *const guest_hue_values[] = { "warm", "cold" };

const QapiType guest_hue_type = {
    .name = "GuestHue",
    .kind = QAPI_KIND_ENUM,
    .size = sizeof(GuestHue),
    .n_values = 2,
    .values = guest_hue_values,
};

G_STATIC_ASSERT(sizeof(GuestLists) <= G_MAXINT16);

static const QapiMember guest_lists_members[] = {
    { "texts", offsetof(GuestLists, texts), QAPI_MANDATORY, &string_list_type },
    { "numbers", offsetof(GuestLists, numbers), QAPI_MANDATORY, &int64_list_type },
    { "same-numbers", offsetof(GuestLists, same_numbers), QAPI_MANDATORY, &int64_list_type },
    { "colours", offsetof(GuestLists, colours), QAPI_BY_POINTER, &guest_hue_list_type },
    { "parts", offsetof(GuestLists, parts), QAPI_BY_POINTER, &guest_lists_list_type },
    { "things", offsetof(GuestLists, things), QAPI_MANDATORY, &any_list_type },
};

static const guint8 guest_lists_order[] = { 2, 0, 5, 3, 4, 1 };

const QapiType guest_lists_type = {
    .name = "GuestLists",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestLists),
    .n_members = 6,
    .members = guest_lists_members,
    .wire_order = guest_lists_order,
};

void
guest_lists_free(GuestLists *object)
{
    qapi_free(&guest_lists_type, object);
}

G_STATIC_ASSERT(sizeof(GuestDerived) <= G_MAXINT16);

static const QapiMember guest_derived_members[] = {
    { "exited", offsetof(GuestDerived, exited), QAPI_MANDATORY, &qapi_type_bool },
    { "id", offsetof(GuestDerived, id), offsetof(GuestDerived, has_id), &qapi_type_int64 },
    { "version", offsetof(GuestDerived, version), QAPI_MANDATORY, &qapi_type_string },
    { "name", offsetof(GuestDerived, name), QAPI_MANDATORY, &qapi_type_string },
    { "enabled", offsetof(GuestDerived, enabled), QAPI_MANDATORY, &qapi_type_bool },
};

static const guint8 guest_derived_order[] = { 4, 3, 2, 1, 0 };

const QapiType guest_derived_type = {
    .name = "GuestDerived",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestDerived),
    .n_members = 5,
    .members = guest_derived_members,
    .wire_order = guest_derived_order,
};

void
guest_derived_free(GuestDerived *object)
{
    qapi_free(&guest_derived_type, object);
}

G_STATIC_ASSERT(sizeof(GuestMiddle) <= G_MAXINT16);

static const QapiMember guest_middle_members[] = {
    { "exited", offsetof(GuestMiddle, exited), QAPI_MANDATORY, &qapi_type_bool },
    { "id", offsetof(GuestMiddle, id), offsetof(GuestMiddle, has_id), &qapi_type_int64 },
    { "version", offsetof(GuestMiddle, version), QAPI_MANDATORY, &qapi_type_string },
};

static const guint8 guest_middle_order[] = { 2, 1, 0 };

const QapiType guest_middle_type = {
    .name = "GuestMiddle",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestMiddle),
    .n_members = 3,
    .members = guest_middle_members,
    .wire_order = guest_middle_order,
};

void
guest_middle_free(GuestMiddle *object)
{
    qapi_free(&guest_middle_type, object);
}

G_STATIC_ASSERT(sizeof(GuestRoot) <= G_MAXINT16);

static const QapiMember guest_root_members[] = {
    { "exited", offsetof(GuestRoot, exited), QAPI_MANDATORY, &qapi_type_bool },
    { "id", offsetof(GuestRoot, id), offsetof(GuestRoot, has_id), &qapi_type_int64 },
};

static const guint8 guest_root_order[] = { 1, 0 };

const QapiType guest_root_type = {
    .name = "GuestRoot",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestRoot),
    .n_members = 2,
    .members = guest_root_members,
    .wire_order = guest_root_order,
};

void
guest_root_free(GuestRoot *object)
{
    qapi_free(&guest_root_type, object);
}

G_STATIC_ASSERT(sizeof(GuestSameBucket) <= G_MAXINT16);

static const QapiMember guest_same_bucket_members[] = {
    { "pid", offsetof(GuestSameBucket, pid), QAPI_MANDATORY, &qapi_type_int64 },
    { "success-response", offsetof(GuestSameBucket, success_response), QAPI_MANDATORY,
      &qapi_type_bool },
    { "id", offsetof(GuestSameBucket, id), QAPI_MANDATORY, &qapi_type_int64 },
    { "exited", offsetof(GuestSameBucket, exited), QAPI_MANDATORY, &qapi_type_bool },
};

static const guint8 guest_same_bucket_order[] = { 1, 0, 3, 2 };

const QapiType guest_same_bucket_type = {
    .name = "GuestSameBucket",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestSameBucket),
    .n_members = 4,
    .members = guest_same_bucket_members,
    .wire_order = guest_same_bucket_order,
};

void
guest_same_bucket_free(GuestSameBucket *object)
{
    qapi_free(&guest_same_bucket_type, object);
}

G_STATIC_ASSERT(sizeof(GuestNVMeOfPCIWords) <= G_MAXINT16);

static const QapiMember guest_nvme_of_pci_words_members[] = {
    { "default", offsetof(GuestNVMeOfPCIWords, q_default), QAPI_MANDATORY, &qapi_type_int64 },
    { "register", offsetof(GuestNVMeOfPCIWords, q_register),
      offsetof(GuestNVMeOfPCIWords, has_register), &qapi_type_int64 },
    { "linux", offsetof(GuestNVMeOfPCIWords, q_linux), QAPI_MANDATORY, &qapi_type_string },
    { "auto-start", offsetof(GuestNVMeOfPCIWords, auto_start), QAPI_MANDATORY, &qapi_type_bool },
};

static const guint8 guest_nvme_of_pci_words_order[] = { 3, 2, 1, 0 };

const QapiType guest_nvme_of_pci_words_type = {
    .name = "GuestNVMeOfPCIWords",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestNVMeOfPCIWords),
    .n_members = 4,
    .members = guest_nvme_of_pci_words_members,
    .wire_order = guest_nvme_of_pci_words_order,
};

void
guest_nvme_of_pci_words_free(GuestNVMeOfPCIWords *object)
{
    qapi_free(&guest_nvme_of_pci_words_type, object);
}

G_STATIC_ASSERT(sizeof(GuestBlob) <= G_MAXINT16);

static const QapiMember guest_blob_members[] = {
    { "buf-b64", offsetof(GuestBlob, buf_b64), QAPI_MANDATORY, &qapi_type_base64 },
    { "rest", offsetof(GuestBlob, rest), QAPI_BY_POINTER, &qapi_type_base64 },
};

static const guint8 guest_blob_order[] = { 0, 1 };

const QapiType guest_blob_type = {
    .name = "GuestBlob",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestBlob),
    .n_members = 2,
    .members = guest_blob_members,
    .wire_order = guest_blob_order,
};

void
guest_blob_free(GuestBlob *object)
{
    qapi_free(&guest_blob_type, object);
}

const QapiType guest_hue_list_type = {
    .name = "GuestHueList",
    .kind = QAPI_KIND_LIST,
    .element = &guest_hue_type,
};

const QapiType guest_lists_list_type = {
    .name = "GuestListsList",
    .kind = QAPI_KIND_LIST,
    .element = &guest_lists_type,
};
