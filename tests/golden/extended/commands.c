/* Generated from extended.json, toys/schema.json by qapigen: do not edit. */
#include "gen/commands.h"

#include "gen/extended-commands.h"
#include "gen/toys-commands.h"

static void
run_guest_exec(GaCall *call, gconstpointer args)
{
    GError *error = NULL;

    if (guest_exec(ga_call_agent(call), args, &error))
        ga_call_return(call, NULL);
    else
        ga_call_fail(call, error);
}

static void
run_novacron_toys_list(GaCall *call, G_GNUC_UNUSED gconstpointer args)
{
    GError *error = NULL;
    GPtrArray *result = novacron_toys_list(ga_call_agent(call), &error);

    if (!result) {
        ga_call_fail(call, error);
        return;
    }
    ga_call_return(call, &result);
    qapi_free(&novacron_toy_list_type, result);
}

static const GaArea areas[] = {
    { "toys", ga_probe_toys },
};

static const char *const powers_novacron_toys_list[] = { "guest-exec", NULL };

static const GaCommand rows[] = {
    { "guest-exec", run_guest_exec, &guest_a_type, NULL, 0, 0, NULL, NULL },
    { "novacron-toys-list", run_novacron_toys_list, NULL, &novacron_toy_list_type,
      GA_COMMAND_COST_WORKER | GA_COMMAND_UNSTABLE, 65536, powers_novacron_toys_list, &areas[0] },
};

static const guint16 by_name[] = { 0, 1 };

const GaCommandTable ga_command_table = { rows, G_N_ELEMENTS(rows), by_name, areas, G_N_ELEMENTS(areas) };
