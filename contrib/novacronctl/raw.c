/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends a request as the user wrote it and shows the reply, whatever it is. */
#include <stdlib.h>
#include <string.h>

#include "novacronctl/output.h"
#include "novacronctl/subcommand.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-write.h"

/* The request on one line: a line end within it would be an answered error. */
static char *
parse_request(const char *text, gsize *ret_size, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(QapiValue) value = qapi_parse(text, strlen(text), &local);

    if (!value || qapi_value_root(value)->kind != QAPI_NODE_OBJECT) {
        g_set_error(
            error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
            "the request must be a JSON object, such as '{\"execute\": \"guest-ping\"}': %s",
            local ? local->message : "it is another value");
        return NULL;
    }
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    qapi_write_echo(writer, value, qapi_value_root(value));
    return qapi_writer_to_text(writer, ret_size);
}

int
raw_request(const Subcommand *subcommand, GError **error)
{
    gsize size;
    g_autofree char *request = parse_request(subcommand->words[0], &size, error);
    if (!request)
        return -1;
    g_autofree char *line = qga_client_ask(subcommand->client, request, size, error);
    if (!line)
        return -1;

    g_autoptr(GError) local = NULL;
    g_autoptr(JsonNode) reply = json_from_string(line, &local);
    if (!reply || !JSON_NODE_HOLDS_OBJECT(reply)) {
        g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL,
                    "the answer is not a JSON object: %s", local ? local->message : line);
        return -1;
    }
    output_json(reply);
    return json_object_has_member(json_node_get_object(reply), "error") ? EXIT_FAILURE
                                                                        : EXIT_SUCCESS;
}
