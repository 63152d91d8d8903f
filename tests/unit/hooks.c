/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a hook and its folder make ready. */
#include "extensions/quiesce/hooks.h"

#include <glib/gstdio.h>

#include "runner.h"
#include "tree.h"

typedef struct {
    char *folder;
    char *hook;
    char *settings;
} Place;

static void
place_free(Place *place)
{
    tree_free(place->folder);
    g_free(place->hook);
    g_free(place->settings);
    g_free(place);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Place, place_free)

static Place *
place_new(const char *const *entries, const char *const *executable)
{
    Place *place = g_new(Place, 1);

    place->folder = tree_new(entries);
    place->hook = g_build_filename(place->folder, "fsfreeze-hook", NULL);
    place->settings = g_build_filename(place->folder, "conf", NULL);
    for (; *executable; executable++) {
        g_autofree char *path = g_build_filename(place->folder, *executable, NULL);
        ck_assert_int_eq(g_chmod(path, 0755), 0);
    }
    return place;
}

static void
assert_ready(const Hooks *hooks, NovacronQuiesceKind kind, const char *expected)
{
    g_autofree char *script = NULL;
    NovacronQuiesceReason reason;

    ck_assert(hooks_look_up(hooks, kind, &script, &reason));
    ck_assert_str_eq(script, expected);
}

static void
assert_not_ready(const Hooks *hooks, NovacronQuiesceKind kind, NovacronQuiesceReason expected)
{
    char *script = NULL;
    NovacronQuiesceReason reason = -1;

    ck_assert(!hooks_look_up(hooks, kind, &script, &reason));
    ck_assert_int_eq(reason, expected);
}

START_TEST(a_script_for_it_makes_a_server_ready)
{
    static const char *const entries[] = {
        "fsfreeze-hook=",
        "fsfreeze-hook.d/20-postgresql=x",
        "fsfreeze-hook.d/30-redis=x",
        "fsfreeze-hook.d/40-mongodb.dpkg-old=x",
        "fsfreeze-hook.d/60-mariadb-mysql=x",
        "conf=#MYSQL_MODE=off\nMARIADB_MODE=off \n",
        NULL,
    };
    static const char *const executable[] = { "fsfreeze-hook.d/20-postgresql",
                                              "fsfreeze-hook.d/40-mongodb.dpkg-old",
                                              "fsfreeze-hook.d/60-mariadb-mysql", NULL };
    g_autoptr(Place) place = place_new(entries, executable);
    g_autoptr(Hooks) hooks = hooks_read(place->hook, place->settings);

    assert_ready(hooks, NOVACRON_QUIESCE_KIND_POSTGRESQL, "20-postgresql");
    assert_ready(hooks, NOVACRON_QUIESCE_KIND_MYSQL, "60-mariadb-mysql");
    assert_not_ready(hooks, NOVACRON_QUIESCE_KIND_MARIADB, NOVACRON_QUIESCE_REASON_OFF);
    assert_not_ready(hooks, NOVACRON_QUIESCE_KIND_MONGODB, NOVACRON_QUIESCE_REASON_NO_SCRIPT);
    assert_not_ready(hooks, NOVACRON_QUIESCE_KIND_REDIS, NOVACRON_QUIESCE_REASON_NO_SCRIPT);
}
END_TEST

START_TEST(settings_are_shell_of_the_plain_kind)
{
    static const char *const entries[] = {
        "conf=export MYSQL_MODE='read-lock'\n#REDIS_MODE=off\nPOSTGRESQL_MODE=\"off\"\n"
        "MARIADB_MODE=off\nMARIADB_MODE=read-lock\nMONGODB_MODE='off\nMONGODB_MODES=off\n",
        NULL,
    };
    static const char *const executable[] = { NULL };
    g_autoptr(Place) place = place_new(entries, executable);
    g_autoptr(Hooks) hooks = hooks_read(NULL, place->settings);

    ck_assert(hooks_have_mode(hooks, NOVACRON_QUIESCE_KIND_MYSQL, "read-lock"));
    ck_assert(!hooks_have_mode(hooks, NOVACRON_QUIESCE_KIND_MYSQL, "off"));
    ck_assert(!hooks_have_mode(hooks, NOVACRON_QUIESCE_KIND_REDIS, "off"));
    ck_assert(hooks_have_mode(hooks, NOVACRON_QUIESCE_KIND_POSTGRESQL, "off"));
    ck_assert(!hooks_have_mode(hooks, NOVACRON_QUIESCE_KIND_MARIADB, "off"));
    ck_assert(hooks_have_mode(hooks, NOVACRON_QUIESCE_KIND_MARIADB, "read-lock"));
    ck_assert(!hooks_have_mode(hooks, NOVACRON_QUIESCE_KIND_MONGODB, "off"));
}
END_TEST

START_TEST(another_hook_is_not_judged)
{
    static const char *const entries[] = { "fsfreeze-hook=", NULL };
    static const char *const executable[] = { NULL };
    g_autoptr(Place) place = place_new(entries, executable);
    g_autoptr(Hooks) other = hooks_read(place->hook, place->settings);
    g_autoptr(Hooks) none = hooks_read(NULL, place->settings);

    assert_not_ready(other, NOVACRON_QUIESCE_KIND_REDIS, NOVACRON_QUIESCE_REASON_HOOK_UNKNOWN);
    assert_not_ready(none, NOVACRON_QUIESCE_KIND_REDIS, NOVACRON_QUIESCE_REASON_NO_HOOK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("hooks");
    TCase *tcase = tcase_create("hooks");

    tcase_add_test(tcase, a_script_for_it_makes_a_server_ready);
    tcase_add_test(tcase, settings_are_shell_of_the_plain_kind);
    tcase_add_test(tcase, another_hook_is_not_judged);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
