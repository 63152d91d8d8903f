/* Generated from binding.json, toys/schema.json by qapigen: do not edit. */
#pragma once

#include "client/binding.h"
#include "client/toys.h"

typedef struct QgaClient QgaClient;

/* Send `command` with the arguments at `args` (NULL if there are none) and read its result to
 * `ret_place`, where a member of that type would stand. With `silent`, no answer is success.
 * The program brings this function; those below only call it. */
gboolean qga_client_call(QgaClient *client, const char *command, const QapiType *args_type,
                         gconstpointer args, const QapiType *result_type, gpointer ret_place,
                         gboolean silent, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-exec */
gboolean qga_guest_exec(QgaClient *client, const GuestExecArgs *args, GuestA **ret_result,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-silent */
gboolean qga_guest_silent(QgaClient *client, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-words */
gboolean qga_guest_words(QgaClient *client, GPtrArray **ret_result,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-state */
gboolean qga_guest_state(QgaClient *client, GuestState *ret_result,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* novacron-toys-list: List the toys. */
gboolean qga_novacron_toys_list(QgaClient *client, GPtrArray **ret_result,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
