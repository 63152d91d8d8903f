/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line is read twice, since -c decides which file lies beneath it: so
 * getopt's complaints appear twice, as upstream's do.
 *
 * Every order that users can see is in the table: --help has its order,
 * the file's keys that of `place`, and getopt's list of what an abbreviation may mean
 * goes through it backwards.
 */
#include "core/config.h"

#include <errno.h>
#include <getopt.h>
#include <glib/gstdio.h>
#include <string.h>

#include "core/environment.h"
#include "core/names.h"
#include "runtime/qapi-error.h"

typedef enum {
    TEXT,
    TEXT_OR_DEFAULT, /* the argument is optional and must be attached */
    SWITCH,
    NUMBER,   /* without a sign; 0: not used */
    NAMES,    /* command names, separated by commas */
    TEXTS,    /* separated by semicolons, only in the file */
    SESSIONS, /* METHOD:PATH, only in the file */
    CONFIG_FILE,
    IGNORED,
    DUMP,
    VERSION,
    HELP,
} Kind;

typedef struct {
    char letter;       /* 0: only in the file */
    const char *name;  /* as an option and as a key; NULL: only a letter */
    const char *group; /* of the file; NULL: only an option */
    guint place;       /* in the file as --dump-conf shows it, from 1; 0: only an option */
    Kind kind;
    gsize offset;
    const char *help; /* NULL: not shown */
} Option;

#define GENERAL "general"
#define OURS "novacron"
#define LAST_PLACE 23
#define HELP_COLUMN 20

static const Option options[] = {
    { 'c', "config", NULL, 0, CONFIG_FILE, 0,
      "the configuration file to read; without this option\n"
      "the one that QGA_CONF in the environment names" },
    { 'm', "method", GENERAL, 2, TEXT, G_STRUCT_OFFSET(GaConfig, channel.method),
      "how the host talks to the agent: virtio-serial (the\n"
      "default), isa-serial, unix-listen or vsock-listen" },
    { 'p', "path", GENERAL, 3, TEXT, G_STRUCT_OFFSET(GaConfig, channel.path),
      "device or socket; the serial methods have a default,\n"
      "vsock-listen takes <cid>:<port>" },
    { 'l', "logfile", GENERAL, 4, TEXT, G_STRUCT_OFFSET(GaConfig, log_file),
      "append the log to this file, not to standard error" },
    { 'f', "pidfile", GENERAL, 5, TEXT, G_STRUCT_OFFSET(GaConfig, pid_file),
      "where the process id is kept when run as a daemon" },
    { 'F', "fsfreeze-hook", GENERAL, 6, TEXT_OR_DEFAULT, G_STRUCT_OFFSET(GaConfig, fsfreeze_hook),
      "run a program with 'freeze' before file systems are\n"
      "frozen and with 'thaw' afterwards; its path, if given,\n"
      "is attached: -F/path or --fsfreeze-hook=/path" },
    { 't', "statedir", GENERAL, 7, TEXT, G_STRUCT_OFFSET(GaConfig, state_directory),
      "absolute path of the directory for what outlives the\n"
      "process" },
    { 'v', "verbose", GENERAL, 8, SWITCH, G_STRUCT_OFFSET(GaConfig, verbose),
      "log everything; signal USR1 toggles it" },
    { 'V', "version", NULL, 0, VERSION, 0, "print the versions and leave" },
    { 'd', "daemonize", NULL, 0, SWITCH, G_STRUCT_OFFSET(GaConfig, daemonize),
      "go to the background" },
    { 0, "daemon", GENERAL, 1, SWITCH, G_STRUCT_OFFSET(GaConfig, daemonize), NULL },
    { 'b', "block-rpcs", GENERAL, 10, NAMES, G_STRUCT_OFFSET(GaConfig, block_rpcs),
      "commands to refuse, separated by commas only\n"
      "(--block-rpcs=help lists what there is)" },
    { 'a', "allow-rpcs", GENERAL, 11, NAMES, G_STRUCT_OFFSET(GaConfig, allow_rpcs),
      "commands to accept, all others being refused\n"
      "(--allow-rpcs=help lists what there is)" },
    { 'D', "dump-conf", NULL, 0, DUMP, 0,
      "print the configuration that file and options amount\n"
      "to, in the form of a configuration file, and leave" },
    { 'r', "retry-path", GENERAL, 9, SWITCH, G_STRUCT_OFFSET(GaConfig, retry_path),
      "open the path again, every 5 seconds, when that fails\n"
      "or when the device is lost" },
    { 'h', "help", NULL, 0, HELP, 0, "print this text and leave" },
    { 's', NULL, NULL, 0, IGNORED, 0, NULL }, /* upstream's service control on Windows */
    { 0, "sessions", OURS, 12, SESSIONS, G_STRUCT_OFFSET(GaConfig, sessions),
      "further channels, each METHOD:PATH, separated by\n"
      "semicolons; a unix socket among them answers root only" },
    { 0, "vsock-any-peer", OURS, 13, SWITCH, G_STRUCT_OFFSET(GaConfig, vsock_any_peer),
      "answer others than the host on a vsock port, too" },
    { 0, "reported-version", OURS, 14, TEXT, G_STRUCT_OFFSET(GaConfig, reported_version),
      "the version that guest-info answers" },
    { 0, "network-exclude", OURS, 15, TEXTS, G_STRUCT_OFFSET(GaConfig, network_exclude),
      "interfaces that guest-network-get-interfaces leaves\n"
      "out: patterns as of a shell, separated by semicolons" },
    { 0, "network-order", OURS, 16, TEXTS, G_STRUCT_OFFSET(GaConfig, network_order),
      "patterns of the interfaces that it lists first" },
    { 0, "network-maximum", OURS, 17, NUMBER, G_STRUCT_OFFSET(GaConfig, network_maximum),
      "the most interfaces that it lists; 0: all" },
    { 0, "fsfreeze-deadline-ms", OURS, 18, NUMBER, G_STRUCT_OFFSET(GaConfig, freeze_deadline_ms),
      "milliseconds after which frozen file systems are\n"
      "thawed, whatever becomes of the agent; 0: never" },
    { 0, "fsfreeze-hook-timeout-ms", OURS, 19, NUMBER,
      G_STRUCT_OFFSET(GaConfig, freeze_hook_timeout_ms),
      "milliseconds that a freeze hook has before it is\n"
      "killed, which fails the command; 0: no limit" },
    { 0, "areas", OURS, 20, TEXTS, G_STRUCT_OFFSET(GaConfig, areas),
      "areas of novacron-* commands that may change the guest\n"
      "(exec, file, ...), separated by semicolons" },
    { 0, "data-directory", OURS, 21, TEXT, G_STRUCT_OFFSET(GaConfig, data_directory),
      "where what outlives a reboot is kept (records of jobs)" },
    { 0, "quiesce-maximum-ms", OURS, 22, NUMBER, G_STRUCT_OFFSET(GaConfig, quiesce_maximum_ms),
      "milliseconds that a freeze of novacron-quiesce-freeze\n"
      "may be held, with all that it is put off; 0: as\n"
      "fsfreeze-deadline-ms, or a minute" },
    { 0, "worker-directory", OURS, 23, TEXT, G_STRUCT_OFFSET(GaConfig, worker_directory),
      "where the agent's own programs for databases are" },
};

static gpointer
member(GaConfig *config, const Option *option)
{
    return (gpointer)((gsize)config + option->offset);
}

static gconstpointer
const_member(const GaConfig *config, const Option *option)
{
    return (const guint8 *)config + option->offset;
}

static const char *
place_of(const GaPlaces *places, const Option *option)
{
    switch (option->letter) {
    case 'c':
        return places->config_file;
    case 'f':
        return places->pid_file;
    case 'F':
        return places->fsfreeze_hook;
    case 't':
        return places->state_directory;
    default:
        return NULL;
    }
}

static const Option *
find_letter(gint letter)
{
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i].letter == letter)
            return &options[i];
    }
    return NULL;
}

/* What stands in the file at this place, from 1 to LAST_PLACE. */
static const Option *
find_key(guint place)
{
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i].place == place)
            return &options[i];
    }
    g_return_val_if_reached(NULL);
}

static void
set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

static void
endpoint_free(gpointer data)
{
    GaEndpoint *endpoint = data;

    g_free(endpoint->method);
    g_free(endpoint->path);
    g_free(endpoint);
}

GaConfig *
ga_config_new(const GaProgram *program)
{
    GaConfig *config = g_new0(GaConfig, 1);

    config->program = program;
    config->channel.method = g_strdup("virtio-serial");
    config->channel.fd = -1;
    config->pid_file = g_strdup(program->places->pid_file);
    config->state_directory = g_strdup(program->places->state_directory);
    config->block_rpcs = g_new0(char *, 1);
    config->allow_rpcs = g_new0(char *, 1);
    config->sessions = g_ptr_array_new_with_free_func(endpoint_free);
    return config;
}

const char *
ga_config_data_directory(const GaConfig *config)
{
    return config->data_directory ? config->data_directory
                                  : config->program->places->data_directory;
}

const char *
ga_config_worker_directory(const GaConfig *config)
{
    return config->worker_directory ? config->worker_directory
                                    : config->program->places->worker_directory;
}

const char *
ga_config_reported_version(const GaConfig *config)
{
    return config->reported_version ? config->reported_version : config->program->compat_version;
}

void
ga_config_free(GaConfig *config)
{
    if (!config)
        return;
    g_free(config->channel.method);
    g_free(config->channel.path);
    g_free(config->log_file);
    g_free(config->pid_file);
    g_free(config->fsfreeze_hook);
    g_free(config->state_directory);
    g_strfreev(config->block_rpcs);
    g_strfreev(config->allow_rpcs);
    g_ptr_array_free(config->sessions, TRUE);
    g_free(config->reported_version);
    g_free(config->data_directory);
    g_free(config->worker_directory);
    g_strfreev(config->areas);
    g_strfreev(config->network_exclude);
    g_strfreev(config->network_order);
    g_free(config->text);
    g_free(config);
}

/* The file. */

static gboolean
add_session(GaConfig *config, const char *text, GError **error)
{
    const char *colon = strchr(text, ':');

    if (!colon || colon == text || colon[1] == '\0') {
        qapi_set_error(error, "session '%s' is not METHOD:PATH", text);
        return FALSE;
    }

    GaEndpoint *endpoint = g_new0(GaEndpoint, 1);
    endpoint->method = g_strndup(text, colon - text);
    endpoint->path = g_strdup(colon + 1);
    endpoint->fd = -1;
    endpoint->is_private = TRUE; /* what upstream has no socket for is nobody else's business */
    g_ptr_array_add(config->sessions, endpoint);
    return TRUE;
}

static gboolean
read_sessions(GaConfig *config, const Option *option, GKeyFile *file, GError **error)
{
    g_auto(GStrv)
        texts = g_key_file_get_string_list(file, option->group, option->name, NULL, error);

    if (!texts)
        return FALSE;
    for (char **text = texts; *text; text++) {
        if (!add_session(config, *text, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_switch(GaConfig *config, const Option *option, GKeyFile *file, GError **error)
{
    GError *problem = NULL;
    gboolean is_on = g_key_file_get_boolean(file, option->group, option->name, &problem);

    if (problem) {
        g_propagate_error(error, problem);
        return FALSE;
    }
    *(gboolean *)member(config, option) = is_on;
    return TRUE;
}

static gboolean
read_number(GaConfig *config, const Option *option, GKeyFile *file, GError **error)
{
    g_autofree char *text = g_key_file_get_value(file, option->group, option->name, error);
    g_autoptr(GError) problem = NULL;
    guint64 number;

    if (!text)
        return FALSE;
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT, &number, &problem)) {
        qapi_set_error(error, "%s: %s", option->name, problem->message);
        return FALSE;
    }
    *(guint *)member(config, option) = (guint)number;
    return TRUE;
}

static gboolean
read_texts(GaConfig *config, const Option *option, GKeyFile *file, GError **error)
{
    char ***texts = member(config, option);
    char **values = g_key_file_get_string_list(file, option->group, option->name, NULL, error);

    if (!values)
        return FALSE;
    for (char **value = values; *value; value++)
        g_strstrip(*value); /* "a; b" */
    g_strfreev(*texts);
    *texts = values;
    return TRUE;
}

static gboolean
read_text(GaConfig *config, const Option *option, GKeyFile *file, GError **error)
{
    GError *problem = NULL;
    g_autofree char *text = g_key_file_get_string(file, option->group, option->name, &problem);

    /* What GLib can make of a bad value it returns as well. */
    if (problem) {
        g_propagate_error(error, problem);
        return FALSE;
    }
    if (option->kind == NAMES)
        ga_names_append(member(config, option), text);
    else
        set_text(member(config, option), text);
    return TRUE;
}

static gboolean
read_key(GaConfig *config, const Option *option, GKeyFile *file, GError **error)
{
    if (!g_key_file_has_key(file, option->group, option->name, NULL))
        return TRUE;
    switch (option->kind) {
    case SWITCH:
        return read_switch(config, option, file, error);
    case NUMBER:
        return read_number(config, option, file, error);
    case TEXTS:
        return read_texts(config, option, file, error);
    case SESSIONS:
        return read_sessions(config, option, file, error);
    default:
        return read_text(config, option, file, error);
    }
}

gboolean
ga_config_read(GaConfig *config, GKeyFile *file, GError **error)
{
    for (guint place = 1; place <= LAST_PLACE; place++) {
        if (!read_key(config, find_key(place), file, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_absent(const char *path)
{
    GStatBuf status;

    return g_stat(path, &status) != 0 && errno == ENOENT;
}

static gboolean
read_file(GaConfig *config, const char *path, gboolean must_exist, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) problem = NULL;

    if (!must_exist && is_absent(path))
        return TRUE;
    if (g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &problem) &&
        ga_config_read(config, file, &problem))
        return TRUE;
    qapi_set_error(error, "error loading configuration from path: %s, %s", path, problem->message);
    return FALSE;
}

/* The command line. */

static gint
argument_of(const Option *option)
{
    switch (option->kind) {
    case TEXT:
    case NAMES:
    case CONFIG_FILE:
    case IGNORED:
        return required_argument;
    case TEXT_OR_DEFAULT:
        return optional_argument;
    default:
        return no_argument;
    }
}

/* What getopt_long takes. `words` has room for all options and the end. */
static void
describe_options(GString *letters, struct option *words)
{
    for (gsize i = G_N_ELEMENTS(options); i > 0; i--) {
        const Option *option = &options[i - 1];

        if (option->letter == 0)
            continue;
        g_string_append_c(letters, option->letter);
        for (gint colons = argument_of(option); colons > 0; colons--)
            g_string_append_c(letters, ':');
        if (option->name)
            *words++ = (struct option){ option->name, argument_of(option), NULL, option->letter };
    }
}

static void
leave(GaConfig *config, gint status, char *text /* (transfer full) */)
{
    g_free(config->text);
    config->text = text;
    config->status = status;
    config->action = GA_CONFIG_LEAVE;
}

static char *
command_names(const GaCommandTable *table)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < table->n_rows; i++)
        g_string_append_printf(text, "%s\n", table->rows[i].name);
    return g_string_free(text, FALSE);
}

/* One block: what is explained, then the explanation from HELP_COLUMN on. */
static void
append_help(GString *text, const char *name, const char *help, const char *place)
{
    g_auto(GStrv) lines = g_strsplit(help, "\n", -1);
    g_autofree char *body = g_strjoinv("\n                    ", lines);

    if (strlen(name) < HELP_COLUMN - 2)
        g_string_append_printf(text, "  %-*s", HELP_COLUMN - 2, name);
    else
        g_string_append_printf(text, "  %s\n%*s", name, HELP_COLUMN, "");
    g_string_append_printf(text, "%s\n", body);
    if (place)
        g_string_append_printf(text, "%*s(default: %s)\n", HELP_COLUMN, "", place);
}

static void
append_options(GString *text, const GaPlaces *places)
{
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        const Option *option = &options[i];
        g_autofree char *names = g_strdup_printf("-%c, --%s", option->letter, option->name);

        if (option->letter != 0 && option->help)
            append_help(text, names, option->help, place_of(places, option));
    }
}

/* The options that have names are keys of the file too, in [general]. */
static void
append_keys(GString *text)
{
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        const Option *option = &options[i];

        if (option->letter == 0 && option->help)
            append_help(text, option->name, option->help, NULL);
    }
}

static char *
help_text(const GaProgram *program, const char *name)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text,
                           "Usage: %s [-m <method> -p <path>] [<options>]\n"
                           "QEMU Guest Agent %s (NovaCron %s)\n"
                           "Copyright (c) the NovaCron Guest Agent's authors, GPL-2.0-or-later\n"
                           "\n",
                           name, program->compat_version, program->version);
    append_options(text, program->places);
    g_string_append(text, "\nOnly in the configuration file, in [" OURS "]:\n");
    append_keys(text);
    g_string_append_printf(
        text,
        "\n"
        "NovaCron Guest Agent, a drop-in for QEMU's: how to use it and where to\n"
        "report what is wrong with it: <%s>\n",
        program->url);
    return g_string_free(text, FALSE);
}

static char *
version_text(const GaProgram *program)
{
    return g_strdup_printf("QEMU Guest Agent %s\nNovaCron Guest Agent %s\n",
                           program->compat_version, program->version);
}

/* The first pass: which file? The last one named, or NULL. */
static const char *
find_config_file(gint argc, char **argv, const char *letters, const struct option *words)
{
    const char *path = NULL;
    gint letter;

    optind = 0; /* begin anew */
    while ((letter = getopt_long(argc, argv, letters, words, NULL)) != -1) {
        if (letter == 'c')
            path = optarg;
    }
    return path;
}

static void
apply_option(GaConfig *config, const char *name, const Option *option, const char *argument)
{
    switch (option->kind) {
    case TEXT:
        set_text(member(config, option), argument);
        break;
    case TEXT_OR_DEFAULT:
        set_text(member(config, option),
                 argument ? argument : place_of(config->program->places, option));
        break;
    case SWITCH:
        *(gboolean *)member(config, option) = TRUE;
        break;
    case NAMES:
        if (g_strcmp0(argument, "help") == 0 || g_strcmp0(argument, "?") == 0)
            leave(config, 0, command_names(config->program->commands));
        else
            ga_names_append(member(config, option), argument);
        break;
    case DUMP:
        config->action = GA_CONFIG_DUMP;
        break;
    case VERSION:
        leave(config, 0, version_text(config->program));
        break;
    case HELP:
        leave(config, 0, help_text(config->program, name));
        break;
    case CONFIG_FILE: /* read in the first pass */
    case NUMBER:      /* only in the file, as the next two */
    case TEXTS:
    case SESSIONS:
    case IGNORED:
        break;
    }
}

/* The second pass: in order, until one says that there is nothing else to do. */
static void
apply_options(GaConfig *config, gint argc, char **argv, const char *letters,
              const struct option *words)
{
    gint letter;

    optind = 0;
    while (config->action != GA_CONFIG_LEAVE &&
           (letter = getopt_long(argc, argv, letters, words, NULL)) != -1) {
        if (letter == '?')
            leave(config, 1,
                  g_strdup_printf("Unknown option, try '%s --help' for more information.\n",
                                  argv[0]));
        else
            apply_option(config, argv[0], find_letter(letter), optarg);
    }
}

gboolean
ga_config_load(GaConfig *config, gint argc, char **argv, GError **error)
{
    struct option words[G_N_ELEMENTS(options) + 1] = { { NULL, 0, NULL, 0 } };
    g_autoptr(GString) letters = g_string_new(NULL);

    describe_options(letters, words);

    const char *named = find_config_file(argc, argv, letters->str, words);
    const char *path = named ? named : g_getenv("QGA_CONF");
    if (!read_file(config, path ? path : config->program->places->config_file, named != NULL,
                   error))
        return FALSE;

    gsize block_position = g_strv_length(config->block_rpcs);
    gsize allow_position = g_strv_length(config->allow_rpcs);
    apply_options(config, argc, argv, letters->str, words);
    if (config->action == GA_CONFIG_LEAVE)
        return TRUE;

    if (!ga_environment_read(&config->block_rpcs, block_position, &config->allow_rpcs,
                             allow_position, error))
        return FALSE;
    config->channel.any_peer = config->vsock_any_peer;
    for (guint i = 0; i < config->sessions->len; i++) {
        GaEndpoint *session = g_ptr_array_index(config->sessions, i);
        session->any_peer = config->vsock_any_peer;
    }
    return TRUE;
}

/* --dump-conf. */

static void
dump_sessions(GKeyFile *file, const Option *option, const GPtrArray *sessions)
{
    if (sessions->len == 0)
        return;

    g_auto(GStrv) texts = g_new0(char *, sessions->len + 1);
    for (guint i = 0; i < sessions->len; i++) {
        const GaEndpoint *endpoint = g_ptr_array_index(sessions, i);
        texts[i] = g_strdup_printf("%s:%s", endpoint->method, endpoint->path);
    }
    g_key_file_set_string_list(file, option->group, option->name, (const char *const *)texts,
                               sessions->len);
}

static void
dump_names(GKeyFile *file, const Option *option, char *const *names)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (char *const *name = names; *name; name++)
        g_string_append_printf(text, "%s%s", name == names ? "" : ",", *name);
    g_key_file_set_string(file, option->group, option->name, text->str);
}

static void
dump_texts(GKeyFile *file, const Option *option, char *const *texts)
{
    if (texts && *texts)
        g_key_file_set_string_list(file, option->group, option->name, (const char *const *)texts,
                                   g_strv_length((char **)(gsize)texts));
}

static void
dump_option(const GaConfig *config, const Option *option, GKeyFile *file)
{
    gconstpointer value = const_member(config, option);

    switch (option->kind) {
    case SWITCH: {
        gboolean is_on = *(const gboolean *)value;
        if (is_on || strcmp(option->group, GENERAL) == 0)
            g_key_file_set_boolean(file, option->group, option->name, is_on);
        break;
    }
    case NUMBER: {
        guint number = *(const guint *)value;
        if (number > 0)
            g_key_file_set_uint64(file, option->group, option->name, number);
        break;
    }
    case NAMES:
        dump_names(file, option, *(char *const *const *)value);
        break;
    case TEXTS:
        dump_texts(file, option, *(char *const *const *)value);
        break;
    case SESSIONS:
        dump_sessions(file, option, *(const GPtrArray *const *)value);
        break;
    default: {
        const char *text = *(const char *const *)value;
        if (text)
            g_key_file_set_string(file, option->group, option->name, text);
    }
    }
}

char *
ga_config_dump(const GaConfig *config)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    for (guint place = 1; place <= LAST_PLACE; place++)
        dump_option(config, find_key(place), file);
    return g_key_file_to_data(file, NULL, NULL);
}

gboolean
ga_config_settle_channel(GaConfig *config, GError **error)
{
    GaEndpoint *channel = &config->channel;

    if (channel->fd < 0 && !channel->path)
        channel->path = g_strdup(config->program->places->channel(channel->method));
    if (channel->fd < 0 && !channel->path) {
        qapi_set_error(error, "must specify a path for this channel");
        return FALSE;
    }
    if (config->action == GA_CONFIG_DUMP)
        leave(config, 0, ga_config_dump(config));
    return TRUE;
}
