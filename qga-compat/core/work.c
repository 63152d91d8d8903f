/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work: a task that settles a call. */
#include "core/work.h"

#include "core/task.h"
#include "runtime/qapi-write.h"

typedef struct {
    GaCall *call;
    const QapiType *type; /* of the result; NULL: none */
    GaWorkFunc func;
    gpointer data;
    GDestroyNotify free_data;
    char *text; /* the result as it is sent */
    gsize size;
    GError *error;
} Work;

static void
write_result(Work *work, gpointer result)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    gboolean is_pointer = work->type && qapi_kind_is_pointer(work->type->kind);

    if (work->type)
        qapi_write(writer, work->type, is_pointer ? (gconstpointer)&result : result);
    else
        qapi_writer_raw(writer, "{}");
    if (is_pointer)
        qapi_free(work->type, result);
    else
        g_free(result);
    work->text = qapi_writer_to_text(writer, &work->size);
}

static void
run(gpointer data)
{
    Work *work = data;
    gpointer result = work->func(work->data, &work->error);

    if (!work->error)
        write_result(work, result);
}

static void
done(gpointer data)
{
    Work *work = data;

    if (work->error)
        ga_call_fail(work->call, work->error);
    else
        ga_call_return_text(work->call, work->text, work->size);
    if (work->free_data)
        work->free_data(work->data);
    g_free(work->text);
    g_free(work);
}

void
ga_work_run(GaCall *call, GaWorkFunc func, gpointer data, GDestroyNotify free_data)
{
    Work *work = g_new0(Work, 1);

    work->call = call;
    work->type = ga_call_command(call)->result;
    work->func = func;
    work->data = data;
    work->free_data = free_data;
    ga_task_run(run, done, work);
}
