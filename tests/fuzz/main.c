/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzz target without libFuzzer: runs it on files, and on seeded random
 * inputs made of them and of the words below. No coverage guides it; it is
 * for compilers without a fuzzer, for regressions, and for quick runs.
 *
 * Usage: TARGET [-n COUNT] [-s SEED] [FILE...]
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define LARGEST_INPUT 4096

/* What random bytes would hardly ever hit. */
static const char *const words[] = {
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "'",
    "\\",
    "\n",
    "\xFF",
    "null",
    "true",
    "false",
    "foo",
    "0",
    "-1",
    "1.5e3",
    "18446744073709551615",
    "\"a\"",
    "\"a\":",
    "{\"a\":1,",
    "\\u00e9",
    "\\ud83d",
    "\\ude00",
    "\\u0000",
    "\xC3\xA9",
    "\xC0\x80",
    "\xED\xA0\x80",
    "\xF0\x9F\x98\x80",
    /* of the toy schema */
    "{\"title\":",
    "\"shapes\":",
    "\"kind\":\"circle\"",
    "\"kind\":\"polygon\"",
    "\"radius\":1",
    "\"points\":[",
    "{\"x\":1,\"y\":2}",
    "\"size\":",
    "\"green\"",
    "\"picture\":\"",
    "\"extra\":",
    "\"flags\":[",
    "\"level\":",
    "\"count\":",
    "\"offset\":",
    "\"ratio\":",
    "\"tags\":[",
    "\"origin\":",
    "\"label\":",
    /* of base64 */
    "AAAA",
    "YWJj",
    "====",
    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=",
};

static void
insert_word(GByteArray *input, GRand *random)
{
    const char *word = words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))];
    guint place = (guint)g_rand_int_range(random, 0, (gint)input->len + 1);
    g_autofree guint8 *rest = g_malloc(input->len - place + 1);
    guint n_rest = input->len - place;

    for (guint i = 0; i < n_rest; i++)
        rest[i] = input->data[place + i];
    g_byte_array_set_size(input, place);
    g_byte_array_append(input, (const guint8 *)word, (guint)strlen(word));
    g_byte_array_append(input, rest, n_rest);
}

static void
mutate(GByteArray *input, GRand *random)
{
    for (gint left = g_rand_int_range(random, 1, 30); left && input->len < LARGEST_INPUT; left--) {
        guint choice = (guint)g_rand_int_range(random, 0, 8);
        guint place = input->len ? (guint)g_rand_int_range(random, 0, (gint)input->len) : 0;
        if (choice < 6 || !input->len)
            insert_word(input, random);
        else if (choice == 6)
            input->data[place] = (guint8)g_rand_int(random);
        else
            g_byte_array_remove_index(input, place);
    }
}

static GByteArray *
read_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    char *text;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(EXIT_FAILURE);
    }
    return g_byte_array_new_take((guint8 *)text, size);
}

static void
run_random(GPtrArray *files, gint count, guint32 seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);

    printf("%d random inputs, seed %u\n", count, seed);
    for (gint i = 0; i < count; i++) {
        g_autoptr(GByteArray) input = g_byte_array_new();
        if (files->len && g_rand_boolean(random)) {
            const GByteArray *file = files->pdata[g_rand_int_range(random, 0, (gint)files->len)];
            g_byte_array_append(input, file->data, file->len);
        }
        mutate(input, random);
        LLVMFuzzerTestOneInput(input->data, input->len);
    }
}

int
main(int argc, char **argv)
{
    gint count = 0, seed = 1;
    g_auto(GStrv) paths = NULL;
    const GOptionEntry options[] = {
        { "count", 'n', 0, G_OPTION_ARG_INT, &count, "random inputs to try", "COUNT" },
        { "seed", 's', 0, G_OPTION_ARG_INT, &seed, "where they begin", "SEED" },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, "FILE..." },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return EXIT_FAILURE;
    }

    for (guint i = 0; paths && paths[i]; i++) {
        GByteArray *file = read_file(paths[i]);
        g_ptr_array_add(files, file);
        LLVMFuzzerTestOneInput(file->data, file->len);
    }
    if (count > 0)
        run_random(files, count, (guint32)seed);
    return EXIT_SUCCESS;
}
