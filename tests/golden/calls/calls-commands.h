/* Generated from calls.json by qapigen: do not edit. */
#pragma once

#include "core/call.h"
#include "gen/calls.h"

/* guest-nothing */
gboolean guest_nothing(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-nothing-either */
gboolean guest_nothing_either(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-takes */
gboolean guest_takes(GaAgent *agent, const GuestTakesArgs *args,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-takes-named */
gboolean guest_takes_named(GaAgent *agent, const GuestPoint *args,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-count */
gboolean guest_count(GaAgent *agent, gint64 *ret_value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-number */
gboolean guest_number(GaAgent *agent, const GuestNumberArgs *args, gdouble *ret_value,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-true */
gboolean guest_true(GaAgent *agent, gboolean *ret_value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-state */
gboolean guest_state(GaAgent *agent, GuestState *ret_value,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-text */
char *guest_text(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-texts */
GPtrArray *guest_texts(GaAgent *agent, const GuestTextsArgs *args,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-any */
QapiAny *guest_any(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-point */
GuestPoint *guest_point(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-points-of-a-command-with-a-name-that-is-far-too-long */
GPtrArray *guest_points_of_a_command_with_a_name_that_is_far_too_long(GaAgent *agent,
                                                                      const GuestPointsOfACommandWithANameThatIsFarTooLongArgs *args,
                                                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-wait */
void guest_wait(GaCall *call);
void guest_wait_return(GaCall *call);

/* guest-wait-count */
void guest_wait_count(GaCall *call, const GuestWaitCountArgs *args);
void guest_wait_count_return(GaCall *call, gint64 result);

/* guest-wait-point */
void guest_wait_point(GaCall *call);
void guest_wait_point_return(GaCall *call, const GuestPoint *result);

/* guest-wait-texts */
void guest_wait_texts(GaCall *call);
void guest_wait_texts_return(GaCall *call, const GPtrArray *result);

/* guest-silent */
gboolean guest_silent(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-frozen */
gboolean guest_frozen(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-both */
void guest_both(GaCall *call);
void guest_both_return(GaCall *call);

/* Guest_odd */
gboolean Guest_odd(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;
