/* Generated from manual.json by qapigen: do not edit. */
#include "gen/commands.h"

#include "gen/manual-commands.h"

static void
run_guest_weigh(GaCall *call, gconstpointer args)
{
    GError *error = NULL;

    if (guest_weigh(ga_call_agent(call), args, &error))
        ga_call_return(call, NULL);
    else
        ga_call_fail(call, error);
}

static const GaCommand rows[] = {
    { "guest-weigh", run_guest_weigh, &guest_bundle_type, NULL, GA_COMMAND_SILENT_SUCCESS, 0, NULL,
      NULL },
};

static const guint16 by_name[] = { 0 };

const GaCommandTable ga_command_table = { rows, G_N_ELEMENTS(rows), by_name, NULL, 0 };
