/* Generated from binding.json, toys/schema.json by qapigen: do not edit. */
#include "client/client.h"

static const QapiType string_list_type = {
    .name = "strList",
    .kind = QAPI_KIND_LIST,
    .element = &qapi_type_string,
};

gboolean
qga_guest_exec(QgaClient *client, const GuestExecArgs *args, GuestA **ret_result, GError **error)
{
    return qga_client_call(client, "guest-exec", &guest_exec_args_type, args, &guest_a_type,
                           ret_result, FALSE, error);
}

gboolean
qga_guest_silent(QgaClient *client, GError **error)
{
    return qga_client_call(client, "guest-silent", NULL, NULL, NULL, NULL, TRUE, error);
}

gboolean
qga_guest_words(QgaClient *client, GPtrArray **ret_result, GError **error)
{
    return qga_client_call(client, "guest-words", NULL, NULL, &string_list_type, ret_result, FALSE,
                           error);
}

gboolean
qga_guest_state(QgaClient *client, GuestState *ret_result, GError **error)
{
    return qga_client_call(client, "guest-state", NULL, NULL, &guest_state_type, ret_result, FALSE,
                           error);
}

gboolean
qga_novacron_toys_list(QgaClient *client, GPtrArray **ret_result, GError **error)
{
    return qga_client_call(client, "novacron-toys-list", NULL, NULL, &novacron_toy_list_type,
                           ret_result, FALSE, error);
}
