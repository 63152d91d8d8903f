/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Base64: kernels that handle runs of plain alphabet in whole groups, and
 * around them the slow path for what is left, newlines and padding.
 *
 * The surprising part is upstream's idea of padding: '=' is a digit of value
 * zero that may stand anywhere, and the last two characters of each group
 * alone decide how many of its bytes count.
 */
#include "runtime/qapi-base64.h"

#include <string.h>

#include "runtime/qapi-base64-private.h"
#include "runtime/qapi-error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Values of characters, plus one: 0 is what is outside the alphabet. */
static const guint8 digit_plus_one[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

static void
put_group(guint32 bits, guint8 *data)
{
    data[0] = (guint8)(bits >> 16);
    data[1] = (guint8)(bits >> 8);
    data[2] = (guint8)bits;
}

static gsize
decode_scalar(const char *text, gsize length, guint8 *data)
{
    gsize done = 0;

    for (; length - done >= 4; done += 4, data += 3) {
        guint32 bits = 0;
        for (guint i = 0; i < 4; i++) {
            guint8 digit = digit_plus_one[(guint8)text[done + i]];
            if (!digit)
                return done;
            bits = bits << 6 | (guint32)(digit - 1);
        }
        put_group(bits, data);
    }
    return done;
}

static gsize
encode_scalar(const guint8 *data, gsize size, char *text)
{
    gsize done = 0;

    for (; size - done >= 3; done += 3, text += 4) {
        guint32 bits = (guint32)data[done] << 16 | (guint32)data[done + 1] << 8 | data[done + 2];
        text[0] = alphabet[bits >> 18];
        text[1] = alphabet[bits >> 12 & 63];
        text[2] = alphabet[bits >> 6 & 63];
        text[3] = alphabet[bits & 63];
    }
    return done;
}

static const QapiBase64Kernel scalar = { "scalar", decode_scalar, encode_scalar };

#if defined(__x86_64__)

/*
 * The vector kernels, for 16 bytes at a time and for 32; the methods are those
 * of W. Mula and D. Lemire, "Faster Base64 Encoding and Decoding using AVX2
 * Instructions" (ACM TWEB 12, 2018).
 *
 * Decoding: a character is plain if the bits that its two nibbles select have
 * none in common. The high nibble, less one for '/', selects what to add to
 * get the digit. Two multiply-adds then join digits to pairs and to groups.
 *
 * Encoding: a shuffle spreads each group over four bytes, two multiplications
 * shift the digits into place, and each digit selects what to add to it.
 */

#define LOW_NIBBLES \
    0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1A, 0x1B, 0x1B, 0x1B, 0x1A
#define HIGH_NIBBLES \
    0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10
#define TO_DIGIT 0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0
#define GATHER_GROUPS 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1
#define SPREAD_GROUPS 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10
#define FROM_DIGIT                                                                            \
    'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, \
        '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0

#define PAIRS 0x01400140
#define GROUPS 0x00011000

__attribute__((target("ssse3"))) static gsize
decode_ssse3(const char *text, gsize length, guint8 *data)
{
    const __m128i low_nibbles = _mm_setr_epi8(LOW_NIBBLES);
    const __m128i high_nibbles = _mm_setr_epi8(HIGH_NIBBLES);
    const __m128i to_digit = _mm_setr_epi8(TO_DIGIT);
    const __m128i gather = _mm_setr_epi8(GATHER_GROUPS);
    const __m128i nibble = _mm_set1_epi8(0x0F);
    gsize done = 0;

    /* A block is loaded before its 12 bytes and 4 of slack are stored, which in place always
     * end before the next block. */
    for (; length - done >= 16; done += 16, data += 12) {
        __m128i chars = _mm_loadu_si128((const __m128i *)(const void *)(text + done));
        __m128i high = _mm_and_si128(_mm_srli_epi32(chars, 4), nibble);
        __m128i low = _mm_and_si128(chars, nibble);
        __m128i clash = _mm_and_si128(_mm_shuffle_epi8(low_nibbles, low),
                                      _mm_shuffle_epi8(high_nibbles, high));
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(clash, _mm_setzero_si128())) != 0xFFFF)
            break;

        __m128i is_slash = _mm_cmpeq_epi8(chars, _mm_set1_epi8('/'));
        __m128i roll = _mm_shuffle_epi8(to_digit, _mm_add_epi8(is_slash, high));
        __m128i digits = _mm_add_epi8(chars, roll);
        __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi32(PAIRS));
        __m128i groups = _mm_madd_epi16(pairs, _mm_set1_epi32(GROUPS));
        _mm_storeu_si128((__m128i *)(void *)data, _mm_shuffle_epi8(groups, gather));
    }
    return done + decode_scalar(text + done, length - done, data);
}

__attribute__((target("ssse3"))) static gsize
encode_ssse3(const guint8 *data, gsize size, char *text)
{
    const __m128i spread = _mm_setr_epi8(SPREAD_GROUPS);
    const __m128i from_digit = _mm_setr_epi8(FROM_DIGIT);
    gsize done = 0;

    for (; size - done >= 16; done += 12, text += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(data + done));
        bytes = _mm_shuffle_epi8(bytes, spread);
        __m128i even = _mm_mulhi_epu16(_mm_and_si128(bytes, _mm_set1_epi32(0x0FC0FC00)),
                                       _mm_set1_epi32(0x04000040));
        __m128i odd = _mm_mullo_epi16(_mm_and_si128(bytes, _mm_set1_epi32(0x003F03F0)),
                                      _mm_set1_epi32(0x01000010));
        __m128i digits = _mm_or_si128(even, odd);

        /* 0 for 26-51, 1-12 for 52-63, 13 for 0-25 */
        __m128i is_upper = _mm_cmpgt_epi8(_mm_set1_epi8(26), digits);
        __m128i range = _mm_or_si128(_mm_subs_epu8(digits, _mm_set1_epi8(51)),
                                     _mm_and_si128(is_upper, _mm_set1_epi8(13)));
        _mm_storeu_si128((__m128i *)(void *)text,
                         _mm_add_epi8(digits, _mm_shuffle_epi8(from_digit, range)));
    }
    return done + encode_scalar(data + done, size - done, text);
}

__attribute__((target("avx2"))) static gsize
decode_avx2(const char *text, gsize length, guint8 *data)
{
    const __m256i low_nibbles = _mm256_setr_epi8(LOW_NIBBLES, LOW_NIBBLES);
    const __m256i high_nibbles = _mm256_setr_epi8(HIGH_NIBBLES, HIGH_NIBBLES);
    const __m256i to_digit = _mm256_setr_epi8(TO_DIGIT, TO_DIGIT);
    const __m256i gather = _mm256_setr_epi8(GATHER_GROUPS, GATHER_GROUPS);
    const __m256i join_lanes = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
    const __m256i nibble = _mm256_set1_epi8(0x0F);
    gsize done = 0;

    for (; length - done >= 32; done += 32, data += 24) {
        __m256i chars = _mm256_loadu_si256((const __m256i *)(const void *)(text + done));
        __m256i high = _mm256_and_si256(_mm256_srli_epi32(chars, 4), nibble);
        __m256i low = _mm256_and_si256(chars, nibble);
        if (!_mm256_testz_si256(_mm256_shuffle_epi8(low_nibbles, low),
                                _mm256_shuffle_epi8(high_nibbles, high)))
            break;

        __m256i is_slash = _mm256_cmpeq_epi8(chars, _mm256_set1_epi8('/'));
        __m256i roll = _mm256_shuffle_epi8(to_digit, _mm256_add_epi8(is_slash, high));
        __m256i digits = _mm256_add_epi8(chars, roll);
        __m256i pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi32(PAIRS));
        __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(GROUPS));
        groups = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(groups, gather), join_lanes);
        _mm256_storeu_si256((__m256i *)(void *)data, groups);
    }
    _mm256_zeroupper(); /* gcc forgets it, and the SSE code that follows would crawl */
    return done + decode_ssse3(text + done, length - done, data);
}

__attribute__((target("avx2"))) static gsize
encode_avx2(const guint8 *data, gsize size, char *text)
{
    const __m256i spread = _mm256_setr_epi8(SPREAD_GROUPS, SPREAD_GROUPS);
    const __m256i from_digit = _mm256_setr_epi8(FROM_DIGIT, FROM_DIGIT);
    gsize done = 0;

    for (; size - done >= 28; done += 24, text += 32) {
        const __m128i *low = (const __m128i *)(const void *)(data + done);
        const __m128i *high = (const __m128i *)(const void *)(data + done + 12);
        __m256i bytes = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)),
                                                _mm_loadu_si128(high), 1);
        bytes = _mm256_shuffle_epi8(bytes, spread);
        __m256i even = _mm256_mulhi_epu16(_mm256_and_si256(bytes, _mm256_set1_epi32(0x0FC0FC00)),
                                          _mm256_set1_epi32(0x04000040));
        __m256i odd = _mm256_mullo_epi16(_mm256_and_si256(bytes, _mm256_set1_epi32(0x003F03F0)),
                                         _mm256_set1_epi32(0x01000010));
        __m256i digits = _mm256_or_si256(even, odd);

        __m256i is_upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), digits);
        __m256i range = _mm256_or_si256(_mm256_subs_epu8(digits, _mm256_set1_epi8(51)),
                                        _mm256_and_si256(is_upper, _mm256_set1_epi8(13)));
        _mm256_storeu_si256((__m256i *)(void *)text,
                            _mm256_add_epi8(digits, _mm256_shuffle_epi8(from_digit, range)));
    }
    _mm256_zeroupper(); /* as above */
    return done + encode_ssse3(data + done, size - done, text);
}

static const QapiBase64Kernel ssse3 = { "ssse3", decode_ssse3, encode_ssse3 };
static const QapiBase64Kernel avx2 = { "avx2", decode_avx2, encode_avx2 };

const QapiBase64Kernel *
qapi_base64_kernel(guint number)
{
    static const QapiBase64Kernel *const kernels[] = { &avx2, &ssse3, &scalar };
    guint best = __builtin_cpu_supports("avx2") ? 0 : __builtin_cpu_supports("ssse3") ? 1 : 2;

    return best + number < G_N_ELEMENTS(kernels) ? kernels[best + number] : NULL;
}

#else

const QapiBase64Kernel *
qapi_base64_kernel(guint number)
{
    return number == 0 ? &scalar : NULL;
}

#endif

/* A group that is not filled yet. */
typedef struct {
    guint32 bits;
    guint n_chars;
    char last_but_one;
    char last;
} Group;

/* Returns how many bytes the character completed; they are stored at `data`. */
static gsize
add_to_group(Group *group, char c, guint8 *data)
{
    guint32 digit = c == '=' ? 0 : digit_plus_one[(guint8)c] - 1u;

    group->bits = group->bits << 6 | digit;
    group->last_but_one = group->last;
    group->last = c;
    if (++group->n_chars < 4)
        return 0;

    gsize size = 0;
    data[size++] = (guint8)(group->bits >> 16);
    if (group->last_but_one != '=')
        data[size++] = (guint8)(group->bits >> 8);
    if (group->last != '=')
        data[size++] = (guint8)group->bits;
    *group = (Group){ 0 };
    return size;
}

/* Decode by single characters up to the end of the group that holds the first one that is not
 * plain alphabet: until then no kernel would get further. */
static gboolean
decode_slowly(const char *text, gsize length, gsize *done, guint8 *data, gsize *size)
{
    Group group = { 0 };
    gboolean was_plain = TRUE;

    while (*done < length && (was_plain || group.n_chars)) {
        char c = text[(*done)++];
        gboolean is_plain = digit_plus_one[(guint8)c] != 0;
        if (!is_plain && c != '\n' && c != '=')
            return FALSE;
        was_plain = was_plain && is_plain;
        if (c != '\n')
            *size += add_to_group(&group, c, data + *size);
    }
    return TRUE;
}

gboolean
qapi_base64_decode_with(const QapiBase64Kernel *kernel, char *text, gsize length, gsize *ret_size)
{
    guint8 *data = (guint8 *)text;
    gsize done = 0, size = 0;

    while (done < length) {
        gsize plain = kernel->decode(text + done, length - done, data + size);
        done += plain;
        size += plain / 4 * 3;
        if (!decode_slowly(text, length, &done, data, &size))
            return FALSE;
    }
    *ret_size = size;
    return TRUE;
}

void
qapi_base64_encode_with(const QapiBase64Kernel *kernel, const void *data, gsize size, char *text)
{
    const guint8 *bytes = data;
    gsize done = kernel->encode(bytes, size, text);

    if (done == size)
        return;

    guint8 rest[3] = { bytes[done], size - done == 2 ? bytes[done + 1] : 0, 0 };
    text += done / 3 * 4;
    encode_scalar(rest, sizeof(rest), text);
    text[3] = '=';
    if (size - done == 1)
        text[2] = '=';
}

gboolean
qapi_base64_decode(char *text, gsize length, gsize *ret_size, GError **error)
{
    if (qapi_base64_decode_with(qapi_base64_kernel(0), text, length, ret_size))
        return TRUE;
    qapi_set_error(error, "Base64 data contains invalid characters");
    return FALSE;
}

void
qapi_base64_encode(const void *data, gsize size, char *text)
{
    qapi_base64_encode_with(qapi_base64_kernel(0), data, size, text);
}
