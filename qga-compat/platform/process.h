/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child process with its standard streams, run beside the main loop.
 *
 * The program that uses this ignores SIGPIPE: a child may leave before it has
 * read its input.
 */
#pragma once

#include <glib.h>

typedef struct OsProcess OsProcess;

typedef enum { OS_PROCESS_OUT, OS_PROCESS_ERR } OsProcessStream;

/* Borrowed for the time of os_process_start() only. */
typedef struct {
    char *const *argv;        /* NULL-terminated, with the program first; a program without a
                                 slash is searched in PATH (of `environment` if that has one) */
    char *const *environment; /* NULL-terminated, the whole of it, verbatim; NULL: inherited */
    const void *input;        /* for standard input; NULL: /dev/null */
    gsize input_size;
    gboolean capture_out; /* what is not captured goes to /dev/null */
    gboolean capture_err;
    gboolean merge_err;   /* standard error goes where standard output goes */
    gboolean is_detached; /* leads a session and a process group of its own */
} OsProcessSpec;

/* A program that could not be executed; the code is an errno value. */
#define OS_PROCESS_ERROR (os_process_error_quark())
GQuark os_process_error_quark(void);

typedef struct {
    gboolean is_signalled; /* `code` is a signal (Windows: an exception), else an exit code */
    gint64 code;
} OsProcessStatus;

/* From the main loop, never from within a function below. */
typedef struct {
    void (*output)(gpointer owner, OsProcessStream stream, const void *data, gsize size);
    /* Reaped, and every captured pipe reached its end: no event follows. A process that it left
     * behind may still read the input, until os_process_free(). */
    void (*ended)(gpointer owner, OsProcessStatus status);
} OsProcessEvents;

/* NULL: nothing runs. The text is the client's. */
OsProcess *os_process_start(const OsProcessSpec *spec, const OsProcessEvents *events,
                            gpointer owner, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gint64 os_process_pid(const OsProcess *process);

/* Bytes of input that are held because the child has not taken them yet. */
gsize os_process_pending_input(const OsProcess *process);

/* Whether it ended without taking all of its input, which was more than the system keeps for it. */
gboolean os_process_has_left_input(const OsProcess *process);

/* Kill the group of a process that is_detached, whatever of it still runs. Events follow. */
void os_process_kill(OsProcess *process);

/* Forget the process: no event comes any more. A child that still runs goes on, with its
 * pipes closed. */
void os_process_free(OsProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OsProcess, os_process_free)
