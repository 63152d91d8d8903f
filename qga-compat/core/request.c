/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the envelope. Upstream walks its hash table, so the problem it names
 * is the first in wire order, not in the order of the request.
 */
#include "core/request.h"

#include <string.h>

#include "runtime/qapi-error.h"
#include "runtime/qapi-write.h"

typedef struct {
    const char *name; /* NULL: any other member */
    QapiNodeKind kind;
    const char *complaint;
} Member;

static const Member execute = { "execute", QAPI_NODE_STRING, "must be a string" };
static const Member arguments = { "arguments", QAPI_NODE_OBJECT, "must be an object" };

/* A member that is wrong, and where in wire order it stands. Members of one bucket come out
 * newest first, hence `<=`. */
typedef struct {
    guint bucket;
    const char *name;
    const char *complaint;
} Problem;

static void
note_problem(Problem *problem, const char *name, const char *complaint)
{
    guint bucket = qapi_key_bucket(name);

    if (!problem->name || bucket <= problem->bucket)
        *problem = (Problem){ bucket, name, complaint };
}

static gboolean
is_member(const Member *member, const char *name, const QapiNode *node, const QapiNode **ret_node,
          Problem *problem)
{
    if (strcmp(name, member->name) != 0)
        return FALSE;

    if (node->kind == member->kind)
        *ret_node = node;
    else
        note_problem(problem, name, member->complaint);
    return TRUE;
}

gboolean
ga_request_read(const QapiValue *value, GaRequest *ret_request, GError **error)
{
    const QapiNode *root = qapi_value_root(value);
    const QapiNode *command = NULL;
    Problem problem = { 0 };

    memset(ret_request, 0, sizeof *ret_request);
    if (root->kind != QAPI_NODE_OBJECT) {
        qapi_set_error(error, "QMP input must be a JSON object");
        return FALSE;
    }

    const QapiNode *key = root + 1;
    for (guint i = 0; i < root->n_children; i++) {
        const QapiNode *node = qapi_node_next(key);
        const char *name = qapi_node_text(value, key);

        if (strcmp(name, "id") == 0)
            ret_request->id = node;
        else if (!is_member(&execute, name, node, &command, &problem) &&
                 !is_member(&arguments, name, node, &ret_request->arguments, &problem))
            note_problem(&problem, name, "is unexpected");
        key = qapi_node_next(node);
    }

    if (problem.name)
        qapi_set_error(error, "QMP input member '%s' %s", problem.name, problem.complaint);
    else if (!command)
        qapi_set_error(error, "QMP input lacks member 'execute'");
    else
        ret_request->command = qapi_node_text(value, command);
    return ret_request->command != NULL;
}
