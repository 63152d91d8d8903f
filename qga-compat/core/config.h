/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration. One table of options feeds the command line, the ini file,
 * --help and --dump-conf.
 *
 * Sources, each over the one before: defaults, the file, the environment, the
 * command line. A switch can only be turned on by an option. Lists of commands
 * add up. The environment is that of RHEL's and SUSE's units: BLACKLIST_RPC and
 * BLOCK_RPCS hold names to block, FILTER_RPC_ARGS holds --allow-rpcs and
 * --block-rpcs as a shell would read them. Such units hand the same lists over as
 * options too, so the environment adds only names that neither the file nor the
 * command line has: --dump-conf shows each once, and what it shows, put into the
 * file, means the same.
 */
#pragma once

#include "core/channel.h"
#include "core/command.h"

/* Where this system keeps what nothing else names. */
typedef struct {
    const char *config_file;
    const char *pid_file;
    const char *state_directory;
    const char *fsfreeze_hook;
    const char *data_directory;                 /* for what outlives a reboot */
    const char *worker_directory;               /* of our own programs */
    const char *(*channel)(const char *method); /* NULL: the path must be given */
} GaPlaces;

/* What there is to configure, as it was built. */
typedef struct {
    const char *version;        /* our own */
    const char *compat_version; /* of the qemu-ga that we stand in for */
    const char *url;
    const GaPlaces *places;
    const GaCommandTable *commands;
} GaProgram;

/* What the command line asks for. */
typedef enum {
    GA_CONFIG_RUN,
    GA_CONFIG_DUMP,  /* --dump-conf, once the channel is settled */
    GA_CONFIG_LEAVE, /* print `text`, end with `status` */
} GaConfigAction;

typedef struct {
    const GaProgram *program;

    /* [general]: upstream's */
    GaEndpoint channel; /* method, path */
    gboolean daemonize;
    char *log_file; /* NULL: standard error */
    char *pid_file;
    char *fsfreeze_hook; /* NULL: none */
    char *state_directory;
    gboolean verbose; /* SIGUSR1 toggles it at run time; upstream dies of that signal */
    gboolean retry_path;
    char **block_rpcs; /* as the gate takes them */
    char **allow_rpcs;

    /* [novacron]: ours; --dump-conf shows a key only when it is used */
    GPtrArray *sessions; /* of GaEndpoint; in the file METHOD:PATH */
    gboolean vsock_any_peer;
    char *reported_version; /* of guest-info; NULL: the version that we are compatible with */
    char *data_directory;   /* NULL: the system's place for it */
    char *worker_directory; /* the same */
    char **areas;           /* of the extensions that may change the guest; NULL: none */
    char **network_exclude; /* globs of interface names; NULL: none */
    char **network_order;
    guint network_maximum;        /* of interfaces; 0: all */
    guint freeze_deadline_ms;     /* then a guardian thaws; 0: file systems stay frozen */
    guint freeze_hook_timeout_ms; /* 0: a hook takes as long as it likes */
    guint quiesce_maximum_ms;     /* that a freeze with a token is held; 0: see the extension */

    GaConfigAction action;
    char *text;
    gint status;
} GaConfig;

/* The defaults. */
GaConfig *ga_config_new(const GaProgram *program);
void ga_config_free(GaConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaConfig, ga_config_free)

/* Read all sources. What getopt has to say about the command line goes to standard error, twice
 * as upstream's; `argv` is permuted. */
gboolean ga_config_load(GaConfig *config, gint argc, char **argv,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* When it is known whether the channel is a socket passed by a service manager (then it has an
 * fd): find its path, which ends the configuration. */
gboolean ga_config_settle_channel(GaConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where what outlives a reboot is kept; made when it is first needed. */
const char *ga_config_data_directory(const GaConfig *config);

/* Where the programs are that work for extensions beside the agent. */
const char *ga_config_worker_directory(const GaConfig *config);

/* What guest-info reports. */
const char *ga_config_reported_version(const GaConfig *config);

/* One of the sources: the keys that are there. */
gboolean ga_config_read(GaConfig *config, GKeyFile *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The output of --dump-conf. */
char *ga_config_dump(const GaConfig *config);
