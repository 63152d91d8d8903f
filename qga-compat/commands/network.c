/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest-network-get-interfaces: what the system tells, through the filter of [novacron]. */
#include "commands/network.h"

#include "core/agent.h"
#include "core/config.h"
#include "core/work.h"
#include "gen/guest-agent-commands.h"
#include "platform/network.h"

/* As clients see the name. */
static gboolean
matches(const GuestNetworkInterface *interface, const char *glob)
{
    g_autofree char *name = g_utf8_make_valid(interface->name, -1);

    return g_pattern_match_simple(glob, name);
}

static gboolean
matches_any(const GuestNetworkInterface *interface, char *const *globs)
{
    for (; globs && *globs; globs++)
        if (matches(interface, *globs))
            return TRUE;
    return FALSE;
}

/* Which of the globs is the first that matches; their number if none does. */
static guint
rank(const GuestNetworkInterface *interface, char *const *globs)
{
    guint n = 0;

    while (globs && globs[n] && !matches(interface, globs[n]))
        n++;
    return n;
}

static gint
compare(gconstpointer a, gconstpointer b, gpointer order)
{
    const GuestNetworkInterface *const *one = a, *const *other = b;

    return (gint)rank(*one, order) - (gint)rank(*other, order);
}

GPtrArray *
ga_interface_filter_apply(const GaInterfaceFilter *filter, GPtrArray *interfaces)
{
    GPtrArray *kept = g_ptr_array_sized_new(interfaces->len);

    for (guint i = 0; i < interfaces->len; i++) {
        GuestNetworkInterface *interface = interfaces->pdata[i];

        if (matches_any(interface, filter->exclude))
            guest_network_interface_free(interface);
        else
            g_ptr_array_add(kept, interface);
    }
    g_ptr_array_unref(interfaces);

    if (filter->order)
        g_ptr_array_sort_with_data(kept, compare, filter->order); /* stable */
    while (filter->maximum > 0 && kept->len > filter->maximum)
        guest_network_interface_free(g_ptr_array_remove_index(kept, kept->len - 1));
    return kept;
}

static void
filter_free(gpointer data)
{
    GaInterfaceFilter *filter = data;

    g_strfreev(filter->exclude);
    g_strfreev(filter->order);
    g_free(filter);
}

static gpointer
work(gpointer data, GError **error)
{
    GPtrArray *interfaces = os_network_interfaces(error);

    return interfaces ? ga_interface_filter_apply(data, interfaces) : NULL;
}

void
guest_network_get_interfaces(GaCall *call)
{
    const GaConfig *config = ga_agent_config(ga_call_agent(call));
    GaInterfaceFilter *filter = g_new0(GaInterfaceFilter, 1);

    filter->exclude = g_strdupv(config->network_exclude);
    filter->order = g_strdupv(config->network_order);
    filter->maximum = config->network_maximum;
    ga_work_run(call, work, filter, filter_free);
}
