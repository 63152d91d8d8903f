/* Generated from unions.json by qapigen: do not edit. */
#include "gen/commands.h"

#include "gen/unions-commands.h"

static void
run_guest_draw(GaCall *call, gconstpointer args)
{
    GError *error = NULL;
    GuestAll *result = guest_draw(ga_call_agent(call), args, &error);

    if (!result) {
        ga_call_fail(call, error);
        return;
    }
    ga_call_return(call, &result);
    qapi_free(&guest_all_type, result);
}

static void
run_guest_shapes(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;
    GPtrArray *result = guest_shapes(ga_call_agent(call), &error);

    if (!result) {
        ga_call_fail(call, error);
        return;
    }
    ga_call_return(call, &result);
    qapi_free(&guest_shape_list_type, result);
}

static const GaCommand rows[] = {
    { "guest-draw", run_guest_draw, &guest_draw_args_type, &guest_all_type, 0, 0, NULL, NULL },
    { "guest-shapes", run_guest_shapes, NULL, &guest_shape_list_type, 0, 0, NULL, NULL },
};

static const guint16 by_name[] = { 0, 1 };

const GaCommandTable ga_command_table = { rows, G_N_ELEMENTS(rows), by_name, NULL, 0 };
