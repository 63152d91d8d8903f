/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of a freeze: hook, holder, list, frozen state, guardian, freeze; of a thaw: thaw,
 * end of the frozen state and of the guardian, holder, hook. A freeze that fails goes on as a
 * thaw. All steps are upstream's, in its order, but for the guardian and the holder, and for the
 * hook's thaw where nothing is frozen in the end.
 *
 * The guardian may end a freeze at any moment: of itself at the deadline, or by being
 * killed, upon which we thaw, as nobody else would at the deadline. Either is an expiry:
 * the agent leaves the frozen state, runs the thaw hook, since the applications must
 * not stay held, and tells the next guest-fsfreeze-thaw.
 *
 * A freeze whose thread hangs at the deadline is given up: its client is answered, and
 * whatever comes of it is left to its guardian. Until then no other freeze begins.
 */
#include "commands/freezer.h"

#include "commands/helper.h"
#include "core/event.h"
#include "core/refusal.h"
#include "core/task.h"
#include "platform/freeze.h"
#include "runtime/qapi-error.h"

#define MS_IN_US G_GINT64_CONSTANT(1000)

/* In the hook's environment: what the agent holds itself. */
#define HELD_VARIABLE "NOVACRON_QUIESCE_HELD"

typedef enum { FREEZE, THAW, EXPIRE } Kind;

/* What goes to a thread and comes back. */
typedef struct {
    GaFreezer *freezer; /* NULL: it has gone */
    GPtrArray *only;
    OsFreeze *freeze;
    OsGuardian *guardian; /* of a freeze that was given up; it must know when that is over */
    gint64 begun;         /* of the work; monotonic, as the deadline */
    gint64 deadline;
    gint64 count;
    GError *error;
} Work;

typedef struct {
    Kind kind;
    const char *command;
    GPtrArray *only;
    guint deadline_ms;
    char *id;
    GaFreezeHolder *holder; /* until its freeze begins */
    gboolean has_expired;   /* its freeze has ended before its thaw */
    gint64 count;
    GError *error;
    GaFreezerDone done;
    gpointer user_data;
} Operation;

struct GaFreezer {
    GaAgent *agent;
    GQueue waiting; /* Operation */
    Operation *current;
    void (*next)(GaFreezer *freezer, GError *error); /* after the hook */
    gint64 hook_begun;
    gint64 *hook_span;
    GaFreezeReport report;
    GaFreezeHolder *holder; /* of the freeze that the report is of; NULL: none */
    guint deadline_ms;      /* of the last freeze */
    GaKeepalive keepalive;
    Work *work;      /* on a thread for the current operation */
    Work *abandoned; /* of a freeze that was given up */
    guint timer;     /* gives up before there is a guardian */
    OsGuardian *guardian;
    void (*idle)(gpointer owner); /* waited for by somebody */
    gpointer idle_owner;
};

static void begin(GaFreezer *freezer);

static void
holder_free(GaFreezeHolder *holder)
{
    if (holder)
        holder->class->free(holder);
}

static void
operation_free(gpointer data)
{
    Operation *operation = data;

    if (!operation)
        return;
    holder_free(operation->holder);
    if (operation->only)
        g_ptr_array_unref(operation->only);
    g_free(operation->id);
    g_clear_error(&operation->error);
    g_free(operation);
}

static void
work_free(Work *work)
{
    os_guardian_free(work->guardian);
    os_freeze_free(work->freeze);
    if (work->only)
        g_ptr_array_unref(work->only);
    g_clear_error(&work->error);
    g_free(work);
}

static const GaConfig *
config_of(const GaFreezer *freezer)
{
    return ga_agent_config(freezer->agent);
}

static gboolean
is_frozen(const GaFreezer *freezer)
{
    return ga_gate_is_frozen(ga_agent_gate(freezer->agent));
}

static void
account(const GaFreezer *freezer, const char *text)
{
    ga_account(ga_agent_account(freezer->agent), freezer->current->command, "%s", text);
}

static void
tell_idle(GaFreezer *freezer)
{
    void (*idle)(gpointer owner) = freezer->idle;

    freezer->idle = NULL;
    idle(freezer->idle_owner);
}

/* The end of an operation. What its client does next may come from within done(). */

/* Of that one, which has ended. */
static gboolean
is_over(const GaFreezer *freezer, const char *id)
{
    return freezer->report.is_over && g_strcmp0(freezer->report.id, id) == 0;
}

static void
finish(GaFreezer *freezer, gint64 count, GError *error)
{
    Operation *operation = g_steal_pointer(&freezer->current);

    if (operation->kind == THAW && operation->id && is_over(freezer, operation->id))
        g_clear_error(&error);
    if (operation->done)
        operation->done(count, error, operation->user_data);
    else
        g_clear_error(&error);
    operation_free(operation);
    begin(freezer);
    if (freezer->idle && !freezer->current)
        tell_idle(freezer);
}

static void
finish_expired(GaFreezer *freezer)
{
    guint deadline = freezer->deadline_ms;
    g_autofree char *limit = deadline ? g_strdup_printf(" of %u ms", deadline) : g_strdup("");
    GError *error = NULL;

    ga_persist_forget_expired(ga_agent_persist(freezer->agent));
    qapi_set_error(
        &error,
        "file systems were thawed before this command: the deadline of the freeze%s had "
        "passed, or its guardian was stopped; a snapshot taken since may be inconsistent",
        limit);
    finish(freezer, -1, error);
}

/* Threads. */

static Work *
work_new(GaFreezer *freezer)
{
    Work *work = g_new0(Work, 1);

    work->freezer = freezer;
    work->begun = g_get_monotonic_time();
    freezer->work = work;
    return work;
}

static void
stop_timer(GaFreezer *freezer)
{
    if (freezer->timer)
        g_source_remove(freezer->timer);
    freezer->timer = 0;
}

/* NULL: nobody waits for it any more, and it is freed. */
static GaFreezer *
come_back(Work *work)
{
    GaFreezer *freezer = work->freezer;

    if (freezer && freezer->work == work) {
        freezer->work = NULL;
        stop_timer(freezer);
        return freezer;
    }
    if (freezer)
        freezer->abandoned = NULL;
    work_free(work);
    return NULL;
}

/* Hooks. */

static void
on_hook(GError *error, gpointer user_data)
{
    GaFreezer *freezer = user_data;

    *freezer->hook_span = g_get_monotonic_time() - freezer->hook_begun;
    freezer->next(freezer, error);
}

static void
run_hook(GaFreezer *freezer, const char *argument, gint64 *span,
         void (*next)(GaFreezer *, GError *))
{
    const GaConfig *config = config_of(freezer);
    g_autofree char *word = g_strdup(argument);
    char *argv[] = { config->fsfreeze_hook, word, NULL };
    GaHelperSpec spec = { .argv = argv,
                          .action = "execute fsfreeze hook",
                          .time_limit_ms = config->freeze_hook_timeout_ms };

    g_autofree char *held = freezer->holder ? freezer->holder->class->kinds(freezer->holder) : NULL;

    if (held) {
        spec.variable = HELD_VARIABLE;
        spec.value = held;
    }
    if (!config->fsfreeze_hook) {
        next(freezer, NULL);
        return;
    }
    freezer->next = next;
    freezer->hook_begun = g_get_monotonic_time();
    freezer->hook_span = span;
    ga_account(ga_agent_account(freezer->agent), freezer->current->command,
               "executing fsfreeze hook with arg '%s'", argument);
    ga_helper_run(&spec, on_hook, freezer);
}

/* Thawing. */

static void
emit(const GaFreezer *freezer, GaEventType type, gint64 count)
{
    ga_event_emit(freezer->agent,
                  &(GaEvent){ .type = type, .id = freezer->report.id, .count = count });
}

/* All is known about how the freeze has ended. Of one that failed its client alone has heard. */
static void
close_report(GaFreezer *freezer)
{
    const Operation *operation = freezer->current;
    const GaFreezeReport *report = &freezer->report;
    gboolean was_held = !report->is_over && operation->kind != FREEZE;

    ga_freeze_report_end(&freezer->report, operation->command,
                         operation->kind == EXPIRE || operation->has_expired);
    ga_keepalive_end(&freezer->keepalive);
    if (was_held)
        emit(freezer, report->is_expired ? GA_EVENT_FREEZE_EXPIRED : GA_EVENT_THAWED,
             report->thawed);
}

static void
after_thaw_hook(GaFreezer *freezer, GError *error)
{
    Operation *operation = freezer->current;

    if (error) {
        g_free(freezer->report.thaw_hook_error);
        freezer->report.thaw_hook_error = g_strdup(error->message);
    }

    if (operation->kind != THAW) {
        if (error)
            g_warning("%s", error->message);
        g_clear_error(&error);
        finish(freezer, operation->count, g_steal_pointer(&operation->error));
    } else if (operation->has_expired || ga_persist_has_expired(ga_agent_persist(freezer->agent))) {
        if (error)
            g_warning("%s", error->message);
        g_clear_error(&error);
        finish_expired(freezer);
    } else {
        finish(freezer, operation->count, error);
    }
}

static void
after_release_of_holder(GError *error, gpointer user_data)
{
    GaFreezer *freezer = user_data;

    if (error) {
        g_warning("%s", error->message);
        g_free(freezer->report.hold_error);
        freezer->report.hold_error = g_strdup(error->message);
        g_error_free(error);
    }
    run_hook(freezer, "thaw", &freezer->report.thaw_hook, after_thaw_hook);
}

/* First who keeps others waiting. */
static void
let_go(GaFreezer *freezer)
{
    gboolean is_held = freezer->report.is_held;

    freezer->report.is_held = FALSE;
    if (is_held)
        freezer->holder->class->release(freezer->holder, after_release_of_holder, freezer);
    else
        after_release_of_holder(NULL, freezer);
}

static void
run_thaw_hook(GaFreezer *freezer)
{
    account(freezer, "guest-fsthaw called");
    let_go(freezer);
}

/* Nothing is frozen in the end. What the hook has stopped would stay so: clients thaw only what an
 * answer says is frozen. */
static void
undo_freeze_hook(GaFreezer *freezer, GError *error)
{
    freezer->current->error = error;
    freezer->current->count = error ? -1 : 0;
    close_report(freezer);
    let_go(freezer);
}

static void
after_release(GaFreezer *freezer)
{
    close_report(freezer);
    if (freezer->current->kind == FREEZE && !freezer->current->error) {
        ga_persist_forget_expired(ga_agent_persist(freezer->agent));
        undo_freeze_hook(freezer, NULL);
    } else {
        run_thaw_hook(freezer);
    }
}

/* The guardian's end is waited for: it may have been the first to thaw. */
static void
leave_frozen_state(GaFreezer *freezer)
{
    gboolean has_expired = freezer->current->kind == EXPIRE;

    if (is_frozen(freezer))
        ga_agent_thaw(freezer->agent, has_expired);
    if (has_expired)
        g_warning("a freeze has ended before guest-fsfreeze-thaw");
    if (freezer->guardian)
        os_guardian_release(freezer->guardian);
    else
        after_release(freezer);
}

static void
thaw_work(gpointer data)
{
    Work *work = data;

    work->count = os_thaw(&work->error);
}

static void
thaw_done(gpointer data)
{
    Work *work = data;
    GaFreezer *freezer = come_back(work);

    if (!freezer)
        return;

    Operation *operation = freezer->current;
    if (!operation->error)
        operation->error = g_steal_pointer(&work->error);
    gboolean is_tried = work->count >= 0;
    if (operation->kind == THAW)
        operation->count = work->count;
    if (!freezer->report.is_over) {
        freezer->report.thawed = work->count;
        freezer->report.thaw = g_get_monotonic_time() - work->begun;
    }
    work_free(work);
    if (is_tried)
        leave_frozen_state(freezer);
    else
        finish(freezer, -1, g_steal_pointer(&operation->error));
}

static void
begin_thaw(GaFreezer *freezer)
{
    ga_task_run_apart(thaw_work, thaw_done, work_new(freezer));
}

/* Freezing. */

static void
fail_freeze(GaFreezer *freezer, GError *error)
{
    freezer->current->error = error;
    freezer->current->count = -1;
    begin_thaw(freezer);
}

static void
finish_frozen(GaFreezer *freezer, gint64 count)
{
    emit(freezer, GA_EVENT_FROZEN, count);
    finish(freezer, count, NULL);
}

static void
freeze_work(gpointer data)
{
    Work *work = data;

    work->count = os_freeze_run(work->freeze, work->deadline, &work->error);
}

static void
freeze_done(gpointer data)
{
    Work *work = data;
    GaFreezer *freezer = come_back(work);

    if (!freezer)
        return;

    gint64 count = work->count;
    GError *error = g_steal_pointer(&work->error);
    if (!error && work->deadline && !freezer->guardian)
        qapi_set_error(&error, "failed to freeze: the guardian of the freeze has gone");
    freezer->report.count = count;
    freezer->report.freeze = g_get_monotonic_time() - work->begun;
    freezer->report.file_systems = os_freeze_list(work->freeze);
    work_free(work);
    if (freezer->guardian)
        os_guardian_freezing_is_over(freezer->guardian, count);
    if (error)
        fail_freeze(freezer, error);
    else if (count == 0)
        leave_frozen_state(freezer);
    else
        finish_frozen(freezer, count);
}

static void on_guardian_ended(gpointer owner, gboolean has_expired);
static void on_guardian_told(gpointer owner, gint64 deadline, gint64 count);

static const OsGuardianEvents guardian_events = { on_guardian_ended, on_guardian_told };

static gboolean
start_guardian(GaFreezer *freezer, const OsFreeze *freeze, gint64 deadline, GError **error)
{
    const char *directory = ga_persist_directory(ga_agent_persist(freezer->agent));

    if (deadline)
        freezer->guardian = os_guardian_start(freeze, directory, deadline, &guardian_events,
                                              freezer, error);
    return !deadline || freezer->guardian;
}

/* What the next agent is to know. */
static void
describe(const GaFreezer *freezer)
{
    g_autofree char *text = ga_freeze_report_describe(&freezer->report);

    ga_persist_describe_freeze(ga_agent_persist(freezer->agent), text);
}

/* Everything that has to be written is written now. */
static void
enter_frozen_state(GaFreezer *freezer, OsFreeze *freeze)
{
    GaFreezeReport *report = &freezer->report;
    guint deadline_ms = freezer->deadline_ms;
    gint64 deadline = 0;
    GError *error = NULL;

    report->begun = g_get_monotonic_time();
    if (deadline_ms)
        deadline = report->begun + deadline_ms * MS_IN_US;
    report->deadline = deadline;
    describe(freezer);
    ga_persist_forget_expired(ga_agent_persist(freezer->agent));
    ga_agent_freeze(freezer->agent);
    if (!start_guardian(freezer, freeze, deadline, &error)) {
        os_freeze_free(freeze);
        fail_freeze(freezer, error);
        return;
    }

    Work *work = work_new(freezer);
    work->freeze = freeze;
    work->deadline = deadline;
    ga_task_run_apart(freeze_work, freeze_done, work);
}

/* The thread may be stuck: its call is answered, its result will be ignored. */
static void
give_up_freeze(GaFreezer *freezer)
{
    Operation *operation = freezer->current;

    freezer->abandoned = g_steal_pointer(&freezer->work);
    operation->count = -1;
    qapi_set_error(&operation->error, "failed to freeze: the deadline of %u ms has passed",
                   freezer->deadline_ms);
    close_report(freezer);
    run_thaw_hook(freezer);
}

static gboolean
on_opening_hangs(gpointer user_data)
{
    GaFreezer *freezer = user_data;

    freezer->timer = 0;
    give_up_freeze(freezer);
    return G_SOURCE_REMOVE;
}

static void
open_work(gpointer data)
{
    Work *work = data;

    work->freeze = os_freeze_open(work->only, &work->error);
}

static void
open_done(gpointer data)
{
    Work *work = data;
    GaFreezer *freezer = come_back(work);

    if (!freezer)
        return;

    OsFreeze *freeze = g_steal_pointer(&work->freeze);
    GError *error = g_steal_pointer(&work->error);
    work_free(work);
    if (!freeze) {
        undo_freeze_hook(freezer, error);
        return;
    }
    os_freeze_account(freeze, ga_agent_account(freezer->agent), freezer->current->command);
    enter_frozen_state(freezer, freeze);
}

static void
after_hold(GError *error, gpointer user_data)
{
    GaFreezer *freezer = user_data;

    if (error) {
        undo_freeze_hook(freezer, error);
        return;
    }

    Work *work = work_new(freezer);
    work->only = g_steal_pointer(&freezer->current->only);
    if (freezer->deadline_ms)
        freezer->timer = g_timeout_add(freezer->deadline_ms, on_opening_hangs, freezer);
    ga_task_run_apart(open_work, open_done, work);
}

static void
after_freeze_hook(GaFreezer *freezer, GError *error)
{
    if (error)
        undo_freeze_hook(freezer, error);
    else if (freezer->holder)
        freezer->holder->class->hold(freezer->holder, after_hold, freezer);
    else
        after_hold(NULL, freezer);
}

static void
begin_freeze(GaFreezer *freezer)
{
    GError *error = NULL;

    /* It had to wait, and the gate has been closed meanwhile. */
    if (is_frozen(freezer)) {
        g_set_error(&error, QAPI_ERROR, QAPI_ERROR_COMMAND_NOT_FOUND,
                    "Command %s has been disabled: the command is not allowed",
                    freezer->current->command);
        finish(freezer, -1, error);
        return;
    }
    if (freezer->abandoned ||
        os_guardian_exists(ga_persist_directory(ga_agent_persist(freezer->agent)))) {
        qapi_set_error(&error, "a freeze that was given up at its deadline still hangs in a file "
                               "system");
        finish(freezer, -1, error);
        return;
    }
    account(freezer, "guest-fsfreeze called");
    ga_freeze_report_begin(&freezer->report, freezer->current->id);
    holder_free(freezer->holder);
    freezer->holder = g_steal_pointer(&freezer->current->holder);
    freezer->report.is_held = freezer->holder != NULL;
    freezer->deadline_ms = freezer->current->deadline_ms;
    run_hook(freezer, "freeze", &freezer->report.freeze_hook, after_freeze_hook);
}

/* Operations. */

/* One freeze is to be thawed, and that is over, or it is another one. */
static gboolean
has_nothing_to_thaw(const GaFreezer *freezer)
{
    const Operation *operation = freezer->current;

    return operation->id &&
           (freezer->report.is_over || g_strcmp0(freezer->report.id, operation->id) != 0);
}

static void
leave_others_alone(GaFreezer *freezer)
{
    const char *id = freezer->current->id;
    GError *error = NULL;

    qapi_set_error(&error, "the freeze %s is not the last one any more", id);
    finish(freezer, freezer->report.thawed, error);
}

/* Beside a freeze that hangs in the kernel a thaw would hang as well, which is what the guardian's
 * thawer of that file system is there for. */
static gboolean
is_thawed_by_guardian(const GaFreezer *freezer)
{
    return freezer->abandoned || freezer->current->has_expired;
}

static void
begin(GaFreezer *freezer)
{
    if (freezer->current || g_queue_is_empty(&freezer->waiting))
        return;
    freezer->current = g_queue_pop_head(&freezer->waiting);
    if (freezer->current->kind == FREEZE)
        begin_freeze(freezer);
    else if (has_nothing_to_thaw(freezer))
        leave_others_alone(freezer);
    else if (is_thawed_by_guardian(freezer))
        leave_frozen_state(freezer);
    else
        begin_thaw(freezer);
}

static void
add(GaFreezer *freezer, Operation operation)
{
    g_queue_push_tail(&freezer->waiting, g_memdup(&operation, sizeof operation));
    begin(freezer);
}

static void
add_expiry(GaFreezer *freezer, gboolean has_thawed)
{
    add(freezer,
        (Operation){ .kind = EXPIRE, .command = "guest-fsfreeze-thaw", .has_expired = has_thawed });
}

/* From the frozen state on; before, the list is made. */
static gboolean
is_freezing(const GaFreezer *freezer)
{
    return freezer->work && is_frozen(freezer) && freezer->work->freeze;
}

static void
on_guardian_ended(gpointer owner, gboolean has_expired)
{
    GaFreezer *freezer = owner;
    OsGuardian *guardian = g_steal_pointer(&freezer->guardian);
    Operation *operation = freezer->current;

    ga_keepalive_end(&freezer->keepalive);
    if (has_expired && is_freezing(freezer)) {
        freezer->work->guardian = guardian;
        ga_agent_thaw(freezer->agent, TRUE);
        give_up_freeze(freezer);
        return;
    }
    os_guardian_free(guardian);
    if (is_freezing(freezer)) {
        os_freeze_stop(freezer->work->freeze);
    } else if (operation && freezer->work) {
        operation->has_expired |= has_expired; /* being thawed */
    } else if (operation) {
        operation->has_expired |= has_expired; /* released */
        after_release(freezer);
    } else {
        add_expiry(freezer, has_expired);
    }
}

static void
on_guardian_told(gpointer owner, gint64 deadline, gint64 count)
{
    GaFreezer *freezer = owner;
    GaFreezeReport *report = &freezer->report;

    report->deadline = deadline;
    if (report->count < 0)
        report->count = count;
    ga_keepalive_hear(&freezer->keepalive, deadline);
}

GaFreezer *
ga_freezer_new(GaAgent *agent)
{
    GaFreezer *freezer = g_new0(GaFreezer, 1);

    freezer->agent = agent;
    ga_freeze_report_init(&freezer->report);
    g_queue_init(&freezer->waiting);
    return freezer;
}

static void
forget(Work *work)
{
    if (work)
        work->freezer = NULL;
}

void
ga_freezer_free(GaFreezer *freezer)
{
    if (!freezer)
        return;
    if (is_freezing(freezer))
        os_freeze_stop(freezer->work->freeze);
    stop_timer(freezer);
    ga_keepalive_forget(&freezer->keepalive);
    ga_freeze_report_clear(&freezer->report);
    holder_free(freezer->holder);
    forget(freezer->work);
    forget(freezer->abandoned);
    operation_free(freezer->current);
    while (!g_queue_is_empty(&freezer->waiting))
        operation_free(g_queue_pop_head(&freezer->waiting));
    os_guardian_free(freezer->guardian);
    g_free(freezer);
}

static gpointer
freezer_open(GaAgent *agent)
{
    return ga_freezer_new(agent);
}

static void
freezer_close(gpointer state)
{
    ga_freezer_free(state);
}

static const GaSlot freezer_slot = { "freezer", freezer_open, freezer_close };

GaFreezer *
ga_freezer_of(GaAgent *agent)
{
    return ga_agent_slot(agent, &freezer_slot);
}

void
ga_freezer_freeze(GaFreezer *freezer, const GaFreezeRequest *request, GaFreezerDone done,
                  gpointer user_data)
{
    const GPtrArray *only = request->only;
    Operation operation = { .kind = FREEZE,
                            .command = request->command,
                            .deadline_ms = request->deadline_ms,
                            .id = g_strdup(request->id),
                            .holder = request->holder,
                            .done = done,
                            .user_data = user_data };

    if (only) {
        operation.only = g_ptr_array_new_full(only->len, g_free);
        for (guint i = 0; i < only->len; i++)
            g_ptr_array_add(operation.only, g_strdup(only->pdata[i]));
    }
    add(freezer, operation);
}

void
ga_freezer_thaw(GaFreezer *freezer, const char *command, GaFreezerDone done, gpointer user_data)
{
    add(freezer,
        (Operation){ .kind = THAW, .command = command, .done = done, .user_data = user_data });
}

void
ga_freezer_thaw_one(GaFreezer *freezer, const char *command, const char *id, GaFreezerDone done,
                    gpointer user_data)
{
    add(freezer, (Operation){ .kind = THAW,
                              .command = command,
                              .id = g_strdup(id),
                              .done = done,
                              .user_data = user_data });
}

/* No operation under way may change what is kept, and none may begin before the answer: the
 * guardian hears of a thaw after this. */
static gboolean
can_keep(const GaFreezer *freezer, GError **error)
{
    if (freezer->current || ga_keepalive_is_waiting(&freezer->keepalive)) {
        ga_refuse(error, GA_REFUSAL_BUSY, "a freeze, a thaw or a keepalive is under way");
        return FALSE;
    }
    if (!freezer->guardian) {
        ga_refuse(error, GA_REFUSAL_NOT_FOUND, "nothing is frozen until a deadline");
        return FALSE;
    }
    return TRUE;
}

void
ga_freezer_keep(GaFreezer *freezer, gint64 deadline, GaFreezerKept kept, gpointer user_data)
{
    GError *error = NULL;

    if (!can_keep(freezer, &error)) {
        kept(0, error, user_data);
        return;
    }
    ga_keepalive_begin(&freezer->keepalive, deadline, kept, user_data);
    os_guardian_keep(freezer->guardian, deadline);
}

GaFreezerPhase
ga_freezer_phase(const GaFreezer *freezer)
{
    gboolean is_freeze = freezer->current && freezer->current->kind == FREEZE;

    if (freezer->current && !is_freeze)
        return GA_FREEZER_THAWING;
    if (is_freeze)
        return is_frozen(freezer) ? GA_FREEZER_FREEZING : GA_FREEZER_PREPARING;
    return is_frozen(freezer) ? GA_FREEZER_FROZEN : GA_FREEZER_IDLE;
}

const GaFreezeReport *
ga_freezer_report(const GaFreezer *freezer)
{
    return &freezer->report;
}

const GaFreezeHolder *
ga_freezer_holder(const GaFreezer *freezer)
{
    return freezer->holder;
}

/* What a former agent has said of its freeze. */
static void
read_description(GaFreezer *freezer)
{
    g_autofree char *text = ga_persist_read_freeze(ga_agent_persist(freezer->agent));

    ga_freeze_report_recall(&freezer->report, text);
}

void
ga_freezer_resume(GaFreezer *freezer)
{
    GaPersist *persist = ga_agent_persist(freezer->agent);

    freezer->deadline_ms = config_of(freezer)->freeze_deadline_ms;
    if (is_frozen(freezer) || ga_persist_has_expired(persist))
        read_description(freezer);
    if (is_frozen(freezer))
        freezer->guardian = os_guardian_find(ga_persist_directory(persist), &guardian_events,
                                             freezer);
    else
        os_guardian_dismiss(ga_persist_directory(persist));
    if (ga_persist_has_expired(persist))
        add_expiry(freezer, TRUE); /* while there was no agent to run the hook */
    else if (is_frozen(freezer) && !freezer->guardian &&
             (config_of(freezer)->freeze_deadline_ms || freezer->report.id))
        add_expiry(freezer, FALSE);
}

gboolean
ga_freezer_wait(GaFreezer *freezer, void (*idle)(gpointer owner), gpointer owner)
{
    if (!freezer->current)
        return FALSE;
    freezer->idle = idle;
    freezer->idle_owner = owner;
    return TRUE;
}

gboolean
ga_freezer_is_guarded(const GaFreezer *freezer)
{
    return freezer->guardian != NULL;
}
