/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows a program of the guest: its output as it comes, our input and signals
 * as they come. One request is under way at a time; what waits in the agent is
 * cut short when there is input or a signal.
 *
 * The program is held rather than losing output, so it waits while we are
 * stopped or our reader is slow.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "novacronctl/exec.h"
#include "novacronctl/output.h"
#include "novacronctl/signals.h"
#include "novacronctl/terminal.h"
#include "runtime/qapi-base64.h"
#include "runtime/qapi-error.h"

/* Of both streams together; what one line of 4 MiB, the most that libvirt takes, holds easily. */
#define READ_SIZE (256u << 10)
#define INPUT_SIZE (64u << 10)
/* So often input goes before it is the output's turn. */
#define WRITES_PER_TURN 16

/* As long as the agent does what it is asked to at once when there is something else. */
#define WAIT_MS 10000
/* Where it cannot be told: as often as a person can type, or not care. */
#define WAIT_TYPING_MS 40
#define WAIT_SHORT_MS 200
/* When the program takes no input. */
#define WAIT_FULL_MS 20

/* The signal that ends us though the program does not want to end. */
#define PATIENT_SIGNALS 2

/* Ctrl-], as in virsh console. */
#define LEAVING_KEY 0x1d

/* What `--json` keeps of each stream, like guest-exec. */
#define KEPT_MAX (16u << 20)

typedef struct {
    const Subcommand *subcommand;
    QgaClient *client;
    char *id;
    gboolean is_ours;   /* what should end us is for it */
    NovacronExec *exec; /* as it was last seen; NULL: not yet */
    guint64 out_offset;
    guint64 err_offset;
    gboolean out_is_over;
    gboolean err_is_over;
    GByteArray *kept_out; /* these two with --json */
    GByteArray *kept_err;
    gboolean has_input;
    gboolean input_has_ended;
    GByteArray *input; /* read, and not taken by the program yet */
    int signals;
    guint endings; /* signals that should end us */
    gboolean is_killed;
} Follower;

static const struct {
    int number;
    const char *name;
} forwarded[] = {
    { SIGHUP, "HUP" },   { SIGINT, "INT" },   { SIGQUIT, "QUIT" },
    { SIGTERM, "TERM" }, { SIGUSR1, "USR1" }, { SIGUSR2, "USR2" },
};

static void
follower_free(Follower *follower)
{
    novacron_exec_free(follower->exec);
    g_byte_array_unref(follower->kept_out);
    g_byte_array_unref(follower->kept_err);
    g_byte_array_unref(follower->input);
    if (follower->signals >= 0)
        close(follower->signals);
    g_free(follower->id);
    g_free(follower);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Follower, follower_free)

static Follower *
follower_new(const Subcommand *subcommand, const char *id)
{
    Follower *follower = g_new0(Follower, 1);

    follower->subcommand = subcommand;
    follower->client = subcommand->client;
    follower->id = g_strdup(id);
    follower->is_ours = !subcommand->options->attach;
    follower->kept_out = g_byte_array_new();
    follower->kept_err = g_byte_array_new();
    follower->input = g_byte_array_new();
    follower->signals = -1;
    follower->has_input = subcommand->options->with_input || subcommand->options->with_terminal;
    return follower;
}

/* The stream's bytes, to where they belong. */
static gboolean
deliver(const Follower *follower, FILE *stream, GByteArray *kept, GBytes *bytes, GError **error)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    if (!follower->subcommand->options->as_json)
        return output_bytes(stream, bytes, error);
    g_byte_array_append(kept, data, (guint)MIN(size, KEPT_MAX - kept->len));
    return TRUE;
}

static gboolean
take_piece(const Follower *follower, const NovacronExecPiece *piece, FILE *stream, GByteArray *kept,
           guint64 *offset, gboolean *is_over, GError **error)
{
    if (piece->lost_bytes > 0)
        output_note("%" G_GUINT64_FORMAT " bytes of output %s", piece->lost_bytes,
                    follower->is_ours || *offset > 0 ? "are lost" : "were not kept until now");
    *offset = piece->offset + g_bytes_get_size(piece->buf_b64);
    *is_over = piece->eof;
    return deliver(follower, stream, kept, piece->buf_b64, error);
}

/* What to wait for in our turn: a signal, and input unless the program does not even take what it
 * has. */
static guint
watched_fds(const Follower *follower, GPollFD *fds)
{
    guint n_fds = 0;

    fds[n_fds++] = (GPollFD){ .fd = follower->signals, .events = G_IO_IN };
    if (follower->has_input && !follower->input_has_ended && follower->input->len == 0)
        fds[n_fds++] = (GPollFD){ .fd = STDIN_FILENO, .events = G_IO_IN };
    return n_fds;
}

static guint32
choose_wait(const Follower *follower)
{
    GPollFD fds[2];
    guint n_fds = watched_fds(follower, fds);
    gint64 patience = qga_client_timeout(follower->client) / 1000 / 2;

    if (follower->input->len > 0)
        return WAIT_FULL_MS;
    if (qga_client_hurry(follower->client, fds, n_fds))
        return (guint32)MIN(patience, WAIT_MS);
    return follower->subcommand->options->with_terminal ? WAIT_TYPING_MS : WAIT_SHORT_MS;
}

static gboolean
read_output(Follower *follower, GError **error)
{
    NovacronExecReadArgs args = {
        .id = follower->id,
        .has_out_offset = TRUE,
        .out_offset = follower->out_offset,
        .has_err_offset = TRUE,
        .err_offset = follower->err_offset,
        .has_max_bytes = TRUE,
        .max_bytes = READ_SIZE,
        .has_wait_ms = TRUE,
        .wait_ms = choose_wait(follower),
    };
    g_autoptr(NovacronExecOutput) output = NULL;

    if (!qga_novacron_exec_read(follower->client, &args, &output, error) ||
        !take_piece(follower, output->out, stdout, follower->kept_out, &follower->out_offset,
                    &follower->out_is_over, error))
        return FALSE;
    if (!output->err)
        follower->err_is_over = TRUE;
    else if (!take_piece(follower, output->err, stderr, follower->kept_err, &follower->err_offset,
                         &follower->err_is_over, error))
        return FALSE;
    novacron_exec_free(follower->exec);
    follower->exec = g_steal_pointer(&output->exec);
    return TRUE;
}

static gboolean
is_readable(int fd)
{
    GPollFD ours = { .fd = fd, .events = G_IO_IN };

    return g_poll(&ours, 1, 0) > 0;
}

static gboolean
leave(GError **error)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INTR, "left");
    return FALSE;
}

/* More of our input, if there is some; at its end, nothing. */
static gboolean
read_input(Follower *follower, GError **error)
{
    guint8 buffer[INPUT_SIZE];
    gssize size = read(STDIN_FILENO, buffer, sizeof buffer);

    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return TRUE;
    if (size > 0 && !follower->is_ours && isatty(STDIN_FILENO) &&
        memchr(buffer, LEAVING_KEY, (gsize)size))
        return leave(error);
    /* a terminal that was taken away */
    if (size < 0 && errno != EIO) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot read standard input: %s", g_strerror(errno));
        return FALSE;
    }
    g_byte_array_append(follower->input, buffer, (guint)MAX(size, 0));
    follower->input_has_ended = size <= 0;
    return TRUE;
}

/* The program may have ended meanwhile: then the next read tells. */
static gboolean
is_not_found(const GError *error)
{
    return error->domain == QAPI_ERROR && g_str_has_prefix(error->message, "not-found:");
}

static gboolean
forgive(GError *problem, GError **error)
{
    if (!problem || is_not_found(problem)) {
        g_clear_error(&problem);
        return TRUE;
    }
    g_propagate_error(error, problem);
    return FALSE;
}

/* What was under way may have arrived, and is not sent twice. A person sees what is missing, and a
 * program would go on with a hole in its input. */
static gboolean
bear_lost_input(Follower *follower, GError *problem, GError **error)
{
    if (problem->domain != QGA_CLIENT_ERROR) {
        follower->has_input = FALSE;
        return forgive(problem, error);
    }
    if (qga_client_outlives(follower->client, problem) && isatty(STDIN_FILENO)) {
        output_note("what was typed last may not have arrived");
        g_byte_array_set_size(follower->input, 0);
        g_error_free(problem);
        return TRUE;
    }
    g_propagate_prefixed_error(error, problem, "it is not known how much of the input arrived: ");
    return FALSE;
}

static gboolean
write_input(Follower *follower, GError **error)
{
    GByteArray *input = follower->input;
    g_autofree char *text = g_malloc(QAPI_BASE64_SIZE((gsize)input->len) + 1);
    NovacronExecWriteArgs args = {
        .id = follower->id,
        .buf_b64 = text,
        .has_eof = TRUE,
        .eof = follower->input_has_ended,
    };
    g_autoptr(NovacronExecWritten) written = NULL;
    GError *local = NULL;

    qapi_base64_encode(input->data, input->len, text);
    text[QAPI_BASE64_SIZE((gsize)input->len)] = '\0';
    if (!qga_novacron_exec_write(follower->client, &args, &written, &local))
        return bear_lost_input(follower, local, error);
    if (written->accepted_bytes > input->len || written->closed)
        written->accepted_bytes = input->len;
    g_byte_array_remove_range(input, 0, (guint)written->accepted_bytes);
    /* its end was taken with the last of it */
    if (written->closed || (follower->input_has_ended && input->len == 0))
        follower->has_input = FALSE;
    return TRUE;
}

static gboolean
pass_input(Follower *follower, GError **error)
{
    for (guint n = 0; follower->has_input && n < WRITES_PER_TURN; n++) {
        guint before = follower->input->len;

        if (before == 0 && !follower->input_has_ended) {
            if (!is_readable(STDIN_FILENO))
                return TRUE;
            if (!read_input(follower, error))
                return FALSE;
        }
        guint offered = follower->input->len;
        if (!write_input(follower, error))
            return FALSE;
        if (follower->input->len == offered && offered > 0)
            return TRUE; /* the program is busy */
    }
    return TRUE;
}

static gboolean
resize(const Follower *follower, GError **error)
{
    NovacronExecResizeArgs args = { .id = follower->id };
    GError *local = NULL;

    terminal_size(&args.columns, &args.rows);
    return qga_novacron_exec_resize(follower->client, &args, &local) || forgive(local, error);
}

static gboolean
forward(const Follower *follower, int number, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(forwarded); i++) {
        if (forwarded[i].number != number)
            continue;
        g_autofree char *name = g_strdup(forwarded[i].name);
        const NovacronExecSignalArgs args = { .id = follower->id, .signal = name };
        GError *local = NULL;
        if (qga_novacron_exec_signal(follower->client, &args, &local))
            return TRUE;
        if (!qga_client_outlives(follower->client, local))
            return forgive(local, error);
        output_note("it is not known whether SIG%s arrived", name);
        g_error_free(local);
        return TRUE;
    }
    return TRUE;
}

static gboolean
close_program(const Follower *follower, GError **error)
{
    const NovacronExecCloseArgs args = { .id = follower->id };

    return qga_novacron_exec_close(follower->client, &args, error);
}

static gboolean
pass_signals(Follower *follower, GError **error)
{
    guint8 number;

    while (is_readable(follower->signals) && read(follower->signals, &number, 1) == 1) {
        gboolean is_ending = number == SIGINT || number == SIGTERM || number == SIGHUP;
        if (is_ending && !follower->is_ours)
            return leave(error);
        if (is_ending && follower->endings++ == PATIENT_SIGNALS) {
            g_autoptr(GError) ignored = NULL;
            if (!close_program(follower, &ignored))
                g_debug("not closed: %s", ignored->message);
            follower->is_killed = TRUE;
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INTR,
                        "told to end for the third time; the program was killed");
            return FALSE;
        }
        if (!(number == SIGWINCH ? resize(follower, error) : forward(follower, number, error)))
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_over(const Follower *follower)
{
    return follower->exec && !follower->exec->running && follower->out_is_over &&
           follower->err_is_over;
}

static gboolean
follow(Follower *follower, GError **error)
{
    while (!is_over(follower))
        if (!pass_signals(follower, error) || !pass_input(follower, error) ||
            !read_output(follower, error))
            return FALSE;
    return TRUE;
}

/* What has become of the program, when we cannot go on. */
static void
explain(const Follower *follower, GError **error)
{
    if ((*error)->domain == QGA_CLIENT_ERROR || (*error)->domain == G_FILE_ERROR)
        g_prefix_error(error, "the program (%s) goes on: ", follower->id);
    if (!is_not_found(*error) || !(follower->is_ours || follower->exec))
        return;
    g_clear_error(error);
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CLOSED,
                "the agent does not know the program (%s) any more: it was restarted, or somebody "
                "has closed it",
                follower->id);
}

static void
set_output(GByteArray *kept, guint64 size, GBytes **bytes, gboolean *has_truncated,
           gboolean *truncated)
{
    if (size == 0)
        return;
    *bytes = g_bytes_new(kept->data, kept->len);
    *has_truncated = *truncated = size > kept->len;
}

static int
conclude(const Follower *follower)
{
    const NovacronExec *exec = follower->exec;
    g_autoptr(GError) error = NULL;

    if (!close_program(follower, &error))
        g_debug("not closed: %s", error->message);
    if (exec->timed_out)
        fprintf(stderr, "novacronctl: its time was over\n");
    if (exec->out_of_memory)
        fprintf(stderr, "novacronctl: it, or a child of it, was killed for lack of memory\n");
    if (!follower->subcommand->options->as_json)
        return exec_exit_status(exec->has_signal, exec->signal, exec->exit_code);

    g_autoptr(GuestExecStatus) status = g_new0(GuestExecStatus, 1);
    status->exited = TRUE;
    status->has_exitcode = exec->has_exit_code;
    status->exitcode = exec->exit_code;
    status->has_signal = exec->has_signal;
    status->signal = exec->signal;
    set_output(follower->kept_out, follower->out_offset, &status->out_data,
               &status->has_out_truncated, &status->out_truncated);
    set_output(follower->kept_err, follower->err_offset, &status->err_data,
               &status->has_err_truncated, &status->err_truncated);
    return exec_report(status);
}

int
exec_follow(const Subcommand *subcommand, const char *id, GError **error)
{
    static const int numbers[] = {
        SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, 0
    };
    g_autoptr(Follower) follower = follower_new(subcommand, id);
    g_autoptr(GError) local = NULL;

    follower->signals = signals_open(numbers, error);
    if (follower->signals < 0)
        return -1;
    const GPollFD stop = { .fd = follower->signals, .events = G_IO_IN };
    qga_client_stop_at(follower->client, &stop);
    qga_client_persist(follower->client, subcommand->options->reconnect);
    g_autoptr(Terminal)
        terminal G_GNUC_UNUSED = subcommand->options->with_terminal ? terminal_make_raw() : NULL;
    gboolean is_sized = follower->is_ours || !subcommand->options->with_terminal ||
                        resize(follower, &local);
    if (is_sized && follow(follower, &local))
        return conclude(follower);
    if (!follower->is_killed)
        explain(follower, &local);
    g_propagate_error(error, g_steal_pointer(&local));
    return -1;
}
