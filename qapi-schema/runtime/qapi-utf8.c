/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modified UTF-8, and the search for the end of a plain run, which is where a
 * parser or writer of 64 MiB strings spends its time: hence a block at a time.
 */
#include "runtime/qapi-utf8.h"

#include <string.h>

static inline gboolean
is_plain(char byte, char quote)
{
    return byte >= 0x20 && byte < 0x7F && byte != quote && byte != '\\';
}

/* Each variant answers: how many bytes of this block are plain, counted from its start? Bytes
 * from 0x80 on are negative where they are compared as signed ones. */

#if defined(__SSE2__)
#include <emmintrin.h>

#define BLOCK 16

static inline guint
plain_in_block(const char *text, char quote)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
    __m128i end = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(quote));
    __m128i escape = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    __m128i special = _mm_or_si128(_mm_or_si128(low, del), _mm_or_si128(end, escape));
    guint mask = (guint)_mm_movemask_epi8(special);

    return mask ? (guint)__builtin_ctz(mask) : BLOCK;
}

#elif defined(__aarch64__)
#include <arm_neon.h>

#define BLOCK 16

static inline guint
plain_in_block(const char *text, char quote)
{
    int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8((const guint8 *)text));
    uint8x16_t low = vcltq_s8(bytes, vdupq_n_s8(0x20));
    uint8x16_t del = vceqq_s8(bytes, vdupq_n_s8(0x7F));
    uint8x16_t end = vceqq_s8(bytes, vdupq_n_s8((gint8)quote));
    uint8x16_t escape = vceqq_s8(bytes, vdupq_n_s8('\\'));
    uint8x16_t special = vorrq_u8(vorrq_u8(low, del), vorrq_u8(end, escape));
    /* NEON has no movemask: shifting narrows each byte to a nibble of a 64-bit number. */
    guint64 mask = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(special), 4)),
                                 0);

    return mask ? (guint)__builtin_ctzll(mask) / 4 : BLOCK;
}

#else

#define BLOCK 8
#define EACH(byte) ((guint64)(byte)*G_GUINT64_CONSTANT(0x0101010101010101))

/* The high bit of the lowest byte that is smaller than `bound` is set; others may be, too. */
static inline guint64
bytes_below(guint64 bytes, guint8 bound)
{
    return (bytes - EACH(bound)) & ~bytes;
}

static inline guint
plain_in_block(const char *text, char quote)
{
    guint64 bytes;
    memcpy(&bytes, text, sizeof(bytes));
    guint64 special = bytes | bytes_below(bytes, 0x20) | bytes_below(bytes ^ EACH(0x7F), 1) |
                      bytes_below(bytes ^ EACH((guint8)quote), 1) |
                      bytes_below(bytes ^ EACH('\\'), 1);
    if (!(special & EACH(0x80)))
        return BLOCK;

    guint plain = 0;
    while (is_plain(text[plain], quote))
        plain++;
    return plain;
}

#endif

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define WIDE_BLOCK 64

static inline gboolean
has_wide_blocks(gsize size)
{
    return size >= WIDE_BLOCK && __builtin_cpu_supports("avx2");
}

__attribute__((target("avx2"))) static inline __m256i
specials_of(const char *text, __m256i quotes)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)text);
    __m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes);
    __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7F));
    __m256i end = _mm256_cmpeq_epi8(bytes, quotes);
    __m256i escape = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'));

    return _mm256_or_si256(_mm256_or_si256(low, del), _mm256_or_si256(end, escape));
}

/* Whole blocks that are plain, from the start. */
__attribute__((target("avx2"))) static gsize
plain_wide_blocks(const char *text, gsize size, char quote)
{
    const __m256i quotes = _mm256_set1_epi8(quote);
    gsize length = 0;

    while (size - length >= WIDE_BLOCK) {
        __m256i first = specials_of(text + length, quotes);
        __m256i second = specials_of(text + length + WIDE_BLOCK / 2, quotes);
        if (_mm256_movemask_epi8(_mm256_or_si256(first, second)))
            break;
        length += WIDE_BLOCK;
    }
    _mm256_zeroupper(); /* gcc forgets it, and the SSE code that follows would crawl */
    return length;
}

#else

static inline gboolean
has_wide_blocks(G_GNUC_UNUSED gsize size)
{
    return FALSE;
}

static inline gsize
plain_wide_blocks(G_GNUC_UNUSED const char *text, G_GNUC_UNUSED gsize size,
                  G_GNUC_UNUSED char quote)
{
    return 0;
}

#endif

gsize
qapi_plain_length(const char *text, gsize size, char quote)
{
    gsize length = has_wide_blocks(size) ? plain_wide_blocks(text, size, quote) : 0;

    while (size - length >= BLOCK) {
        guint plain = plain_in_block(text + length, quote);
        length += plain;
        if (plain < BLOCK)
            return length;
    }
    while (length < size && is_plain(text[length], quote))
        length++;
    return length;
}

gboolean
qapi_is_character(guint32 code)
{
    gboolean is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    gboolean is_nonchar = (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;

    return code <= 0x10FFFF && !is_surrogate && !is_nonchar;
}

/* Continuation bytes that a lead byte announces; -1 if it is none. */
static gint
announced_by(guint8 lead)
{
    if (lead < 0x80)
        return 0;
    if (lead < 0xC0)
        return -1;
    if (lead < 0xE0)
        return 1;
    if (lead < 0xF0)
        return 2;
    if (lead < 0xF8)
        return 3;
    if (lead < 0xFC)
        return 4;
    return lead < 0xFE ? 5 : -1;
}

gint32
qapi_utf8_decode(const char *text, gsize size, gsize *ret_length)
{
    /* The smallest code that needs that many continuation bytes: smaller ones are overlong. */
    static const guint32 smallest[] = { 0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000 };
    guint8 lead = (guint8)text[0];
    gint announced = announced_by(lead);
    gint present = 0;

    if (announced <= 0) {
        *ret_length = 1;
        return announced < 0 ? -1 : lead;
    }

    guint32 code = lead & (0x3Fu >> announced);
    while (present < announced && (gsize)present + 1 < size &&
           ((guint8)text[present + 1] & 0xC0) == 0x80)
        code = code << 6 | ((guint8)text[++present] & 0x3F);

    *ret_length = (gsize)present + 1;
    if (present < announced)
        return -1;
    if (announced == 1 && code == 0)
        return 0;
    return code >= smallest[announced] && qapi_is_character(code) ? (gint32)code : -1;
}

gsize
qapi_utf8_encode(guint32 code, char *text)
{
    if (code == 0) {
        memcpy(text, "\xC0\x80", 2);
        return 2;
    }
    return (gsize)g_unichar_to_utf8(code, text);
}
