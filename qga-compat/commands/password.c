/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-set-user-password, by chpasswd(8), to which the password goes through a pipe: a command
 * line is everybody's to read.
 */
#include <string.h>

#include "commands/helper.h"
#include "core/call.h"
#include "gen/guest-agent-commands.h"
#include "runtime/qapi-base64.h"
#include "runtime/qapi-error.h"
#include "runtime/qapi-secret.h"

static void
done(GError *error, gpointer user_data)
{
    GaCall *call = user_data;

    if (error)
        ga_call_fail(call, error);
    else
        guest_set_user_password_return(call);
}

/* chpasswd reads lines of NAME:PASSWORD. As upstream, the password counts up to its first NUL. */
static gboolean
decode(const GuestSetUserPasswordArgs *args, GError **error)
{
    gsize size;

    if (!qapi_base64_decode(args->password, strlen(args->password), &size, error))
        return FALSE;
    args->password[size] = '\0'; /* there is room: it has become shorter, or was empty */
    if (strchr(args->password, '\n')) {
        qapi_set_error(error, "forbidden characters in raw password");
        return FALSE;
    }
    if (strpbrk(args->username, "\n:")) {
        qapi_set_error(error, "forbidden characters in username");
        return FALSE;
    }
    return TRUE;
}

void
guest_set_user_password(GaCall *call, const GuestSetUserPasswordArgs *args)
{
    char *const argv[] = { "chpasswd", args->crypted ? "-e" : NULL, NULL };
    GaHelperSpec spec = { .argv = argv, .action = "set user password" };
    GError *error = NULL;

    if (!decode(args, &error)) {
        ga_call_fail(call, error);
        return;
    }
    g_autofree char *input = g_strconcat(args->username, ":", args->password, "\n", NULL);
    gsize input_size = strlen(input);
    spec.input = input;
    ga_helper_run(&spec, done, call);
    qapi_secret_wipe(input, input_size);
}
