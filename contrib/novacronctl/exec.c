/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a program in the guest, as far as guest-exec goes: the input is sent
 * whole before the start, the output comes whole after the end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "novacronctl/output.h"
#include "novacronctl/subcommand.h"
#include "runtime/qapi-base64.h"

/* The agent takes requests of 64 MiB; base64 makes four bytes out of three. */
#define INPUT_MAX (47u << 20)
#define INPUT_STEP (64u << 10)

#define POLL_MIN_US 1000
#define POLL_MAX_US (100 * 1000)

#define STATUS_OF_SIGNAL 128
#define STATUS_MAX 255

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

static gboolean
check_utf8(const char *const *words, GError **error)
{
    for (guint i = 0; words[i]; i++) {
        if (g_utf8_validate(words[i], -1, NULL))
            continue;
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "argument %u is not UTF-8, which is all that can be sent", i);
        return FALSE;
    }
    return TRUE;
}

static GPtrArray *
copy_words(const char *const *words)
{
    GPtrArray *copy = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; words[i]; i++)
        g_ptr_array_add(copy, g_strdup(words[i]));
    return copy;
}

/* Start the program. Returns its pid, or -1. */
static gint64
start(const Subcommand *subcommand, GError **error)
{
    GuestExecCaptureOutput capture = {
        .branch = GUEST_EXEC_CAPTURE_OUTPUT_FLAG, /* the words are unknown to agents before 8.0 */
        .u.flag = TRUE,
    };
    g_autofree char *input = NULL;

    if (!check_utf8(subcommand->words, error))
        return -1;
    if (subcommand->with_input && !(input = read_input_base64(error)))
        return -1;

    g_autofree char *path = g_strdup(subcommand->words[0]);
    g_autoptr(GPtrArray) arguments = copy_words(subcommand->words + 1);
    const GuestExecArgs args = {
        .path = path,
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

/* Windows knows larger codes. They must not become 0. */
static int
exit_status_of(const GuestExecStatus *status)
{
    gint64 code = status->has_signal ? STATUS_OF_SIGNAL + status->signal : status->exitcode;

    return code < 0 || code > STATUS_MAX ? STATUS_MAX : (int)code;
}

static void
warn_if_truncated(gboolean truncated, const char *stream)
{
    if (truncated)
        fprintf(stderr, "novacronctl: the agent kept only the first part of the program's %s\n",
                stream);
}

int
exec_program(const Subcommand *subcommand, GError **error)
{
    gint64 pid = start(subcommand, error);
    if (pid < 0)
        return -1;

    g_autoptr(GuestExecStatus) status = await_end(subcommand->client, pid, error);
    if (!status)
        return -1;
    if (subcommand->as_json)
        output_result(&guest_exec_status_type, &status);
    else if (!output_bytes(stdout, status->out_data, error) ||
             !output_bytes(stderr, status->err_data, error))
        return -1;
    warn_if_truncated(status->out_truncated, "standard output");
    warn_if_truncated(status->err_truncated, "standard error");
    return exit_status_of(status);
}
