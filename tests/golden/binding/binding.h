/* Generated from binding.json by qapigen: do not edit. */
#pragma once

#include "runtime/qapi-type.h"

typedef enum {
    GUEST_STATE_IDLE,
    GUEST_STATE_BUSY,
} GuestState;
extern const QapiType guest_state_type;

typedef struct GuestA GuestA;
typedef struct GuestExecArgs GuestExecArgs;

struct GuestA {
    gint64 x;
    GBytes *y;
};
extern const QapiType guest_a_type;
void guest_a_free(GuestA *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestA, guest_a_free)

struct GuestExecArgs {
    char *path;
    GPtrArray *args;
};
extern const QapiType guest_exec_args_type;
