/* Generated from calls.json by qapigen: do not edit. */
#pragma once

#include "runtime/qapi-type.h"

typedef enum {
    GUEST_STATE_IDLE,
    GUEST_STATE_BUSY,
} GuestState;
extern const QapiType guest_state_type;

typedef struct GuestPoint GuestPoint;
typedef struct GuestTakesArgs GuestTakesArgs;
typedef struct GuestNumberArgs GuestNumberArgs;
typedef struct GuestTextsArgs GuestTextsArgs;
typedef struct GuestPointsOfACommandWithANameThatIsFarTooLongArgs GuestPointsOfACommandWithANameThatIsFarTooLongArgs;
typedef struct GuestWaitCountArgs GuestWaitCountArgs;

struct GuestPoint {
    gint64 x;
    gboolean has_y;
    gint64 y;
};
extern const QapiType guest_point_type;
void guest_point_free(GuestPoint *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestPoint, guest_point_free)

struct GuestTakesArgs {
    char *path;
    char *buf_b64;
};
extern const QapiType guest_takes_args_type;

struct GuestNumberArgs {
    gdouble a;
};
extern const QapiType guest_number_args_type;

struct GuestTextsArgs {
    GuestState state;
};
extern const QapiType guest_texts_args_type;

struct GuestPointsOfACommandWithANameThatIsFarTooLongArgs {
    gint64 limit;
};
extern const QapiType guest_points_of_a_command_with_a_name_that_is_far_too_long_args_type;

struct GuestWaitCountArgs {
    gint64 limit;
};
extern const QapiType guest_wait_count_args_type;

extern const QapiType guest_point_list_type;
