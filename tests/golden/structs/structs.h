/* Generated from structs.json by qapigen: do not edit. */
#pragma once

#include "runtime/qapi-type.h"
#include "runtime/qapi-value.h"

typedef enum {
    GUEST_HUE_WARM,
    GUEST_HUE_COLD,
} GuestHue;
extern const QapiType guest_hue_type;

typedef struct GuestEmpty GuestEmpty;
typedef struct GuestScalars GuestScalars;
typedef struct GuestOptional GuestOptional;
typedef struct GuestLists GuestLists;
typedef struct GuestDerived GuestDerived;
typedef struct GuestMiddle GuestMiddle;
typedef struct GuestRoot GuestRoot;
typedef struct GuestSameBucket GuestSameBucket;
typedef struct GuestNVMeOfPCIWords GuestNVMeOfPCIWords;
typedef struct GuestBlob GuestBlob;

struct GuestEmpty {
    char dummy; /* C has no empty structs */
};
extern const QapiType guest_empty_type;
void guest_empty_free(GuestEmpty *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestEmpty, guest_empty_free)

struct GuestScalars {
    gboolean truth;
    gint8 i8;
    gint16 i16;
    gint32 i32;
    gint64 i64;
    gint64 plain;
    guint8 u8;
    guint16 u16;
    guint32 u32;
    guint64 u64;
    guint64 bytes;
    gdouble ratio;
    gboolean nothing;
};
extern const QapiType guest_scalars_type;
void guest_scalars_free(GuestScalars *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestScalars, guest_scalars_free)

struct GuestOptional {
    gboolean has_truth;
    gboolean truth;
    gboolean has_plain;
    gint64 plain;
    gboolean has_ratio;
    gdouble ratio;
    char *text;
    QapiAny *anything;
    gboolean has_colour;
    GuestHue colour;
    GuestEmpty *empty;
};
extern const QapiType guest_optional_type;
void guest_optional_free(GuestOptional *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestOptional, guest_optional_free)

struct GuestLists {
    GPtrArray *texts;
    GArray *numbers;
    GArray *same_numbers;
    GArray *colours;
    GPtrArray *parts;
    GPtrArray *things;
};
extern const QapiType guest_lists_type;
void guest_lists_free(GuestLists *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestLists, guest_lists_free)

struct GuestDerived {
    gboolean exited;
    gboolean has_id;
    gint64 id;
    char *version;
    char *name;
    gboolean enabled;
};
extern const QapiType guest_derived_type;
void guest_derived_free(GuestDerived *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestDerived, guest_derived_free)

struct GuestMiddle {
    gboolean exited;
    gboolean has_id;
    gint64 id;
    char *version;
};
extern const QapiType guest_middle_type;
void guest_middle_free(GuestMiddle *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestMiddle, guest_middle_free)

struct GuestRoot {
    gboolean exited;
    gboolean has_id;
    gint64 id;
};
extern const QapiType guest_root_type;
void guest_root_free(GuestRoot *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestRoot, guest_root_free)

struct GuestSameBucket {
    gint64 pid;
    gboolean success_response;
    gint64 id;
    gboolean exited;
};
extern const QapiType guest_same_bucket_type;
void guest_same_bucket_free(GuestSameBucket *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestSameBucket, guest_same_bucket_free)

struct GuestNVMeOfPCIWords {
    gint64 q_default;
    gboolean has_register;
    gint64 q_register;
    char *q_linux;
    gboolean auto_start;
};
extern const QapiType guest_nvme_of_pci_words_type;
void guest_nvme_of_pci_words_free(GuestNVMeOfPCIWords *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestNVMeOfPCIWords, guest_nvme_of_pci_words_free)

struct GuestBlob {
    GBytes *buf_b64;
    GBytes *rest;
};
extern const QapiType guest_blob_type;
void guest_blob_free(GuestBlob *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestBlob, guest_blob_free)

extern const QapiType guest_hue_list_type;
extern const QapiType guest_lists_list_type;
