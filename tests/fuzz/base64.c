/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes: encoded and decoded they are the same, and taken as text all kernels agree. */
#include <string.h>

#include "fuzz.h"
#include "runtime/qapi-base64-private.h"
#include "runtime/qapi-base64.h"

static void
check_round_trip(const QapiBase64Kernel *kernel, const uint8_t *data, size_t size)
{
    g_autofree char *expected = g_base64_encode(data, size);
    gsize length = QAPI_BASE64_SIZE(size), decoded = 0;
    g_autofree char *text = g_malloc(length + 1);

    qapi_base64_encode_with(kernel, data, size, text);
    text[length] = '\0';
    g_assert_cmpstr(text, ==, expected);
    g_assert_true(qapi_base64_decode_with(kernel, text, length, &decoded));
    g_assert_cmpmem(text, decoded, data, size);
}

/* What the kernel makes of the data as text; NULL if it is refused. */
static GBytes *
decode(const QapiBase64Kernel *kernel, const uint8_t *data, size_t size)
{
    g_autofree char *text = g_malloc(size + 1);
    gsize decoded;

    if (size)
        memcpy(text, data, size);
    if (!qapi_base64_decode_with(kernel, text, size, &decoded))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&text), decoded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) expected = decode(qapi_base64_kernel(0), data, size);
    const QapiBase64Kernel *kernel;

    for (guint i = 0; (kernel = qapi_base64_kernel(i)); i++) {
        g_autoptr(GBytes) bytes = decode(kernel, data, size);
        g_assert_true(!bytes == !expected && (!bytes || g_bytes_equal(bytes, expected)));
        check_round_trip(kernel, data, size);
    }
    return 0;
}
