/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent as a service of the operating system: its process, its life, its log. */
#pragma once

#include "core/account.h"
#include "core/channel.h"

/* The first thing that the process does: memory, descriptors and signals as a long-lived agent
 * needs them, whoever started it. */
void os_service_prepare(void);

/* Our process id. */
gint64 os_service_pid(void);

/* If a service manager has passed us a socket that listens, it takes the place of the channel:
 * method and fd are set, there is no path. */
gboolean os_service_activation(GaEndpoint *channel, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A file with our process id, locked as long as we live: two agents cannot have the same. */
typedef struct OsPidFile OsPidFile;

OsPidFile *os_pid_file_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Remove the file, unless another one has taken its place. */
void os_pid_file_close(OsPidFile *file);

/* Only give up the lock: the file is where nothing can be removed, in a frozen file system. */
void os_pid_file_leave(OsPidFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OsPidFile, os_pid_file_close)

/* Go on in a child; the parent ends at once, successfully. To be done before anything makes a
 * thread. `pid_path`: NULL for no such file. */
gboolean os_service_daemonize(const char *pid_path, OsPidFile **ret_pid_file,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the system asks of the agent, told from the main loop. */
typedef struct {
    void (*stop)(gpointer owner, gint reason /* a signal's number */);
    void (*toggle_verbose)(gpointer owner);
} OsServiceEvents;

void os_service_watch(const OsServiceEvents *events, gpointer owner);

/* If the service manager wants to hear that the main loop turns, tell it from now on. */
void os_service_watchdog(void);

/* The system's log, for ga_account_new(): lines of the ident qemu-ga. */
extern const GaAccountSink os_syslog_functions;
gpointer os_syslog_new(void);
