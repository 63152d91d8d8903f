/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row of the command table: everything the core knows about a command. */
#pragma once

#include "runtime/qapi-type.h"

typedef struct GaAgent GaAgent;
typedef struct GaArea GaArea;
typedef struct GaAreaReport GaAreaReport;
typedef struct GaCall GaCall;
typedef struct GaCommand GaCommand;
typedef struct GaCommandTable GaCommandTable;

/* Starts a call: `args` is the struct that row->args describes (NULL if there is none) and
 * lives as long as the call. Settles the call now or later (core/call.h). */
typedef void (*GaCommandFunc)(GaCall *call, gconstpointer args);

enum {
    GA_COMMAND_SILENT_SUCCESS = 1 << 0, /* no answer on success */
    GA_COMMAND_WHILE_FROZEN = 1 << 1, /* runs while file systems are frozen: never touches a disk */
    GA_COMMAND_CHANGES_GUEST = 1 << 2,
    GA_COMMAND_COST_WORKER = 1 << 3, /* the work is done by a worker process */
    GA_COMMAND_COST_JOB = 1 << 4,    /* starts a job */
    GA_COMMAND_UNSTABLE = 1 << 5,    /* may change or go away */
    GA_COMMAND_SECRET = 1 << 6,      /* its arguments are not logged, and overwritten after use */
};

struct GaCommand {
    const char *name;
    GaCommandFunc run;
    const QapiType *args;   /* struct, or NULL */
    const QapiType *result; /* NULL: answers {} */
    guint32 flags;
    guint32 reply_bound;       /* bytes; 0: none is promised */
    const char *const *powers; /* upstream's commands that do the same or less: where one of them
                                  is blocked, so is this one; NULL: none */
    const GaArea *area;        /* NULL: one of upstream's */
};

/* The commands of one extension folder. */
struct GaArea {
    const char *name;
    void (*probe)(GaAgent *agent, GaAreaReport *report); /* core/area.h */
};

struct GaCommandTable {
    const GaCommand *rows; /* in the order of the schema: guest-info shows it, reversed */
    guint n_rows;
    const guint16 *by_name; /* indices into rows, sorted by name */
    const GaArea *areas;
    guint n_areas;
};

/* NULL if there is none of that name. */
const GaCommand *ga_command_find(const GaCommandTable *table, const char *name);
