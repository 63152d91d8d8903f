/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration: what the sources amount to, told by --dump-conf. */
#include "core/config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "runner.h"
#include "toy-agent.h"

#define DEFAULTS                                                                        \
    "[general]\ndaemon=false\nmethod=virtio-serial\npath=/dev/port\npidfile=/run/pid\n" \
    "statedir=/run\nverbose=false\nretry-path=false\n"
#define NO_LISTS "block-rpcs=\nallow-rpcs=\n"

static const char *
channel_path(const char *method)
{
    return g_str_equal(method, "virtio-serial") ? "/dev/port" : NULL;
}

static const GaPlaces places = {
    .config_file = "/nonexistent/agent.conf",
    .pid_file = "/run/pid",
    .state_directory = "/run",
    .fsfreeze_hook = "/etc/hook",
    .channel = channel_path,
};

static const GaProgram program = {
    .version = "0.9",
    .compat_version = "11.1",
    .url = "https://example.org",
    .places = &places,
    .commands = &toy_table,
};

/* The last word is NULL. */
static GaConfig *
load(GError **error, const char *const *words)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GaConfig) config = ga_config_new(&program);

    for (; *words; words++)
        g_ptr_array_add(argv, (gpointer)(gsize)*words);
    gint argc = argv->len;
    g_ptr_array_add(argv, NULL);
    if (!ga_config_load(config, argc, (char **)argv->pdata, error))
        return NULL;
    if (config->action != GA_CONFIG_LEAVE && !ga_config_settle_channel(config, error))
        return NULL;
    return g_steal_pointer(&config);
}

/* What the command line prints, with its status in front; or the error. */
static char *
outcome(const char *const *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GaConfig) config = load(&error, words);

    if (!config)
        return g_strdup_printf("error: %s", error->message);
    ck_assert_int_eq(config->action, GA_CONFIG_LEAVE);
    return g_strdup_printf("%d %s", config->status, config->text);
}

#define ck_assert_outcome(expected, ...)                            \
    do {                                                            \
        const char *const words[] = { "agent", __VA_ARGS__, NULL }; \
        g_autofree char *printed = outcome(words);                  \
        ck_assert_str_eq(printed, expected);                        \
    } while (0)

/* A file with this text, removed by remove_file(). */
static char *
make_file(const char *text)
{
    char *path = NULL;
    gint fd = g_file_open_tmp("config-XXXXXX", &path, NULL);

    ck_assert_int_ge(fd, 0);
    g_close(fd, NULL);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void
remove_file(char *path)
{
    g_unlink(path);
    g_free(path);
}

START_TEST(without_options_the_defaults_hold)
{
    ck_assert_outcome("0 " DEFAULTS NO_LISTS, "-D");
}
END_TEST

START_TEST(options_may_be_short_long_abbreviated_or_among_other_words)
{
    static const char expected[] =
        "0 [general]\ndaemon=true\nmethod=unix-listen\npath=/s\nlogfile=/l\npidfile=/f\n"
        "fsfreeze-hook=/h\nstatedir=/t\nverbose=true\nretry-path=true\n" NO_LISTS;

    ck_assert_outcome(expected, "-Dvdr", "-m", "unix-listen", "-p/s", "-l", "/l", "-f", "/f",
                      "-F/h", "-t", "/t", "-s", "ignored");
    ck_assert_outcome(expected, "--dump", "--verb", "--daemon", "--retry", "--meth=unix-listen",
                      "--path", "/s", "--logfile=/l", "--pidfile", "/f", "--fsfreeze-hook=/h",
                      "--statedir", "/t");
    ck_assert_outcome(expected, "word", "-Dvdr", "-m", "unix-listen", "word", "-p", "/s", "-l",
                      "/l", "-f", "/f", "-F/h", "-t", "/t", "--", "-V");
}
END_TEST

START_TEST(the_hook_has_a_default_and_an_attached_argument_only)
{
    ck_assert_outcome("0 [general]\ndaemon=false\nmethod=virtio-serial\npath=/dev/port\n"
                      "pidfile=/run/pid\nfsfreeze-hook=/etc/hook\nstatedir=/run\nverbose=false\n"
                      "retry-path=false\n" NO_LISTS,
                      "-D", "-F", "/not/this");
}
END_TEST

START_TEST(names_of_one_option_are_reversed_and_options_add_up)
{
    ck_assert_outcome("0 " DEFAULTS "block-rpcs=b,a,,d,c\nallow-rpcs=y,x\n", "-D", "-b", "a,b",
                      "-b", "c,d,", "-a", "x,y", "-b", "");
}
END_TEST

START_TEST(what_getopt_refuses_ends_with_a_hint)
{
    static const char expected[] = "1 Unknown option, try 'agent --help' for more information.\n";

    ck_assert_outcome(expected, "--bogus", "-V");
    ck_assert_outcome(expected, "-m");
    ck_assert_outcome(expected, "--v"); /* --version or --verbose */
    ck_assert_outcome(expected, "--verbose=1");
    ck_assert_outcome(expected, "--blacklist=x");
}
END_TEST

START_TEST(the_first_option_that_prints_wins)
{
    g_autofree char *version = outcome(
        (const char *const[]){ "agent", "-V", "--bogus", "-h", NULL });
    g_autofree char *help = outcome((const char *const[]){ "agent", "-h", "-V", NULL });

    ck_assert_str_eq(version, "0 QEMU Guest Agent 11.1\nNovaCron Guest Agent 0.9\n");
    ck_assert_msg(g_str_has_prefix(help, "0 Usage: agent [-m <method> -p <path>] [<options>]\n"),
                  "%s", help);
}
END_TEST

START_TEST(help_has_every_option_at_its_columns)
{
    static const char letters[] = "cmplfFtvVdbaDrh";
    g_autofree char *help = outcome((const char *const[]){ "agent", "--help", NULL });
    g_auto(GStrv) lines = g_strsplit(help, "\n", -1);
    const char *letter = letters;

    for (char **line = lines; *line; line++) {
        ck_assert_uint_le(strlen(*line), 80);
        if (!g_str_has_prefix(*line, "  "))
            continue;
        if ((*line)[2] == '-')
            ck_assert_int_eq((*line)[3], *letter++);
        /* a name that is too long has its line for itself */
        gboolean stands_alone = line[1] && g_str_has_prefix(line[1], "                    ") &&
                                !strstr(*line + 2, "  ");
        if (!stands_alone)
            ck_assert_msg((*line)[19] == ' ' && (*line)[20] != ' ', "%s", *line);
    }
    ck_assert_str_eq(letter, "");
}
END_TEST

START_TEST(help_instead_of_names_lists_the_commands)
{
    g_autofree char *expected = g_strdup("0 ");

    for (guint i = 0; i < toy_table.n_rows; i++) {
        g_autofree char *shorter = expected;
        expected = g_strdup_printf("%s%s\n", shorter, toy_table.rows[i].name);
    }
    ck_assert_outcome(expected, "-b", "help", "--bogus");
    ck_assert_outcome(expected, "--allow-rpcs=?");
}
END_TEST

START_TEST(the_file_lies_beneath_the_options)
{
    char *file = make_file("[other]\nmethod=x\n[general]\nmethod=unix-listen\npath=\\s/p\n"
                           "verbose=1\nretry-path=0\nblock-rpcs=a,b\nallow-rpcs=c\nunknown=1\n");

    ck_assert_outcome("0 [general]\ndaemon=true\nmethod=unix-listen\npath=/q\npidfile=/run/pid\n"
                      "statedir=/run\nverbose=true\nretry-path=false\nblock-rpcs=b,a,d,c\n"
                      "allow-rpcs=c\n",
                      "-D", "-p", "/q", "-c", file, "-b", "c,d", "-d");
    remove_file(file);
}
END_TEST

START_TEST(only_a_file_that_was_named_by_an_option_must_exist)
{
    g_setenv("QGA_CONF", "/nonexistent/x.conf", TRUE);
    ck_assert_outcome("0 " DEFAULTS NO_LISTS, "-D");
    g_unsetenv("QGA_CONF");
    ck_assert_outcome("error: error loading configuration from path: /nonexistent/x.conf, No such "
                      "file or directory",
                      "-c", "/nonexistent/x.conf", "-V");
}
END_TEST

START_TEST(the_last_named_file_is_the_one)
{
    char *file = make_file("[general]\nverbose=true\n");
    g_autofree char *with_file = outcome(
        (const char *const[]){ "agent", "-D", "-c", "/nonexistent/x", "-c", file, NULL });

    ck_assert_msg(strstr(with_file, "verbose=true"), "%s", with_file);
    remove_file(file);
}
END_TEST

START_TEST(a_bad_file_is_fatal)
{
    static const char *const texts[] = {
        "garbage\n",
        "[general]\nverbose=maybe\n",
        "[general]\nmethod=\xff\n",
        "[novacron]\nsessions=unix-listen\n",
        "[novacron]\nsessions=unix-listen:/s;:x\n",
        "[novacron]\nvsock-any-peer=x\n",
        "[novacron]\nnetwork-exclude=\xff\n",
        "[novacron]\nnetwork-maximum=many\n",
        "[novacron]\nnetwork-maximum=-1\n",
        "[novacron]\nnetwork-maximum=4294967296\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        char *file = make_file(texts[i]);
        g_autofree char *printed = outcome((const char *const[]){ "agent", "-c", file, NULL });
        ck_assert_msg(g_str_has_prefix(printed, "error: error loading configuration from path: "),
                      "%s: %s", texts[i], printed);
        remove_file(file);
    }
}
END_TEST

START_TEST(our_own_settings_show_when_they_are_used)
{
    char *file = make_file("[novacron]\nsessions=unix-listen:/s\\;x;vsock-listen:2:9\n"
                           "vsock-any-peer=true\nreported-version=9.9\n");
    g_autoptr(GError) error = NULL;

    ck_assert_outcome("0 " DEFAULTS NO_LISTS
                      "\n[novacron]\nsessions=unix-listen:/s\\;x;vsock-listen:2:9;\n"
                      "vsock-any-peer=true\nreported-version=9.9\n",
                      "-D", "-c", file);

    g_autoptr(GaConfig) config = load(&error, (const char *const[]){ "agent", "-c", file, NULL });
    ck_assert_ptr_nonnull(config);
    ck_assert_uint_eq(config->sessions->len, 2);
    const GaEndpoint *first = g_ptr_array_index(config->sessions, 0);
    const GaEndpoint *second = g_ptr_array_index(config->sessions, 1);
    ck_assert_str_eq(first->method, "unix-listen");
    ck_assert_str_eq(first->path, "/s;x");
    ck_assert(first->is_private);
    ck_assert_str_eq(second->path, "2:9");
    ck_assert(second->any_peer);
    ck_assert(config->channel.any_peer && !config->channel.is_private);
    remove_file(file);
}
END_TEST

START_TEST(interface_filters_are_lists_of_globs_and_a_number)
{
    char *file = make_file("[novacron]\nnetwork-exclude=docker*; veth* ;\nnetwork-order=eth?\n"
                           "network-maximum=10\n");
    g_autoptr(GError) error = NULL;

    ck_assert_outcome("0 " DEFAULTS NO_LISTS "\n[novacron]\nnetwork-exclude=docker*;veth*;\n"
                      "network-order=eth?;\nnetwork-maximum=10\n",
                      "-D", "-c", file);

    g_autoptr(GaConfig) config = load(&error, (const char *const[]){ "agent", "-c", file, NULL });
    ck_assert_ptr_nonnull(config);
    ck_assert_uint_eq(g_strv_length(config->network_exclude), 2);
    ck_assert_str_eq(config->network_exclude[1], "veth*");
    ck_assert_str_eq(config->network_order[0], "eth?");
    ck_assert_uint_eq(config->network_maximum, 10);
    remove_file(file);
}
END_TEST

START_TEST(a_freeze_may_have_a_deadline_and_a_hook_a_time_limit)
{
    char *file = make_file("[novacron]\nfsfreeze-deadline-ms=600000\n"
                           "fsfreeze-hook-timeout-ms=30000\nquiesce-maximum-ms=90000\n");
    g_autoptr(GError) error = NULL;

    ck_assert_outcome("0 " DEFAULTS NO_LISTS "\n[novacron]\nfsfreeze-deadline-ms=600000\n"
                      "fsfreeze-hook-timeout-ms=30000\nquiesce-maximum-ms=90000\n",
                      "-D", "-c", file);

    g_autoptr(GaConfig) config = load(&error, (const char *const[]){ "agent", "-c", file, NULL });
    ck_assert_ptr_nonnull(config);
    ck_assert_uint_eq(config->freeze_deadline_ms, 600000);
    ck_assert_uint_eq(config->freeze_hook_timeout_ms, 30000);
    ck_assert_uint_eq(config->quiesce_maximum_ms, 90000);
    remove_file(file);
}
END_TEST

START_TEST(settings_of_our_own_that_are_off_do_not_show)
{
    char *file = make_file("[novacron]\nsessions=\nvsock-any-peer=false\nnetwork-exclude=\n"
                           "network-order=\nnetwork-maximum=0\nfsfreeze-deadline-ms=0\n"
                           "fsfreeze-hook-timeout-ms=0\n");

    ck_assert_outcome("0 " DEFAULTS NO_LISTS, "-D", "-c", file);
    remove_file(file);
}
END_TEST

START_TEST(the_environment_adds_names_that_nobody_else_has)
{
    char *file = make_file("[general]\nblock-rpcs=f\n");

    g_setenv("BLACKLIST_RPC", "old, f", TRUE);
    g_setenv("BLOCK_RPCS", "new,,cli", TRUE);
    g_setenv("FILTER_RPC_ARGS", "-bx '--block-rpcs=y' --allow-rpcs=a -a b --allow-rpcs c", TRUE);
    ck_assert_outcome("0 " DEFAULTS "block-rpcs=f,y,x,new,old,cli\nallow-rpcs=c,b,a\n", "-D", "-c",
                      file, "-b", "cli");
    g_unsetenv("BLACKLIST_RPC");
    g_unsetenv("BLOCK_RPCS");
    g_unsetenv("FILTER_RPC_ARGS");
    remove_file(file);
}
END_TEST

static void
count_warning(G_GNUC_UNUSED const char *domain, GLogLevelFlags level,
              G_GNUC_UNUSED const char *message, gpointer user_data)
{
    ck_assert_int_eq(level & G_LOG_LEVEL_MASK, G_LOG_LEVEL_WARNING);
    ++*(guint *)user_data;
}

START_TEST(what_else_the_environment_asks_for_is_ignored_with_a_warning)
{
    static const struct {
        const char *words;
        guint n_warnings;
    } cases[] = {
        { "", 0 },
        { " ", 0 },
        { "--allow-rpcs=", 0 },
        { "-v --block-rpcs=", 1 },
        { "-b", 1 },
        { "--block-rpcsx x", 2 },
        { "-m x", 2 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint n_warnings = 0;

        g_log_set_default_handler(count_warning, &n_warnings);
        g_setenv("FILTER_RPC_ARGS", cases[i].words, TRUE);
        ck_assert_outcome("0 " DEFAULTS NO_LISTS, "-D");
        g_unsetenv("FILTER_RPC_ARGS");
        g_log_set_default_handler(g_log_default_handler, NULL);
        ck_assert_msg(n_warnings == cases[i].n_warnings, "%s: %u", cases[i].words, n_warnings);
    }
}
END_TEST

START_TEST(a_filter_that_cannot_be_read_is_fatal)
{
    g_setenv("FILTER_RPC_ARGS", "--block-rpcs='guest-exec", TRUE);
    g_autofree char *printed = outcome((const char *const[]){ "agent", "-D", NULL });
    g_unsetenv("FILTER_RPC_ARGS");
    ck_assert_msg(g_str_has_prefix(printed, "error: error in FILTER_RPC_ARGS: "), "%s", printed);
}
END_TEST

START_TEST(a_method_without_a_default_path_needs_one)
{
    ck_assert_outcome("error: must specify a path for this channel", "-D", "-m", "unix-listen");
}
END_TEST

START_TEST(a_passed_socket_has_no_path)
{
    g_autoptr(GaConfig) config = ga_config_new(&program);
    char *argv[] = { (char[]){ "agent" }, (char[]){ "-D" }, NULL };

    ck_assert(ga_config_load(config, 2, argv, NULL));
    config->channel.fd = 3;
    ck_assert(ga_config_settle_channel(config, NULL));
    ck_assert_ptr_null(config->channel.path);
    ck_assert_ptr_null(strstr(config->text, "path=/"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");

    g_setenv("QGA_CONF", "/nonexistent/agent.conf", TRUE);
    tcase_add_test(tcase, without_options_the_defaults_hold);
    tcase_add_test(tcase, options_may_be_short_long_abbreviated_or_among_other_words);
    tcase_add_test(tcase, the_hook_has_a_default_and_an_attached_argument_only);
    tcase_add_test(tcase, names_of_one_option_are_reversed_and_options_add_up);
    tcase_add_test(tcase, what_getopt_refuses_ends_with_a_hint);
    tcase_add_test(tcase, the_first_option_that_prints_wins);
    tcase_add_test(tcase, help_has_every_option_at_its_columns);
    tcase_add_test(tcase, help_instead_of_names_lists_the_commands);
    tcase_add_test(tcase, the_file_lies_beneath_the_options);
    tcase_add_test(tcase, only_a_file_that_was_named_by_an_option_must_exist);
    tcase_add_test(tcase, the_last_named_file_is_the_one);
    tcase_add_test(tcase, a_bad_file_is_fatal);
    tcase_add_test(tcase, our_own_settings_show_when_they_are_used);
    tcase_add_test(tcase, interface_filters_are_lists_of_globs_and_a_number);
    tcase_add_test(tcase, a_freeze_may_have_a_deadline_and_a_hook_a_time_limit);
    tcase_add_test(tcase, settings_of_our_own_that_are_off_do_not_show);
    tcase_add_test(tcase, the_environment_adds_names_that_nobody_else_has);
    tcase_add_test(tcase, what_else_the_environment_asks_for_is_ignored_with_a_warning);
    tcase_add_test(tcase, a_filter_that_cannot_be_read_is_fatal);
    tcase_add_test(tcase, a_method_without_a_default_path_needs_one);
    tcase_add_test(tcase, a_passed_socket_has_no_path);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
