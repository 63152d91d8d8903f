/* Generated from calls.json by qapigen: do not edit. */
#include "gen/commands.h"

#include "gen/calls-commands.h"

static const QapiType string_list_type = {
    .name = "strList",
    .kind = QAPI_KIND_LIST,
    .element = &qapi_type_string,
};

static void
run_guest_nothing(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;

    if (guest_nothing(ga_call_agent(call), &error))
        ga_call_return(call, NULL);
    else
        ga_call_fail(call, error);
}

static void
run_guest_nothing_either(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;

    if (guest_nothing_either(ga_call_agent(call), &error))
        ga_call_return(call, NULL);
    else
        ga_call_fail(call, error);
}

static void
run_guest_takes(GaCall *call, gconstpointer args)
{
    GError *error = NULL;

    if (guest_takes(ga_call_agent(call), args, &error))
        ga_call_return(call, NULL);
    else
        ga_call_fail(call, error);
}

static void
run_guest_takes_named(GaCall *call, gconstpointer args)
{
    GError *error = NULL;

    if (guest_takes_named(ga_call_agent(call), args, &error))
        ga_call_return(call, NULL);
    else
        ga_call_fail(call, error);
}

static void
run_guest_count(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;
    gint64 result = 0;

    if (guest_count(ga_call_agent(call), &result, &error))
        ga_call_return(call, &result);
    else
        ga_call_fail(call, error);
}

static void
run_guest_number(GaCall *call, gconstpointer args)
{
    GError *error = NULL;
    gdouble result = 0;

    if (guest_number(ga_call_agent(call), args, &result, &error))
        ga_call_return(call, &result);
    else
        ga_call_fail(call, error);
}

static void
run_guest_true(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;
    gboolean result = 0;

    if (guest_true(ga_call_agent(call), &result, &error))
        ga_call_return(call, &result);
    else
        ga_call_fail(call, error);
}

static void
run_guest_state(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;
    GuestState result = GUEST_STATE_IDLE;

    if (guest_state(ga_call_agent(call), &result, &error))
        ga_call_return(call, &result);
    else
        ga_call_fail(call, error);
}

static void
run_guest_text(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;
    char *result = guest_text(ga_call_agent(call), &error);

    if (!result) {
        ga_call_fail(call, error);
        return;
    }
    ga_call_return(call, &result);
    qapi_free(&qapi_type_string, result);
}

static void
run_guest_texts(GaCall *call, gconstpointer args)
{
    GError *error = NULL;
    GPtrArray *result = guest_texts(ga_call_agent(call), args, &error);

    if (!result) {
        ga_call_fail(call, error);
        return;
    }
    ga_call_return(call, &result);
    qapi_free(&string_list_type, result);
}

static void
run_guest_any(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;
    QapiAny *result = guest_any(ga_call_agent(call), &error);

    if (!result) {
        ga_call_fail(call, error);
        return;
    }
    ga_call_return(call, &result);
    qapi_free(&qapi_type_any, result);
}

static void
run_guest_point(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;
    GuestPoint *result = guest_point(ga_call_agent(call), &error);

    if (!result) {
        ga_call_fail(call, error);
        return;
    }
    ga_call_return(call, &result);
    qapi_free(&guest_point_type, result);
}

static void
run_guest_points_of_a_command_with_a_name_that_is_far_too_long(GaCall *call, gconstpointer args)
{
    GError *error = NULL;
    GPtrArray *result = guest_points_of_a_command_with_a_name_that_is_far_too_long(ga_call_agent(call), args, &error);

    if (!result) {
        ga_call_fail(call, error);
        return;
    }
    ga_call_return(call, &result);
    qapi_free(&guest_point_list_type, result);
}

static void
run_guest_wait(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    guest_wait(call);
}

void
guest_wait_return(GaCall *call)
{
    ga_call_return(call, NULL);
}

static void
run_guest_wait_count(GaCall *call, gconstpointer args)
{
    guest_wait_count(call, args);
}

void
guest_wait_count_return(GaCall *call, gint64 result)
{
    ga_call_return(call, &result);
}

static void
run_guest_wait_point(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    guest_wait_point(call);
}

void
guest_wait_point_return(GaCall *call, const GuestPoint *result)
{
    ga_call_return(call, &result);
}

static void
run_guest_wait_texts(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    guest_wait_texts(call);
}

void
guest_wait_texts_return(GaCall *call, const GPtrArray *result)
{
    ga_call_return(call, &result);
}

static void
run_guest_silent(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;

    if (guest_silent(ga_call_agent(call), &error))
        ga_call_return(call, NULL);
    else
        ga_call_fail(call, error);
}

static void
run_guest_frozen(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;

    if (guest_frozen(ga_call_agent(call), &error))
        ga_call_return(call, NULL);
    else
        ga_call_fail(call, error);
}

static void
run_guest_both(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    guest_both(call);
}

void
guest_both_return(GaCall *call)
{
    ga_call_return(call, NULL);
}

static void
run_Guest_odd(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;

    if (Guest_odd(ga_call_agent(call), &error))
        ga_call_return(call, NULL);
    else
        ga_call_fail(call, error);
}

static const char *const powers_guest_both[] = { "guest-takes", NULL };

static const GaCommand rows[] = {
    { "guest-nothing", run_guest_nothing, NULL, NULL, 0, 0, NULL, NULL },
    { "guest-nothing-either", run_guest_nothing_either, NULL, NULL, 0, 0, NULL, NULL },
    { "guest-takes", run_guest_takes, &guest_takes_args_type, NULL, 0, 0, NULL, NULL },
    { "guest-takes-named", run_guest_takes_named, &guest_point_type, NULL, 0, 0, NULL, NULL },
    { "guest-count", run_guest_count, NULL, &qapi_type_int64, 0, 0, NULL, NULL },
    { "guest-number", run_guest_number, &guest_number_args_type, &qapi_type_number, 0, 0, NULL,
      NULL },
    { "guest-true", run_guest_true, NULL, &qapi_type_bool, 0, 0, NULL, NULL },
    { "guest-state", run_guest_state, NULL, &guest_state_type, 0, 0, NULL, NULL },
    { "guest-text", run_guest_text, NULL, &qapi_type_string, 0, 0, NULL, NULL },
    { "guest-texts", run_guest_texts, &guest_texts_args_type, &string_list_type, 0, 0, NULL,
      NULL },
    { "guest-any", run_guest_any, NULL, &qapi_type_any, 0, 0, NULL, NULL },
    { "guest-point", run_guest_point, NULL, &guest_point_type, 0, 0, NULL, NULL },
    { "guest-points-of-a-command-with-a-name-that-is-far-too-long",
      run_guest_points_of_a_command_with_a_name_that_is_far_too_long,
      &guest_points_of_a_command_with_a_name_that_is_far_too_long_args_type, &guest_point_list_type,
      0, 0, NULL, NULL },
    { "guest-wait", run_guest_wait, NULL, NULL, 0, 0, NULL, NULL },
    { "guest-wait-count", run_guest_wait_count, &guest_wait_count_args_type, &qapi_type_int64, 0, 0,
      NULL, NULL },
    { "guest-wait-point", run_guest_wait_point, NULL, &guest_point_type, 0, 0, NULL, NULL },
    { "guest-wait-texts", run_guest_wait_texts, NULL, &string_list_type, 0, 0, NULL, NULL },
    { "guest-silent", run_guest_silent, NULL, NULL, GA_COMMAND_SILENT_SUCCESS, 0, NULL, NULL },
    { "guest-frozen", run_guest_frozen, NULL, NULL, GA_COMMAND_WHILE_FROZEN, 0, NULL, NULL },
    { "guest-both", run_guest_both, NULL, NULL,
      GA_COMMAND_SILENT_SUCCESS | GA_COMMAND_WHILE_FROZEN | GA_COMMAND_CHANGES_GUEST | GA_COMMAND_COST_JOB | GA_COMMAND_SECRET,
      0, powers_guest_both, NULL },
    { "Guest_odd", run_Guest_odd, NULL, NULL, 0, 0, NULL, NULL },
};

static const guint16 by_name[] = {
    20, 10, 19, 4, 18, 0, 1, 5, 11, 12, 17, 7, 2, 3, 8, 9, 6, 13, 14, 15, 16,
};

const GaCommandTable ga_command_table = { rows, G_N_ELEMENTS(rows), by_name, NULL, 0 };
