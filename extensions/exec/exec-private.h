/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program and all of them, as exec.c, execs.c and start.c see them. */
#pragma once

#include "core/event.h"
#include "extensions/exec/exec.h"
#include "extensions/exec/stream.h"
#include "platform/child.h"

struct Execs {
    GaAgent *agent;
    GPtrArray *all;      /* Exec, the eldest first */
    GPtrArray *starting; /* Start */
    gsize room;          /* of both */
    guint64 last_number, last_ended;
    gboolean is_closed; /* only `starting` is left */
};

struct Exec {
    Execs *execs;
    NovacronExec *seen;
    char *request_id;
    char *limits_folder;
    gsize room;
    ExecStream *out, *err; /* `err` is NULL with a terminal */
    gint in;               /* -1: closed, or a terminal, or none */
    gboolean has_input, has_terminal;
    guint child_watch; /* 0: ended */
    guint64 ended;     /* the how manieth to end */
    guint timer;       /* until it is told to end, then until what is left of it is killed */
    GPtrArray *waits;  /* Reading */
};

/* One that does not run yet, and is in no list. */
Exec *exec_new(Execs *execs, const NovacronExecStartArgs *args);
void exec_free(Exec *exec);

/* It runs. With `holds` it waits for whoever reads its output. */
void exec_take_child(Exec *exec, const OsChild *child, gboolean holds, guint timeout_ms);

void exec_emit(const Exec *exec, GaEventType type);

/* With all that can be reached of what it has started. */
void exec_kill_all(const Exec *exec);

/* Those who wait for its output are told that there is none any more. */
void exec_disappoint(Exec *exec);

/* Whether there is room for one more, with so many bytes of output; those that have ended make
 * some. FALSE: refused, busy. */
gboolean execs_find_room(Execs *execs, gsize room, GError **error);

/* It has ended, which may be the end of the eldest of those. */
void execs_note_end(Exec *exec);

/* Take it out of the list, and free it. */
void execs_forget(Exec *exec);

/* When the agent has closed them, and nothing is being started any more. */
void execs_free_if_unused(Execs *execs);
