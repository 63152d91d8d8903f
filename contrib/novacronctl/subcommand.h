/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a subcommand is given, and all of them. Each returns the program's exit
 * status, or -1 with an error: of the agent (QAPI_ERROR), of the connection
 * (QGA_CLIENT_ERROR), of the user (G_OPTION_ERROR), or of this machine.
 */
#pragma once

#include "novacronctl/client.h"

/* What the command line says beside words. */
typedef struct {
    char *address;
    char *domain;
    gboolean is_local;
    gdouble timeout; /* times are in seconds */
    gboolean as_json;
    gboolean quiet;
    char *columns; /* of a table, separated by commas; NULL: all */
    gboolean show_version;
    gdouble reconnect;  /* exec, cp, jobs; 0: never */
    gboolean recursive; /* cp */
    /* exec */
    gboolean with_input; /* our standard input is the program's */
    gboolean with_terminal;
    char **environment;
    char *directory;
    char *user;
    char *group;
    gdouble time_limit; /* 0: none, as with the following two */
    int cpu;            /* percent */
    int processes;
    char *memory; /* sizes as they were typed */
    char *buffer;
    gboolean detach;
    gboolean hold;
    gboolean list;
    char *attach; /* ids of programs */
    char *kill;
    char *signal;
    char *close;
    gdouble seconds; /* freeze; 0: the default */
    gboolean lenient;
    gboolean follow; /* events */
    char *types;     /* separated by commas; NULL: all */
} Options;

typedef struct {
    QgaClient *client;
    const Options *options;
    const char *const *words;
} Subcommand;

/* ask.c */
int ask_info(const Subcommand *subcommand, GError **error);
int ask_areas(const Subcommand *subcommand, GError **error);
int ask_osinfo(const Subcommand *subcommand, GError **error);
int ask_ping(const Subcommand *subcommand, GError **error);
int ask_commands(const Subcommand *subcommand, GError **error);

/* inventory.c */
int inventory_fs(const Subcommand *subcommand, GError **error);
int inventory_net(const Subcommand *subcommand, GError **error);
int inventory_disks(const Subcommand *subcommand, GError **error);

/* freeze.c */
int freeze_run(const Subcommand *subcommand, GError **error);
int freeze_thaw(const Subcommand *subcommand, GError **error);

/* exec.c, copy.c, events.c, jobs.c, ls.c, raw.c */
int events_run(const Subcommand *subcommand, GError **error);
int jobs_run(const Subcommand *subcommand, GError **error);
int ls_run(const Subcommand *subcommand, GError **error);
int exec_run(const Subcommand *subcommand, GError **error);
int copy_run(const Subcommand *subcommand, GError **error);
int raw_request(const Subcommand *subcommand, GError **error);
