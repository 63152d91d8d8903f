/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-file-*: handles and the order of checks.
 *
 * Handles belong to the agent, so two sessions can use one at the same time. The
 * requests of a handle form a queue and only its head runs, which keeps every
 * request as whole as if there were one session.
 */
#include "commands/file.h"

#include <errno.h>
#include <string.h>

#include "core/account.h"
#include "core/agent.h"
#include "core/call.h"
#include "core/persist.h"
#include "gen/guest-agent-commands.h"
#include "platform/file.h"
#include "runtime/qapi-base64.h"
#include "runtime/qapi-error.h"

typedef struct {
    OsFiles *files;
    GHashTable *handles; /* number → Handle; a handle that is being closed is not in it */
    guint n_opening;
} Files;

typedef struct {
    gint64 number;
    OsFile *file;
    GQueue turns; /* at most one for each session */
    guint next;   /* source that starts the one at the head, or 0 */
} Handle;

typedef struct Turn Turn;

struct Turn {
    Handle *handle;
    GaCall *call;
    gconstpointer args;
    void (*start)(Turn *turn);
    gint64 count; /* of bytes to be written */
};

typedef struct {
    Files *files;
    GaCall *call;
} Opening;

static void
handle_free(gpointer data)
{
    Handle *handle = data;

    os_file_free(handle->file);
    if (handle->next)
        g_source_remove(handle->next);
    for (Turn *turn; (turn = g_queue_pop_head(&handle->turns));)
        g_free(turn); /* its call ends with its session */
    g_free(handle);
}

static gpointer
files_open(G_GNUC_UNUSED GaAgent *agent)
{
    Files *files = g_new0(Files, 1);

    files->files = os_files_new();
    files->handles = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, handle_free);
    return files;
}

static void
files_close(gpointer state)
{
    Files *files = state;

    g_hash_table_unref(files->handles);
    os_files_free(files->files);
    g_free(files);
}

static Files *
files_of(const GaCall *call)
{
    static const GaSlot slot = { "files", files_open, files_close };

    return ga_agent_slot(ga_call_agent(call), &slot);
}

static void
fail_not_found(GaCall *call, gint64 number)
{
    GError *error = NULL;

    qapi_set_error(&error, "handle '%" G_GINT64_FORMAT "' has not been found", number);
    ga_call_fail(call, error);
}

static void
fail_count(GaCall *call, gint64 count)
{
    GError *error = NULL;

    qapi_set_error(&error, "value '%" G_GINT64_FORMAT "' is invalid for argument count", count);
    ga_call_fail(call, error);
}

static void
account_failure(const Turn *turn)
{
    /* Upstream says "write" of reads as well. */
    ga_account(ga_agent_account(ga_call_agent(turn->call)), "guest-file-write",
               "guest-file-write failed, handle: %" G_GINT64_FORMAT, turn->handle->number);
}

/* The turn of `call` at its handle: now, or when those before it have ended. */
static void
take_turn(GaCall *call, gint64 number, gconstpointer args, void (*start)(Turn *turn))
{
    Handle *handle = g_hash_table_lookup(files_of(call)->handles, &number);

    if (!handle) {
        fail_not_found(call, number);
        return;
    }

    Turn *turn = g_new(Turn, 1);
    *turn = (Turn){ handle, call, args, start, 0 };
    g_queue_push_tail(&handle->turns, turn);
    if (handle->turns.length == 1)
        start(turn);
}

static gboolean
start_next(gpointer user_data)
{
    Handle *handle = user_data;
    Turn *turn = g_queue_peek_head(&handle->turns);

    handle->next = 0;
    turn->start(turn);
    return G_SOURCE_REMOVE;
}

/* Returns the call, which is settled after this: what its session does then may be for the same
 * handle. Who waits starts from the loop: sessions that take turns would pile up on the stack. */
static GaCall *
end_turn(Turn *turn)
{
    Handle *handle = turn->handle;
    GaCall *call = turn->call;

    g_queue_pop_head(&handle->turns);
    g_free(turn);
    if (!g_queue_is_empty(&handle->turns))
        handle->next = g_idle_add_full(G_PRIORITY_DEFAULT, start_next, handle, NULL);
    return call;
}

static void
opened(OsFile *file, GError *error, gpointer user_data)
{
    g_autofree Opening *opening = user_data;
    Files *files = opening->files;
    GaCall *call = opening->call;
    GaAgent *agent = ga_call_agent(call);
    gint64 number;

    files->n_opening--;
    if (file && !ga_persist_next_handle(ga_agent_persist(agent), &number, &error))
        g_clear_pointer(&file, os_file_free);
    if (!file) {
        ga_call_fail(call, error);
        return;
    }
    if (number < 0) {
        /* What upstream answers when the counter of a damaged state file is used up. */
        os_file_free(file);
        guest_file_open_return(call, -1);
        return;
    }

    Handle *handle = g_new0(Handle, 1);
    handle->number = number;
    handle->file = file;
    g_hash_table_insert(files->handles, &handle->number, handle);
    ga_account(ga_agent_account(agent), "guest-file-open",
               "guest-file-open, handle: %" G_GINT64_FORMAT, number);
    guest_file_open_return(call, number);
}

void
guest_file_open(GaCall *call, const GuestFileOpenArgs *args)
{
    const char *mode = args->mode ? args->mode : "r";
    Files *files = files_of(call);

    ga_account(ga_agent_account(ga_call_agent(call)), "guest-file-open",
               "guest-file-open called, filepath: %s, mode: %s", args->path, mode);
    if (g_hash_table_size(files->handles) + files->n_opening >=
        MIN(GA_FILE_HANDLES_MAX, os_files_maximum())) {
        GError *error = NULL;

        qapi_set_errno(&error, EMFILE, "failed to open file '%s' (mode: '%s')", args->path, mode);
        ga_call_fail(call, error);
        return;
    }

    Opening *opening = g_new(Opening, 1);
    *opening = (Opening){ files, call };
    files->n_opening++;
    os_file_open(files->files, args->path, mode, opened, opening);
}

static void
closed(GError *error, gpointer user_data)
{
    g_autofree Turn *turn = user_data;
    Handle *handle = turn->handle;

    /* Upstream keeps a handle whose last flush failed, and crashes when it is used again. */
    if (error)
        ga_call_fail(turn->call, error);
    else
        guest_file_close_return(turn->call);

    g_queue_pop_head(&handle->turns);
    for (Turn *late; (late = g_queue_pop_head(&handle->turns)); g_free(late))
        fail_not_found(late->call, handle->number);
    handle_free(handle);
}

static void
close_turn(Turn *turn)
{
    Handle *handle = turn->handle;

    g_hash_table_steal(files_of(turn->call)->handles, &handle->number);
    os_file_close(g_steal_pointer(&handle->file), closed, turn);
}

void
guest_file_close(GaCall *call, const GuestFileCloseArgs *args)
{
    ga_account(ga_agent_account(ga_call_agent(call)), "guest-file-close",
               "guest-file-close called, handle: %" G_GINT64_FORMAT, args->handle);
    take_turn(call, args->handle, args, close_turn);
}

static void
was_read(GBytes *bytes, gboolean is_end_of_file, GError *error, gpointer user_data)
{
    Turn *turn = user_data;

    if (error) {
        account_failure(turn);
        ga_call_fail(end_turn(turn), error);
    } else {
        GuestFileRead result = { (gint64)g_bytes_get_size(bytes), bytes, is_end_of_file };

        guest_file_read_return(end_turn(turn), &result);
        g_bytes_unref(bytes);
    }
}

static void
read_turn(Turn *turn)
{
    const GuestFileReadArgs *args = turn->args;
    gint64 count = args->has_count ? args->count : GA_FILE_READ_DEFAULT;

    if (count < 0 || count > GA_FILE_READ_MAX) {
        fail_count(end_turn(turn), count);
        return;
    }
    os_file_read(turn->handle->file, (gsize)count, was_read, turn);
}

void
guest_file_read(GaCall *call, const GuestFileReadArgs *args)
{
    take_turn(call, args->handle, args, read_turn);
}

static void
written(GError *error, gpointer user_data)
{
    Turn *turn = user_data;

    if (error) {
        account_failure(turn);
        ga_call_fail(end_turn(turn), error);
    } else {
        GuestFileWrite result = { turn->count, FALSE };

        guest_file_write_return(end_turn(turn), &result);
    }
}

/* FALSE: the turn ended with an error. */
static gboolean
decode(Turn *turn)
{
    const GuestFileWriteArgs *args = turn->args;
    GError *error = NULL;
    gsize size;

    if (!qapi_base64_decode(args->buf_b64, strlen(args->buf_b64), &size, &error)) {
        ga_call_fail(end_turn(turn), error);
        return FALSE;
    }
    turn->count = args->has_count ? args->count : (gint64)size;
    if (turn->count < 0 || turn->count > (gint64)size) {
        gint64 count = turn->count;

        fail_count(end_turn(turn), count);
        return FALSE;
    }
    return TRUE;
}

static void
prepared(GError *error, gpointer user_data)
{
    Turn *turn = user_data;
    const GuestFileWriteArgs *args = turn->args;

    if (error)
        ga_call_fail(end_turn(turn), error);
    else if (decode(turn))
        os_file_write(turn->handle->file, args->buf_b64, (gsize)turn->count, written, turn);
}

static void
write_turn(Turn *turn)
{
    os_file_prepare_write(turn->handle->file, prepared, turn);
}

void
guest_file_write(GaCall *call, const GuestFileWriteArgs *args)
{
    take_turn(call, args->handle, args, write_turn);
}

static void
sought(gint64 position, GError *error, gpointer user_data)
{
    Turn *turn = user_data;

    if (error) {
        ga_call_fail(end_turn(turn), error);
    } else {
        GuestFileSeek result = { position, FALSE };

        guest_file_seek_return(end_turn(turn), &result);
    }
}

static gboolean
parse_whence(const GuestFileWhence *whence, OsFileWhence *ret_whence, GError **error)
{
    /* QGASeek has the words in the order of the numbers, which is that of OsFileWhence. */
    gint64 code = whence->branch == GUEST_FILE_WHENCE_NAME ? (gint64)whence->u.name
                                                           : whence->u.value;

    if (code < OS_FILE_SET || code > OS_FILE_END) {
        qapi_set_error(error, "invalid whence code %" G_GINT64_FORMAT, code);
        return FALSE;
    }
    *ret_whence = (OsFileWhence)code;
    return TRUE;
}

static void
seek_turn(Turn *turn)
{
    const GuestFileSeekArgs *args = turn->args;
    OsFileWhence whence;
    GError *error = NULL;

    if (!parse_whence(args->whence, &whence, &error)) {
        ga_call_fail(end_turn(turn), error);
        return;
    }
    os_file_seek(turn->handle->file, args->offset, whence, sought, turn);
}

void
guest_file_seek(GaCall *call, const GuestFileSeekArgs *args)
{
    take_turn(call, args->handle, args, seek_turn);
}

static void
flushed(GError *error, gpointer user_data)
{
    GaCall *call = end_turn(user_data);

    if (error)
        ga_call_fail(call, error);
    else
        guest_file_flush_return(call);
}

static void
flush_turn(Turn *turn)
{
    os_file_flush(turn->handle->file, flushed, turn);
}

void
guest_file_flush(GaCall *call, const GuestFileFlushArgs *args)
{
    take_turn(call, args->handle, args, flush_turn);
}
