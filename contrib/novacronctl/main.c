/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * novacronctl: from the command line to one subcommand and its exit status.
 *
 * Options that all subcommands have may stand before or behind the subcommand's
 * name; but behind the program of `exec` all is the program's.
 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "build-config.h"
#include "novacronctl/output.h"
#include "novacronctl/refusal.h"
#include "novacronctl/subcommand.h"
#include "runtime/qapi-error.h"

#define PROGRAM "novacronctl"

/* Where the explanations of options begin. */
#define INDENT "                              "
#define DEFAULT_TIMEOUT 30.0
#define DEFAULT_RECONNECT 30.0

/* Further exit statuses; EXIT_FAILURE is what else goes wrong, the agent's errors above all. */
#define EXIT_USAGE 2
#define EXIT_NO_ANSWER 3

typedef struct {
    const char *name;
    const char *words; /* as --help shows them */
    guint min_words;
    guint max_words;
    gboolean runs_program; /* the words from the first on are not ours to interpret */
    int (*run)(const Subcommand *subcommand, GError **error);
    const char *summary;
    const char *details;
} SubcommandRow;

static const SubcommandRow rows[] = {
    { "info", "", 0, 0, FALSE, ask_info, "show the agent's version and what it is denied", NULL },
    { "areas", "", 0, 0, FALSE, ask_areas, "list what the agent has beside qemu-ga's commands",
      NULL },
    { "osinfo", "", 0, 0, FALSE, ask_osinfo, "show the guest's operating system", NULL },
    { "ping", "", 0, 0, FALSE, ask_ping, "see whether the agent answers, and how fast", NULL },
    { "commands", "", 0, 0, FALSE, ask_commands, "list the agent's commands and their state",
      NULL },
    { "exec", "[--] PROGRAM [ARGUMENT...] | --list | --attach=ID", 0, G_MAXUINT, TRUE, exec_run,
      "run a program in the guest, or go on with one",
      "PROGRAM is searched for in the agent's PATH and runs with the agent's rights,\n"
      "without a shell. Output appears as it comes; signals are passed on, the third\n"
      "that should end us kills the program. The exit status is the program's, or\n"
      "128 + N if signal N ended it.\n"
      "With --json, the output is printed at the end as base64 in out-data and\n"
      "err-data.\n"
      "With --attach, it is forgotten at its end as ever; what should end us, or\n"
      "Ctrl-] on a terminal, ends only us.\n"
      "On agents without novacron-exec, output (up to 16 MiB) appears at the end,\n"
      "input (up to 47 MiB) is sent before the start, and only -i and -e can be used." },
    { "cp", "SOURCE TARGET", 2, 2, FALSE, copy_run, "copy files into or out of the guest",
      "One of SOURCE and TARGET is guest:PATH. Out of the guest, TARGET is replaced\n"
      "when the copy is complete. A TARGET that is a directory (in the guest: one that\n"
      "ends with a slash) gets a file named like SOURCE. With novacron-file-*, the\n"
      "same holds in the guest, digests are compared, and a copy that was cut goes on\n"
      "when the same command is given again.\n"
      "With -r, symbolic links are copied and never followed, permissions are kept,\n"
      "and what cannot be copied is said and left out; then the exit status is 1." },
    { "ls", "PATH", 1, 1, FALSE, ls_run, "list a folder of the guest", NULL },
    { "fs", "", 0, 0, FALSE, inventory_fs, "list the guest's file systems", NULL },
    { "net", "", 0, 0, FALSE, inventory_net, "list the guest's network interfaces", NULL },
    { "disks", "", 0, 0, FALSE, inventory_disks, "list the guest's disks", NULL },
    { "freeze", "[--] [COMMAND [ARGUMENT...]]", 0, G_MAXUINT, TRUE, freeze_run,
      "freeze the guest's file systems while a command runs here",
      "COMMAND, a snapshot, is run on this machine; its exit status is ours. The file\n"
      "systems are thawed when it ends, and in any case when the time is over or we\n"
      "are told to stop.\n"
      "Without a COMMAND they stay frozen for that time. Databases that the guest's\n"
      "agent has workers for are made ready before, and held until the thaw." },
    { "thaw", "", 0, 0, FALSE, freeze_thaw, "thaw the guest's file systems", NULL },
    { "jobs", "[list | wait ID | result ID | cancel ID | dismiss ID]", 0, 2, FALSE, jobs_run,
      "list the agent's jobs, or follow one", NULL },
    { "events", "", 0, 0, FALSE, events_run, "list what has happened in the agent, or follow it",
      "Types: agent-started, frozen, thawed, freeze-expired, job-status-change,\n"
      "exec-started, exec-ended, exec-closed. The agent keeps the last 256 events;\n"
      "what was lost is said, and that it was restarted. Followed with --json, each\n"
      "line is an answer of the agent." },
    { "raw", "REQUEST", 1, 1, FALSE, raw_request, "send a request in JSON and show the reply",
      "For example: raw '{\"execute\": \"guest-get-fsinfo\"}'\n"
      "The exit status is 1 if the reply is an error." },
};

static const SubcommandRow *
find_row(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_str_equal(rows[i].name, name))
            return &rows[i];
    return NULL;
}

static char *
describe_all(void)
{
    GString *text = g_string_new("Subcommands (" PROGRAM " SUBCOMMAND --help tells more):\n");

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        g_string_append_printf(text, "  %-9s %s\n", rows[i].name, rows[i].summary);
    g_string_append(text, "\nExit status:\n"
                          "  0  done\n"
                          "  1  the agent answered with an error, or a file here is at fault\n"
                          "  2  the command line is wrong\n"
                          "  3  no connection, no answer in time, or one that makes no sense\n"
                          "  exec, freeze COMMAND: that of the program, or 128 + N if signal N "
                          "ended it\n"
                          "\nExamples:\n"
                          "  " PROGRAM " -c unix:/run/guest.sock info\n"
                          "  " PROGRAM " -c /run/guest.sock exec systemctl is-system-running\n"
                          "  " PROGRAM " -d web1 exec -t bash -l\n"
                          "  " PROGRAM " -c /run/guest.sock cp guest:/etc/os-release .\n");
    return g_string_free(text, FALSE);
}

static void
add_options(GOptionContext *context, Options *options, const SubcommandRow *row)
{
    const GOptionEntry common[] = {
        { "connect", 'c', 0, G_OPTION_ARG_FILENAME, &options->address,
          "the agent: unix:PATH, PATH, vsock:CID:PORT,\n" INDENT
          "libvirt:DOMAIN or local: (default: the\n" INDENT "environment's NOVACRONCTL_CONNECT)",
          "ADDRESS" },
        { "domain", 'd', 0, G_OPTION_ARG_STRING, &options->domain, "the same as -c libvirt:DOMAIN",
          "DOMAIN" },
        { "local", 'l', 0, G_OPTION_ARG_NONE, &options->is_local,
          "the same as -c local:, for use within the guest", NULL },
        { "timeout", 'T', 0, G_OPTION_ARG_DOUBLE, &options->timeout,
          "how long to wait for each answer (default: 30)", "SECONDS" },
        { "json", 'j', 0, G_OPTION_ARG_NONE, &options->as_json, "print JSON", NULL },
        { "output", 'o', 0, G_OPTION_ARG_STRING, &options->columns,
          "show only these columns of a table; or json", "COLUMN,..." },
        { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, "leave advice out", NULL },
        { NULL },
    };
    const GOptionEntry before[] = {
        { "version", 'V', 0, G_OPTION_ARG_NONE, &options->show_version, "print the version", NULL },
        { NULL },
    };
    const GOptionEntry program[] = {
        { "stdin", 'i', 0, G_OPTION_ARG_NONE, &options->with_input, "pass standard input on",
          NULL },
        { "tty", 't', 0, G_OPTION_ARG_NONE, &options->with_terminal,
          "give the program a terminal, and standard input", NULL },
        { "env", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &options->environment,
          "a variable for the program; may be repeated", "NAME=VALUE" },
        { "directory", 'C', 0, G_OPTION_ARG_STRING, &options->directory, "where it starts",
          "PATH" },
        { "user", 'u', 0, G_OPTION_ARG_STRING, &options->user, "with this user's rights", "USER" },
        { "group", 'g', 0, G_OPTION_ARG_STRING, &options->group, "with this primary group",
          "GROUP" },
        { "time-limit", 0, 0, G_OPTION_ARG_DOUBLE, &options->time_limit, "end it after this time",
          "SECONDS" },
        { "memory", 0, 0, G_OPTION_ARG_STRING, &options->memory,
          "at most so much main memory, such as 512M", "SIZE" },
        { "cpu", 0, 0, G_OPTION_ARG_INT, &options->cpu, "at most so much of one processor",
          "PERCENT" },
        { "processes", 0, 0, G_OPTION_ARG_INT, &options->processes,
          "at most so many processes at a time", "NUMBER" },
        { "buffer", 0, 0, G_OPTION_ARG_STRING, &options->buffer,
          "room for unread output (default: 1M)", "SIZE" },
        { "detach", 0, 0, G_OPTION_ARG_NONE, &options->detach, "leave it running, and print its ID",
          NULL },
        { "hold", 0, 0, G_OPTION_ARG_NONE, &options->hold,
          "with --detach: wait rather than lose output", NULL },
        { "list", 0, 0, G_OPTION_ARG_NONE, &options->list, "list the programs that were started so",
          NULL },
        { "attach", 0, 0, G_OPTION_ARG_STRING, &options->attach,
          "show what one has printed, and go on with it", "ID" },
        { "kill", 0, 0, G_OPTION_ARG_STRING, &options->kill,
          "send a signal to one and its process group", "ID" },
        { "signal", 0, 0, G_OPTION_ARG_STRING, &options->signal, "which one (default: TERM)",
          "NAME" },
        { "close", 0, 0, G_OPTION_ARG_STRING, &options->close, "forget one, and kill it if it runs",
          "ID" },
        { NULL },
    };

    const GOptionEntry duration[] = {
        { "for", 'f', 0, G_OPTION_ARG_DOUBLE, &options->seconds,
          "how long at the most (default: 30)", "SECONDS" },
        { "lenient", 0, 0, G_OPTION_ARG_NONE, &options->lenient,
          "go on without an application that is not ready", NULL },
        { NULL },
    };
    const GOptionEntry events[] = {
        { "follow", 'f', 0, G_OPTION_ARG_NONE, &options->follow, "go on until Ctrl-C", NULL },
        { "types", 0, 0, G_OPTION_ARG_STRING, &options->types, "only these", "TYPE,..." },
        { NULL },
    };
    const GOptionEntry copy[] = {
        { "recursive", 'r', 0, G_OPTION_ARG_NONE, &options->recursive,
          "copy a folder with all that is in it", NULL },
        { NULL },
    };
    const GOptionEntry persistent[] = {
        { "reconnect", 0, 0, G_OPTION_ARG_DOUBLE, &options->reconnect,
          "try so long to connect again (default: 30)", "SECONDS" },
        { NULL },
    };
    g_option_context_add_main_entries(context, common, NULL);
    if (!row)
        g_option_context_add_main_entries(context, before, NULL);
    else if (row->run == freeze_run)
        g_option_context_add_main_entries(context, duration, NULL);
    else if (row->run == events_run)
        g_option_context_add_main_entries(context, events, NULL);
    else if (row->run == copy_run)
        g_option_context_add_main_entries(context, copy, NULL);
    else if (row->run == exec_run)
        g_option_context_add_main_entries(context, program, NULL);
    if (row && (row->run == copy_run || row->run == exec_run || row->run == jobs_run))
        g_option_context_add_main_entries(context, persistent, NULL);
}

/* Take the options out of `words`, whose first is skipped. */
static gboolean
parse_options(Options *options, const SubcommandRow *row, char ***words, GError **error)
{
    g_autofree char *name = row ? g_strdup_printf(PROGRAM " %s", row->name) : g_strdup(PROGRAM);
    g_autofree char *all = describe_all();
    g_autoptr(GOptionContext)
        context = g_option_context_new(row ? row->words : "SUBCOMMAND [WORD...]");
    int n_words = (int)g_strv_length(*words);

    /* The usage line and the complaints of the parser start with it. */
    g_set_prgname(name);
    g_option_context_set_strict_posix(context, !row || row->runs_program);
    g_option_context_set_summary(context,
                                 row ? row->summary : "Works with a guest through its agent.");
    g_option_context_set_description(context, row ? row->details : all);
    add_options(context, options, row);
    return g_option_context_parse(context, &n_words, words, error);
}

static gboolean
check_words(const SubcommandRow *row, char **words, GError **error)
{
    guint n_words = g_strv_length(words);

    if (n_words >= row->min_words && n_words <= row->max_words)
        return TRUE;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "usage: " PROGRAM " %s%s%s",
                row->name, *row->words ? " " : "", row->words);
    return FALSE;
}

/* The three ways to name an agent become one. */
static gboolean
choose_address(Options *options, GError **error)
{
    if (!!options->address + !!options->domain + options->is_local > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "-c, -d and --local each name an agent; one is enough");
        return FALSE;
    }
    if (options->domain)
        options->address = g_strconcat("libvirt:", options->domain, NULL);
    else if (options->is_local)
        options->address = g_strdup("local:");
    else if (!options->address)
        options->address = g_strdup(g_getenv("NOVACRONCTL_CONNECT"));
    return TRUE;
}

static gboolean
check_options(const Options *options, GError **error)
{
    if (!options->address) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "which agent? Name the socket of its channel with -c unix:PATH, a libvirt\n"
                    "domain with -d DOMAIN, or within the guest say --local");
        return FALSE;
    }
    if (options->seconds < 0 || options->time_limit < 0 || options->reconnect < 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--for, --time-limit and --reconnect take a positive number of seconds");
        return FALSE;
    }
    if (!(options->timeout > 0 && options->timeout <= G_MAXINT)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--timeout takes a positive number of seconds");
        return FALSE;
    }
    return TRUE;
}

/* A message may quote what the guest has sent, which must not reach a terminal as it is. */
static void
print_message(const char *message)
{
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        g_autofree char *clean = output_clean(lines[i]);
        fprintf(stderr, "%s\n", clean);
    }
}

/* Only the agent can tell why it does not run a command. */
static void
explain_refusal(QgaClient *client, const char *command)
{
    g_autofree char *name = g_strdup(command);
    g_autofree char *reason = refusal_reason(client, name);

    if (reason)
        print_message(reason);
}

/* Returns the exit status. */
static int
complain(QgaClient *client, const GError *error)
{
    const char *command = client ? qga_client_failed_command(client) : NULL;
    gboolean is_told = command && error->domain == QAPI_ERROR;

    fprintf(stderr, PROGRAM ": %s%s", is_told ? command : "", is_told ? ": " : "");
    print_message(error->message);
    if (is_told && error->code == QAPI_ERROR_COMMAND_NOT_FOUND)
        explain_refusal(client, command);

    if (error->domain == G_OPTION_ERROR)
        return EXIT_USAGE;
    return error->domain == QGA_CLIENT_ERROR ? EXIT_NO_ANSWER : EXIT_FAILURE;
}

static int
run(const SubcommandRow *row, const Options *options, char **words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(QgaClient) client = qga_client_new(options->address, options->timeout, &error);
    const Subcommand subcommand = {
        .client = client,
        .options = options,
        .words = (const char *const *)words,
    };

    /* GSocket has it ignored, but it is how `| head` tells us that it has seen enough. */
    signal(SIGPIPE, SIG_DFL);
    int status = client ? row->run(&subcommand, &error) : -1;
    return status < 0 ? complain(client, error) : status;
}

/* Words are taken off the array as they are understood, but stay the command line's. */
static int
interpret(Options *options, char **words)
{
    g_autoptr(GError) error = NULL;

    if (!parse_options(options, NULL, &words, &error))
        return complain(NULL, error);
    if (options->show_version) {
        puts(PROGRAM " " NOVACRON_VERSION);
        return EXIT_SUCCESS;
    }
    if (!words[1]) {
        fprintf(stderr, PROGRAM ": which subcommand? See " PROGRAM " --help\n");
        return EXIT_USAGE;
    }
    words++;

    const SubcommandRow *row = find_row(words[0]);
    if (!row) {
        fprintf(stderr, PROGRAM ": there is no subcommand '%s'; see " PROGRAM " --help\n",
                words[0]);
        return EXIT_USAGE;
    }
    if (!parse_options(options, row, &words, &error))
        return complain(NULL, error);
    if (g_strcmp0(options->columns, "json") == 0)
        options->as_json = TRUE;
    words++;
    if (words[0] && g_str_equal(words[0], "--"))
        words++;
    if (!check_words(row, words, &error) || !choose_address(options, &error) ||
        !check_options(options, &error))
        return complain(NULL, error);
    return run(row, options, words);
}

int
main(int argc, char **argv)
{
    Options options = { .timeout = DEFAULT_TIMEOUT, .reconnect = DEFAULT_RECONNECT };

    (void)argc;
    /* Characters only: numbers and messages stay as programs expect them. */
    setlocale(LC_CTYPE, "");
    int status = interpret(&options, argv);
    g_free(options.address);
    g_free(options.domain);
    g_free(options.columns);
    g_strfreev(options.environment);
    g_free(options.directory);
    g_free(options.user);
    g_free(options.group);
    g_free(options.memory);
    g_free(options.buffer);
    g_free(options.attach);
    g_free(options.kill);
    g_free(options.signal);
    g_free(options.close);
    g_free(options.types);

    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, PROGRAM ": cannot write the output: %s\n", g_strerror(errno));
    return EXIT_FAILURE;
}
