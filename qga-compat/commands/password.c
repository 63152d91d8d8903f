/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-set-user-password, by chpasswd(8), to which the password goes through a pipe: a command
 * line is everybody's to read. What held it here is overwritten.
 */
#include <string.h>

#include "commands/helper.h"
#include "core/call.h"
#include "gen/guest-agent-commands.h"
#include "runtime/qapi-base64.h"
#include "runtime/qapi-error.h"

/* A plain memset() of memory that nobody reads any more would be left out by the compiler. */
static void
wipe(char *text, gsize size)
{
    volatile char *at = text;

    while (size-- > 0)
        *at++ = '\0';
}

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
decode(const GuestSetUserPasswordArgs *args, gsize encoded_size, GError **error)
{
    gsize size;

    if (!qapi_base64_decode(args->password, encoded_size, &size, error))
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

static void
run_chpasswd(GaCall *call, const GuestSetUserPasswordArgs *args)
{
    char *const argv[] = { "chpasswd", args->crypted ? "-e" : NULL, NULL };
    g_autofree char *input = g_strconcat(args->username, ":", args->password, "\n", NULL);
    gsize input_size = strlen(input);
    GaHelperSpec spec = { .argv = argv, .input = input, .action = "set user password" };

    wipe(args->password, strlen(args->password));
    ga_helper_run(&spec, done, call); /* which may settle the call: no more arguments */
    wipe(input, input_size);
}

void
guest_set_user_password(GaCall *call, const GuestSetUserPasswordArgs *args)
{
    gsize encoded_size = strlen(args->password);
    GError *error = NULL;

    if (decode(args, encoded_size, &error)) {
        /* Behind the password stands what is left of its encoding. */
        gsize size = strlen(args->password);
        wipe(args->password + size, encoded_size - size);
        run_chpasswd(call, args);
        return;
    }
    wipe(args->password, encoded_size);
    ga_call_fail(call, error);
}
