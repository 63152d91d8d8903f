/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a program in the guest, as far as guest-exec goes: the input is sent
 * whole before the start, the output comes whole after the end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "novacronctl/exec.h"
#include "novacronctl/output.h"
#include "runtime/qapi-base64.h"

/* The agent takes requests of 64 MiB; base64 makes four bytes out of three. */
#define INPUT_MAX (47u << 20)
#define INPUT_STEP (64u << 10)

#define POLL_MIN_US 1000
#define POLL_MAX_US (100 * 1000)

/* All of standard input. */
static GByteArray *
read_input(GError **error)
{
    g_autoptr(GByteArray) input = g_byte_array_new();
    gssize size;

    if (isatty(STDIN_FILENO)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "--stdin needs a file or a pipe as standard input; this is a terminal");
        return NULL;
    }

    do {
        guint length = input->len;
        g_byte_array_set_size(input, length + INPUT_STEP);
        size = read(STDIN_FILENO, input->data + length, INPUT_STEP);
        if (size < 0) {
            g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                        "cannot read standard input: %s", g_strerror(errno));
            return NULL;
        }
        g_byte_array_set_size(input, length + (guint)size);
        if (input->len > INPUT_MAX) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                        "standard input is larger than %u MiB, which is all that fits in a request",
                        INPUT_MAX >> 20);
            return NULL;
        }
    } while (size > 0);
    return g_steal_pointer(&input);
}

static char *
read_input_base64(GError **error)
{
    g_autoptr(GByteArray) input = read_input(error);
    if (!input)
        return NULL;

    gsize length = QAPI_BASE64_SIZE((gsize)input->len);
    char *text = g_malloc(length + 1);
    qapi_base64_encode(input->data, input->len, text);
    text[length] = '\0';
    return text;
}

/* Start the program. Returns its pid, or -1. */
static gint64
start(const Subcommand *subcommand, GPtrArray *argv, GError **error)
{
    GuestExecCaptureOutput capture = {
        .branch = GUEST_EXEC_CAPTURE_OUTPUT_FLAG, /* the words are unknown to agents before 8.0 */
        .u.flag = TRUE,
    };
    g_autofree char *input = NULL;

    if (subcommand->options->with_input && !(input = read_input_base64(error)))
        return -1;

    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    for (guint i = 1; i < argv->len; i++)
        g_ptr_array_add(arguments, argv->pdata[i]);
    const GuestExecArgs args = {
        .path = argv->pdata[0],
        .arg = arguments,
        .input_data = input,
        .capture_output = &capture,
    };
    g_autoptr(GuestExec) started = NULL;
    return qga_guest_exec(subcommand->client, &args, &started, error) ? started->pid : -1;
}

/* Ask until the process `pid` has ended: often at first, since most programs are short. */
static GuestExecStatus *
await_end(QgaClient *client, gint64 pid, GError **error)
{
    const GuestExecStatusArgs args = { .pid = pid };

    for (gulong pause = POLL_MIN_US;; pause = MIN(2 * pause, POLL_MAX_US)) {
        g_autoptr(GuestExecStatus) status = NULL;

        if (!qga_guest_exec_status(client, &args, &status, error))
            return NULL;
        if (status->exited)
            return g_steal_pointer(&status);
        g_usleep(pause);
    }
}

static void
warn_if_truncated(gboolean truncated, const char *stream)
{
    if (truncated)
        fprintf(stderr, "novacronctl: the agent kept only the first part of the program's %s\n",
                stream);
}

int
exec_plainly(const Subcommand *subcommand, GPtrArray *argv, GError **error)
{
    gint64 pid = start(subcommand, argv, error);
    if (pid < 0)
        return -1;

    g_autoptr(GuestExecStatus) status = await_end(subcommand->client, pid, error);
    if (!status)
        return -1;
    if (!subcommand->options->as_json && (!output_bytes(stdout, status->out_data, error) ||
                                          !output_bytes(stderr, status->err_data, error)))
        return -1;
    warn_if_truncated(status->out_truncated, "standard output");
    warn_if_truncated(status->err_truncated, "standard error");
    return subcommand->options->as_json
               ? exec_report(status)
               : exec_exit_status(status->has_signal, status->signal, status->exitcode);
}
