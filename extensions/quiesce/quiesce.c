/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezes with a token and a verdict. All that there is to know stands in the freezer's
 * report, which is of the freeze under way or of the last one; the token is its id.
 */
#include <string.h>

#include "commands/freezer.h"
#include "core/agent.h"
#include "core/area.h"
#include "core/call.h"
#include "core/refusal.h"
#include "extensions/quiesce/prepared.h"
#include "gen/quiesce-commands.h"
#include "platform/freeze.h"
#include "runtime/qapi-error.h"

#define US_IN_MS G_GINT64_CONSTANT(1000)
#define NS_IN_US G_GINT64_CONSTANT(1000)

/* For a snapshot. A backup that copies for longer puts it off. */
#define DEADLINE_DEFAULT_MS 10000

/* Where the administrator has said nothing about freezes. */
#define MAXIMUM_DEFAULT_MS 60000

/* Of the manifest's list: the reply with all escapes stays within its bound. */
#define LIST_BYTES_MAX (128 * 1024)
#define LIST_ENTRY_BYTES 128

/* Of what a hook has printed, which may have to be escaped byte by byte. */
#define HOOK_ERROR_BYTES_MAX 8192

static const char thaw_command[] = "novacron-quiesce-thaw";

void
ga_probe_quiesce(G_GNUC_UNUSED GaAgent *agent, G_GNUC_UNUSED GaAreaReport *report)
{
}

static const GaFreezeReport *
report_of(GaAgent *agent)
{
    return ga_freezer_report(ga_freezer_of(agent));
}

static gint64
maximum_ms(GaAgent *agent)
{
    const GaConfig *config = ga_agent_config(agent);

    if (config->quiesce_maximum_ms)
        return config->quiesce_maximum_ms;
    return config->freeze_deadline_ms ? config->freeze_deadline_ms : MAXIMUM_DEFAULT_MS;
}

static guint32
left_ms(gint64 until)
{
    return (guint32)(MAX(until - g_get_monotonic_time(), 0) / US_IN_MS);
}

static guint32
extensible_ms(GaAgent *agent, gint64 deadline)
{
    gint64 most = report_of(agent)->begun + maximum_ms(agent) * US_IN_MS;

    return (guint32)(MAX(most - deadline, 0) / US_IN_MS);
}

static guint32
held_ms(const GaFreezeReport *report)
{
    gint64 until = report->is_over ? report->ended : g_get_monotonic_time();

    return (guint32)(MAX(until - report->begun, 0) / US_IN_MS);
}

/* By the clock as it is now. */
static gint64
real_ns(gint64 monotonic)
{
    return (g_get_real_time() - g_get_monotonic_time() + monotonic) * NS_IN_US;
}

static char *
hook_error_of(const GaFreezeReport *report)
{
    return g_strndup(report->thaw_hook_error, HOOK_ERROR_BYTES_MAX);
}

static gboolean
is_known(GaAgent *agent, const char *token, GError **error)
{
    if (g_strcmp0(report_of(agent)->id, token) == 0)
        return TRUE;
    ga_refuse(error, GA_REFUSAL_NOT_FOUND, "there is no freeze %s", token);
    return FALSE;
}

/* With what the freezer says. */
static void
fail(GaCall *call, GError *error)
{
    if (g_error_matches(error, QAPI_ERROR, QAPI_ERROR_GENERIC) &&
        !g_str_has_prefix(error->message, "failed: "))
        g_prefix_error(&error, "failed: ");
    ga_call_fail(call, error);
}

/* NULL: the freeze had none, or not in this agent. */
static GPtrArray *
apps_of(GaAgent *agent)
{
    const GaFreezeHolder *holder = ga_freezer_holder(ga_freezer_of(agent));

    return holder ? holding_describe(holding_of(holder)) : NULL;
}

/* Freezing. */

static void
frozen(gint64 count, GError *error, gpointer user_data)
{
    GaCall *call = user_data;
    const GaFreezeReport *report = report_of(ga_call_agent(call));

    if (error) {
        fail(call, error);
        return;
    }
    if (count == 0) {
        ga_refuse(&error, GA_REFUSAL_NOT_FOUND, "there is no file system that can be frozen");
        ga_call_fail(call, error);
        return;
    }

    NovacronQuiesceFreeze freeze = { .token = report->id,
                                     .frozen_ns = real_ns(report->begun),
                                     .left_ms = left_ms(report->deadline),
                                     .extensible_ms = extensible_ms(ga_call_agent(call),
                                                                    report->deadline),
                                     .file_systems = count,
                                     .apps = apps_of(ga_call_agent(call)) };
    novacron_quiesce_freeze_return(call, &freeze);
    qapi_free(&novacron_quiesce_held_app_list_type, freeze.apps);
}

void
novacron_quiesce_freeze(GaCall *call, const NovacronQuiesceFreezeArgs *args)
{
    GaAgent *agent = ga_call_agent(call);
    gint64 maximum = maximum_ms(agent);
    gint64 deadline = args->has_deadline_ms ? args->deadline_ms : MIN(DEADLINE_DEFAULT_MS, maximum);
    g_autofree char *token = g_uuid_string_random();
    GError *error = NULL;

    if (deadline == 0 || deadline > maximum) {
        ga_refuse(&error, GA_REFUSAL_BAD_VALUE,
                  "a deadline is between 1 and %" G_GINT64_FORMAT " milliseconds here", maximum);
        ga_call_fail(call, error);
        return;
    }

    Holding *holding = args->job ? prepared_take(agent, args->job, &error) : NULL;
    if (error) {
        ga_call_fail(call, error);
        return;
    }

    GaFreezeRequest request = { .command = "novacron-quiesce-freeze",
                                .only = args->mountpoints,
                                .deadline_ms = (guint)deadline,
                                .id = token,
                                .holder = holding ? holding_as_holder(holding, (guint)maximum)
                                                  : NULL };
    ga_freezer_freeze(ga_freezer_of(agent), &request, frozen, call);
}

/* Keeping. */

static void
kept(gint64 deadline, GError *error, gpointer user_data)
{
    GaCall *call = user_data;

    if (error) {
        ga_call_fail(call, error);
        return;
    }

    NovacronQuiesceKept answer = { left_ms(deadline),
                                   extensible_ms(ga_call_agent(call), deadline) };
    novacron_quiesce_keepalive_return(call, &answer);
}

static gboolean
may_be_kept(GaAgent *agent, const NovacronQuiesceKeepaliveArgs *args, gint64 deadline,
            GError **error)
{
    const GaFreezeReport *report = report_of(agent);
    gint64 most = report->begun + maximum_ms(agent) * US_IN_MS;

    if (!is_known(agent, args->token, error))
        return FALSE;
    if (report->is_over) {
        ga_refuse(error, GA_REFUSAL_NOT_FOUND, "the freeze %s has ended", args->token);
        return FALSE;
    }
    if (deadline > most) {
        ga_refuse(error, GA_REFUSAL_BUDGET,
                  "a freeze is held for at most %" G_GINT64_FORMAT
                  " milliseconds here, of which %u are left",
                  maximum_ms(agent), left_ms(most));
        return FALSE;
    }
    return TRUE;
}

void
novacron_quiesce_keepalive(GaCall *call, const NovacronQuiesceKeepaliveArgs *args)
{
    GaAgent *agent = ga_call_agent(call);
    gint64 now = g_get_monotonic_time();
    gint64 most = report_of(agent)->begun + maximum_ms(agent) * US_IN_MS;
    gint64 deadline = args->has_extend_ms ? now + args->extend_ms * US_IN_MS
                                          : MIN(now + DEADLINE_DEFAULT_MS * US_IN_MS, most);
    GError *error = NULL;

    if (may_be_kept(agent, args, deadline, &error))
        ga_freezer_keep(ga_freezer_of(agent), deadline, kept, call);
    else
        ga_call_fail(call, error);
}

/* Thawing. */

static NovacronQuiesceVerdict
verdict_on(const GaFreezeReport *report)
{
    if (report->is_expired)
        return NOVACRON_QUIESCE_VERDICT_EXPIRED;
    if (g_strcmp0(report->ended_by, thaw_command) != 0 || report->count < 0 ||
        report->thawed < report->count)
        return NOVACRON_QUIESCE_VERDICT_THAWED_BY_OTHER;
    if (report->hold_error)
        return NOVACRON_QUIESCE_VERDICT_APPLICATION_FAILED;
    return report->thaw_hook_error ? NOVACRON_QUIESCE_VERDICT_HOOK_FAILED
                                   : NOVACRON_QUIESCE_VERDICT_CONSISTENT;
}

static void
answer_thaw(GaCall *call)
{
    GaAgent *agent = ga_call_agent(call);
    const GaFreezeReport *report = report_of(agent);
    g_autofree char *hook_error = hook_error_of(report);
    NovacronQuiesceThaw answer = { .verdict = verdict_on(report),
                                   .held_ms = held_ms(report),
                                   .has_file_systems = report->count >= 0,
                                   .file_systems = report->count,
                                   .has_thawed = report->thawed >= 0,
                                   .thawed = report->thawed,
                                   .hook_error = hook_error,
                                   .apps = apps_of(agent),
                                   .application_error = report->hold_error };

    /* Who had to be told knows. */
    if (report->is_expired)
        ga_persist_forget_expired(ga_agent_persist(agent));
    novacron_quiesce_thaw_return(call, &answer);
    qapi_free(&novacron_quiesce_held_app_list_type, answer.apps);
}

static void
thawed(G_GNUC_UNUSED gint64 count, GError *error, gpointer user_data)
{
    if (error)
        fail(user_data, error);
    else
        answer_thaw(user_data);
}

void
novacron_quiesce_thaw(GaCall *call, const NovacronQuiesceThawArgs *args)
{
    GaAgent *agent = ga_call_agent(call);
    GError *error = NULL;

    if (is_known(agent, args->token, &error))
        ga_freezer_thaw_one(ga_freezer_of(agent), thaw_command, args->token, thawed, call);
    else
        ga_call_fail(call, error);
}

/* Looking. */

static const NovacronQuiesceState states[] = {
    [GA_FREEZER_IDLE] = NOVACRON_QUIESCE_STATE_IDLE,
    [GA_FREEZER_PREPARING] = NOVACRON_QUIESCE_STATE_PREPARING,
    [GA_FREEZER_FREEZING] = NOVACRON_QUIESCE_STATE_FREEZING,
    [GA_FREEZER_FROZEN] = NOVACRON_QUIESCE_STATE_FROZEN,
    [GA_FREEZER_THAWING] = NOVACRON_QUIESCE_STATE_THAWING,
};

NovacronQuiesceStatus *
novacron_quiesce_status(GaAgent *agent, G_GNUC_UNUSED GError **error)
{
    const GaFreezer *freezer = ga_freezer_of(agent);
    const GaFreezeReport *report = ga_freezer_report(freezer);
    NovacronQuiesceStatus *status = g_new0(NovacronQuiesceStatus, 1);

    status->state = states[ga_freezer_phase(freezer)];
    status->token = report->is_over ? NULL : g_strdup(report->id);
    status->guarded = ga_freezer_is_guarded(freezer);
    status->has_held_ms = !report->is_over && report->begun;
    status->held_ms = held_ms(report);
    status->has_left_ms = status->guarded && report->deadline;
    status->left_ms = left_ms(report->deadline);
    return status;
}

static gboolean
fits(const OsFrozen *frozen, gsize *room)
{
    gsize size = LIST_ENTRY_BYTES + strlen(frozen->device) + strlen(frozen->directory) +
                 strlen(frozen->type);

    if (size > *room)
        return FALSE;
    *room -= size;
    return TRUE;
}

static GPtrArray *
list_file_systems(const GPtrArray *file_systems, guint32 *ret_omitted)
{
    GPtrArray *list = g_ptr_array_new();
    gsize room = LIST_BYTES_MAX;
    guint i = 0;

    while (i < file_systems->len && fits(file_systems->pdata[i], &room)) {
        const OsFrozen *frozen = file_systems->pdata[i++];
        NovacronQuiesceFileSystem *entry = g_new0(NovacronQuiesceFileSystem, 1);

        entry->mountpoint = g_strdup(frozen->directory);
        entry->device = g_strdup(frozen->device);
        entry->type = g_strdup(frozen->type);
        entry->frozen = frozen->is_frozen;
        entry->freeze_us = frozen->took;
        g_ptr_array_add(list, entry);
    }
    *ret_omitted = file_systems->len - i;
    return list;
}

static void
put_span(gint64 span, gboolean *ret_has, gint64 *ret_us)
{
    *ret_has = span >= 0;
    *ret_us = span;
}

/* Whether applications were held to the end is not known yet. */
static gboolean
is_being_let_go(GaAgent *agent)
{
    return ga_freezer_phase(ga_freezer_of(agent)) == GA_FREEZER_THAWING;
}

NovacronQuiesceManifest *
novacron_quiesce_manifest(GaAgent *agent, const NovacronQuiesceManifestArgs *args, GError **error)
{
    const GaFreezeReport *report = report_of(agent);

    if (!is_known(agent, args->token, error))
        return NULL;

    NovacronQuiesceManifest *manifest = g_new0(NovacronQuiesceManifest, 1);
    manifest->token = g_strdup(report->id);
    manifest->frozen_ns = real_ns(report->begun);
    manifest->has_thawed_ns = report->is_over;
    manifest->thawed_ns = real_ns(report->ended);
    manifest->has_verdict = report->is_over && !is_being_let_go(agent);
    manifest->verdict = verdict_on(report);
    manifest->held_ms = held_ms(report);
    if (report->file_systems)
        manifest->file_systems = list_file_systems(report->file_systems, &manifest->omitted);
    put_span(report->count, &manifest->has_count, &manifest->count);
    put_span(report->thawed, &manifest->has_thawed, &manifest->thawed);
    put_span(report->freeze, &manifest->has_freeze_us, &manifest->freeze_us);
    put_span(report->thaw, &manifest->has_thaw_us, &manifest->thaw_us);
    put_span(report->freeze_hook, &manifest->has_freeze_hook_us, &manifest->freeze_hook_us);
    put_span(report->thaw_hook, &manifest->has_thaw_hook_us, &manifest->thaw_hook_us);
    manifest->hook = g_strdup(ga_agent_config(agent)->fsfreeze_hook);
    manifest->thaw_hook_error = hook_error_of(report);
    manifest->apps = apps_of(agent);
    manifest->application_error = g_strdup(report->hold_error);
    return manifest;
}
