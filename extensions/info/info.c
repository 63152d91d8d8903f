/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-info: which agent this is. */
#include "core/agent.h"
#include "core/bounds.h"
#include "core/call.h"
#include "core/config.h"
#include "core/session.h"
#include "gen/info-commands.h"
#include "platform/host.h"
#include "platform/service.h"

void
ga_probe_info(G_GNUC_UNUSED GaAgent *agent, G_GNUC_UNUSED GaAreaReport *report)
{
}

static NovacronSession *
describe(const GaSession *session)
{
    NovacronSession *description = g_new0(NovacronSession, 1);

    description->method = g_strdup(ga_session_method(session));
    description->shared = ga_session_is_shared(session);
    description->max_wait_ms = description->shared ? GA_WAIT_SHARED_MS : GA_WAIT_OWN_MS;
    return description;
}

void
novacron_info(GaCall *call)
{
    const GaConfig *config = ga_agent_config(ga_call_agent(call));
    g_autoptr(NovacronInfo) info = g_new0(NovacronInfo, 1);

    info->version = g_strdup(config->program->version);
    info->compat_version = g_strdup(ga_config_reported_version(config));
    info->pid = os_service_pid();
    info->started_ns = ga_agent_started(ga_call_agent(call));
    info->boot_id = os_boot_id();
    info->safe_mode = ga_gate_is_safe(ga_agent_gate(ga_call_agent(call)));
    info->session = describe(ga_call_session(call));
    info->reply_default_bytes = GA_REPLY_DEFAULT_BYTES;
    info->reply_max_bytes = GA_REPLY_MAX_BYTES;
    novacron_info_return(call, info);
}
