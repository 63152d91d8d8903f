/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The push parser: a byte machine cuts the input into tokens, and each token
 * is counted, checked against the limits and fitted into the grammar at once.
 *
 * Surprising are the recovery, which counts brackets without matching them
 * (count_brackets()), and the positions, some of which are one column too far
 * to the right (Position): both are visible to clients, so both are upstream's.
 */
#include "runtime/qapi-parse.h"

#include <string.h>

#include "runtime/qapi-error.h"
#include "runtime/qapi-keyset.h"
#include "runtime/qapi-token.h"
#include "runtime/qapi-utf8.h"
#include "runtime/qapi-value-private.h"

/* Members up to which duplicates are found by comparing. */
#define FEW_MEMBERS 8

/* A chunk of QAPI_PARSE_MAX_BYTES and whatever its last token adds fits node offsets. */
G_STATIC_ASSERT(2 * (guint64)QAPI_PARSE_MAX_BYTES < G_MAXUINT32);

typedef enum {
    AS_OTHER, /* the same as for C_OTHER */
    START,
    DOUBLE,        /* in "..." */
    DOUBLE_ESCAPE, /* after a backslash */
    SINGLE,        /* in '...' */
    SINGLE_ESCAPE,
    SIGN,
    ZERO,
    DIGITS,
    POINT,
    FRACTION,
    EXPONENT,
    EXPONENT_SIGN,
    EXPONENT_DIGITS,
    KEYWORD,
    RECOVER, /* after a lexical error */
    N_STATES,

    /* Not states but what happens on a byte: it completes a token ... */
    PUNCTUATION = N_STATES,
    STRING,
    STRAY,
    /* ... or stands behind the end of one and is looked at again. */
    END_INTEGER,
    END_FLOAT,
    END_KEYWORD,
    END_RECOVER,

    /* Not in the table: an unfinished token that is too long. */
    OVERLONG,
} Step;

typedef enum {
    C_OTHER,   /* no state looks for it */
    C_CONTROL, /* what no state but RECOVER takes: 00-1F except the next two classes, FE, FF */
    C_TAB,
    C_NEWLINE, /* CR, LF */
    C_SPACE,
    C_DOUBLE,
    C_SINGLE,
    C_BACKSLASH,
    C_PUNCTUATION,
    C_PLUS,
    C_MINUS,
    C_POINT,
    C_ZERO,
    C_DIGIT,
    C_SMALL_E,
    C_BIG_E,
    C_LETTER, /* a-z except e */
    N_CLASSES,
} ByteClass;

#define PLAIN_PIECE 4096

/* Where the input stands: the column counts bytes since the last newline. A token is reported at
 * the column after the position noted when the previous one was done. When it took the byte behind
 * it to see that (a number, a keyword, the end of recovery), that byte was counted already. What
 * follows an overlong piece of a token is reported where that began. */
typedef struct {
    guint64 line;
    guint64 column;
} Position;

typedef enum {
    EXPECT_VALUE,
    EXPECT_ELEMENT_OR_END, /* after [ */
    EXPECT_KEY,
    EXPECT_KEY_OR_END, /* after { */
    EXPECT_COLON,
    EXPECT_SEPARATOR, /* or the end of what the innermost level is */
} Expectation;

/* An open list or object. */
typedef struct {
    guint32 node;
    guint32 n_children;
    gboolean is_duplicate; /* the member that is being read */
    QapiKeySet *keys;      /* of an object with more than FEW_MEMBERS */
} Level;

struct QapiParser {
    Position position;

    /* the token being read */
    Step state;
    Position token_start;
    gsize token_length;
    gsize token_offset; /* in the value's text, whose end it is */
    gboolean token_is_plain;

    /* recovery: brackets open, right or wrong, and whether tokens are just counted */
    guint64 n_braces;
    guint64 n_brackets;
    gboolean is_skipping;

    /* the value being read, NULL between values */
    QapiValue *value;
    gsize n_bytes;
    gsize n_tokens;
    Expectation expect;
    Level levels[QAPI_PARSE_MAX_DEPTH];
    guint n_levels;
};

static const guint8 class_of[256];
static const guint8 step_of[N_STATES][N_CLASSES];

static Position
position_after(Position position, guint8 byte)
{
    if (byte == '\n')
        return (Position){ position.line + 1, 0 };
    return (Position){ position.line, position.column + 1 };
}

/* Forget the partial value. */
static void
drop_value(QapiParser *parser)
{
    while (parser->n_levels)
        qapi_key_set_free(parser->levels[--parser->n_levels].keys);
    g_clear_pointer(&parser->value, qapi_value_unref);
}

static QapiNode *
add_node(QapiParser *parser, QapiNodeKind kind)
{
    return qapi_value_add_node(parser->value, kind);
}

/* The token's bytes are of no more use. */
static void
drop_token(QapiParser *parser)
{
    parser->value->text_size = parser->token_offset;
}

static char *
token_text(QapiParser *parser)
{
    return parser->value->text + parser->token_offset;
}

/* The token's bytes as a C string: just until they are dropped. */
static const char *
terminated_token(QapiParser *parser)
{
    qapi_value_append(parser->value, "", 1);
    return token_text(parser);
}

static gboolean
accept_string(QapiParser *parser, QapiProblem *problem)
{
    char *token = token_text(parser);
    gsize length = parser->token_length - 2;

    if (parser->token_is_plain)
        token[parser->token_length - 1] = '\0';
    else if (!qapi_token_unquote(token, parser->token_length, &length, problem))
        return FALSE;

    QapiNode *node = add_node(parser, QAPI_NODE_STRING);
    node->string.offset = (guint32)parser->token_offset + 1;
    node->string.length = (guint32)length;
    parser->value->text_size = parser->token_offset + 1 + length + 1;
    return TRUE;
}

static gboolean
value_done(QapiParser *parser, QapiProblem *problem)
{
    parser->expect = EXPECT_SEPARATOR;
    if (!parser->n_levels)
        return TRUE;

    Level *level = &parser->levels[parser->n_levels - 1];
    if (level->is_duplicate)
        return qapi_problem(problem, "duplicate key");
    level->n_children++;
    return TRUE;
}

static gboolean
open_level(QapiParser *parser, QapiNodeKind kind)
{
    add_node(parser, kind);
    parser->levels[parser->n_levels++] = (Level){ .node = parser->value->n_nodes - 1 };
    parser->expect = kind == QAPI_NODE_OBJECT ? EXPECT_KEY_OR_END : EXPECT_ELEMENT_OR_END;
    return TRUE;
}

static gboolean
close_level(QapiParser *parser, QapiProblem *problem)
{
    Level *level = &parser->levels[--parser->n_levels];
    QapiNode *node = &parser->value->nodes[level->node];

    node->n_children = level->n_children;
    node->skip = parser->value->n_nodes - level->node;
    qapi_key_set_free(level->keys);
    return value_done(parser, problem);
}

static gboolean
is_among_few(const QapiValue *value, const Level *level, const QapiNode *key)
{
    const QapiNode *other = &value->nodes[level->node] + 1;

    for (; other < key; other = qapi_node_next(other + 1))
        if (other->string.length == key->string.length &&
            !memcmp(qapi_node_text(value, other), qapi_node_text(value, key), key->string.length))
            return TRUE;
    return FALSE;
}

static QapiKeySet *
collect_keys(QapiParser *parser, const Level *level)
{
    const QapiNode *nodes = parser->value->nodes;
    const QapiNode *key = &nodes[level->node] + 1;
    QapiKeySet *keys = qapi_key_set_new();

    for (guint32 left = level->n_children; left; left--) {
        qapi_key_set_add(keys, parser->value, (guint32)(key - nodes));
        key = qapi_node_next(key + 1);
    }
    return keys;
}

static gboolean
is_duplicate(QapiParser *parser, Level *level)
{
    guint32 key = parser->value->n_nodes - 1;

    if (level->n_children < FEW_MEMBERS)
        return is_among_few(parser->value, level, &parser->value->nodes[key]);
    if (!level->keys)
        level->keys = collect_keys(parser, level);
    return !qapi_key_set_add(level->keys, parser->value, key);
}

/* A token by its first byte where that is unique. */
typedef enum {
    TOKEN_OPEN_OBJECT = '{',
    TOKEN_CLOSE_OBJECT = '}',
    TOKEN_OPEN_LIST = '[',
    TOKEN_CLOSE_LIST = ']',
    TOKEN_COMMA = ',',
    TOKEN_COLON = ':',
    TOKEN_STRING = '"',
    TOKEN_INTEGER = '0',
    TOKEN_FLOAT = '.',
    TOKEN_KEYWORD = 'a',
    TOKEN_STRAY = '@',
    TOKEN_OVERLONG = '~', /* always too large, so never looked at */
} Token;

static gboolean
accept_value(QapiParser *parser, Token token, QapiProblem *problem)
{
    switch (token) {
    case TOKEN_OPEN_OBJECT:
        drop_token(parser);
        return open_level(parser, QAPI_NODE_OBJECT);
    case TOKEN_OPEN_LIST:
        drop_token(parser);
        return open_level(parser, QAPI_NODE_LIST);
    case TOKEN_STRING:
        return accept_string(parser, problem) && value_done(parser, problem);
    case TOKEN_INTEGER:
        qapi_token_integer(terminated_token(parser), add_node(parser, QAPI_NODE_INT64));
        break;
    case TOKEN_FLOAT:
        qapi_token_float(terminated_token(parser), add_node(parser, QAPI_NODE_DOUBLE));
        break;
    case TOKEN_KEYWORD:
        if (!qapi_token_keyword(token_text(parser), parser->token_length,
                                add_node(parser, QAPI_NODE_NULL), problem))
            return FALSE;
        break;
    default:
        return qapi_problem(problem, "expecting value");
    }
    drop_token(parser);
    return value_done(parser, problem);
}

static gboolean
accept_key(QapiParser *parser, Token token, QapiProblem *problem)
{
    Level *level = &parser->levels[parser->n_levels - 1];

    if (token != TOKEN_STRING)
        return qapi_problem(problem, "expecting key");
    if (!accept_string(parser, problem))
        return FALSE;

    level->is_duplicate = is_duplicate(parser, level);
    parser->expect = EXPECT_COLON;
    return TRUE;
}

static gboolean
accept_separator(QapiParser *parser, Token token, QapiProblem *problem)
{
    const Level *level = &parser->levels[parser->n_levels - 1];
    gboolean in_object = parser->value->nodes[level->node].kind == QAPI_NODE_OBJECT;
    Token end = in_object ? TOKEN_CLOSE_OBJECT : TOKEN_CLOSE_LIST;

    drop_token(parser);
    if (token == end)
        return close_level(parser, problem);
    if (token != TOKEN_COMMA)
        return qapi_problem(problem, "expected ',' or '%c'", end);
    parser->expect = in_object ? EXPECT_KEY : EXPECT_VALUE;
    return TRUE;
}

static gboolean
accept_token(QapiParser *parser, Token token, QapiProblem *problem)
{
    if (token == TOKEN_STRAY)
        return qapi_problem(problem, "stray '%.*s'", (gint)MIN(parser->token_length, G_MAXINT),
                            terminated_token(parser));

    switch (parser->expect) {
    case EXPECT_ELEMENT_OR_END:
        if (token == TOKEN_CLOSE_LIST)
            return accept_separator(parser, token, problem);
        return accept_value(parser, token, problem);
    case EXPECT_VALUE:
        return accept_value(parser, token, problem);
    case EXPECT_KEY_OR_END:
        if (token == TOKEN_CLOSE_OBJECT)
            return accept_separator(parser, token, problem);
        return accept_key(parser, token, problem);
    case EXPECT_KEY:
        return accept_key(parser, token, problem);
    case EXPECT_COLON:
        drop_token(parser);
        if (token != TOKEN_COLON)
            return qapi_problem(problem, "expecting ':'");
        parser->expect = EXPECT_VALUE;
        return TRUE;
    case EXPECT_SEPARATOR:
        return accept_separator(parser, token, problem);
    }
    g_return_val_if_reached(FALSE);
}

/* Whether a value is complete, or given up, is decided by counting alone: what fits nowhere
 * resets both counts. */
static void
count_brackets(QapiParser *parser, Token token)
{
    gboolean is_lost = token == TOKEN_STRAY;

    if (token == TOKEN_OPEN_OBJECT)
        parser->n_braces++;
    else if (token == TOKEN_OPEN_LIST)
        parser->n_brackets++;
    else if (token == TOKEN_CLOSE_OBJECT && !parser->n_braces--)
        is_lost = TRUE;
    else if (token == TOKEN_CLOSE_LIST && !parser->n_brackets--)
        is_lost = TRUE;

    if (is_lost)
        parser->n_braces = parser->n_brackets = 0;
}

static const char *
exceeded_limit(QapiParser *parser)
{
    parser->n_bytes += parser->token_length;
    parser->n_tokens++;

    if (parser->n_bytes >= QAPI_PARSE_MAX_BYTES)
        return "JSON token size limit exceeded";
    if (parser->n_tokens > QAPI_PARSE_MAX_TOKENS)
        return "JSON token count limit exceeded";
    if (parser->n_braces + parser->n_brackets > QAPI_PARSE_MAX_DEPTH)
        return "JSON nesting depth limit exceeded";
    return NULL;
}

static gboolean
take_token(QapiParser *parser, Token token, GError **error)
{
    const char *limit = exceeded_limit(parser);
    QapiProblem problem;

    if (limit) {
        qapi_set_error(error, "%s", limit);
        return FALSE;
    }
    if (accept_token(parser, token, &problem))
        return TRUE;

    qapi_set_error(error, "%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ": JSON parse error, %s",
                   parser->token_start.line, parser->token_start.column + 1, problem.text);
    return FALSE;
}

static QapiParseResult
token_done(QapiParser *parser, Token token, QapiValue **ret_value, GError **error)
{
    QapiParseResult result = QAPI_PARSE_MORE;

    count_brackets(parser, token);
    if (!parser->is_skipping && !take_token(parser, token, error)) {
        drop_value(parser);
        parser->is_skipping = TRUE;
        result = QAPI_PARSE_ERROR;
    }

    if (!parser->n_braces && !parser->n_brackets) {
        if (parser->value) {
            *ret_value = g_steal_pointer(&parser->value);
            result = QAPI_PARSE_VALUE;
        }
        parser->is_skipping = FALSE;
        parser->n_bytes = 0;
        parser->n_tokens = 0;
        parser->expect = EXPECT_VALUE;
    }
    return result;
}

static void
begin_token(QapiParser *parser)
{
    parser->token_length = 0;
    parser->token_is_plain = TRUE;
    if (parser->is_skipping)
        return;

    if (!parser->value)
        parser->value = qapi_value_new();
    parser->token_offset = parser->value->text_size;
}

/* Bytes that nobody will look at are just counted: those of skipped tokens, and those that
 * exceed the limit, which is complained about before anything else. */
static void
extend_token(QapiParser *parser, const void *bytes, gsize size)
{
    parser->token_length += size;
    if (!parser->is_skipping && parser->n_bytes + parser->token_length < QAPI_PARSE_MAX_BYTES)
        qapi_value_append(parser->value, bytes, size);
}

/* Take as much of a string as needs no look at single bytes: by pieces, so that what was scanned is
 * still in the first-level cache when it is copied. */
static gsize
take_plain_run(QapiParser *parser, const char *bytes, gsize size)
{
    char quote = parser->state == DOUBLE ? '"' : '\'';
    gsize most = MIN(size, QAPI_PARSE_MAX_BYTES - parser->token_length);
    gsize taken = 0, length;

    do {
        length = qapi_plain_length(bytes + taken, MIN(most - taken, PLAIN_PIECE), quote);
        extend_token(parser, bytes + taken, length);
        taken += length;
    } while (length == PLAIN_PIECE);
    parser->position.column += taken;
    return taken;
}

static Token
token_of(Step step, guint8 byte)
{
    switch (step) {
    case PUNCTUATION:
        return byte;
    case STRING:
        return TOKEN_STRING;
    case END_INTEGER:
        return TOKEN_INTEGER;
    case END_FLOAT:
        return TOKEN_FLOAT;
    case END_KEYWORD:
        return TOKEN_KEYWORD;
    case OVERLONG:
        return TOKEN_OVERLONG;
    default:
        return TOKEN_STRAY;
    }
}

/* A byte that shows the token before it, or the recovery, to be over. */
static QapiParseResult
look_at_byte(QapiParser *parser, Step step, guint8 byte, QapiValue **ret_value, GError **error)
{
    QapiParseResult result = QAPI_PARSE_MORE;

    if (step != END_RECOVER)
        result = token_done(parser, token_of(step, byte), ret_value, error);
    parser->state = START;
    parser->token_start = position_after(parser->position, byte);
    return result;
}

static QapiParseResult
take_byte(QapiParser *parser, Step step, guint8 byte, QapiValue **ret_value, GError **error)
{
    QapiParseResult result = QAPI_PARSE_MORE;
    Step state = parser->state;

    parser->position = position_after(parser->position, byte);
    parser->state = step;
    if (state == RECOVER)
        return result;
    if (step == START) {
        parser->token_start = parser->position;
        return result;
    }

    if (state == START)
        begin_token(parser);
    else if (step == state || step == DOUBLE_ESCAPE || step == SINGLE_ESCAPE)
        parser->token_is_plain = FALSE;
    extend_token(parser, &byte, 1);
    if (step < N_STATES && parser->token_length > QAPI_PARSE_MAX_BYTES)
        step = OVERLONG;
    if (step < N_STATES)
        return result;

    result = token_done(parser, token_of(step, byte), ret_value, error);
    parser->state = step == STRAY ? RECOVER : START;
    if (step != OVERLONG)
        parser->token_start = parser->position;
    return result;
}

QapiParseResult
qapi_parser_push(QapiParser *parser, const void *data, gsize size, gsize *ret_consumed,
                 QapiValue **ret_value, GError **error)
{
    QapiParseResult result = QAPI_PARSE_MORE;
    const guint8 *bytes = data;
    gsize at = 0;

    while (at < size && result == QAPI_PARSE_MORE) {
        if (parser->state == DOUBLE || parser->state == SINGLE)
            at += take_plain_run(parser, (const char *)bytes + at, size - at);
        if (at == size)
            break;

        guint8 byte = bytes[at];
        const guint8 *steps = step_of[parser->state];
        Step step = steps[class_of[byte]];
        if (step == AS_OTHER)
            step = steps[C_OTHER];
        if (step >= END_INTEGER) {
            result = look_at_byte(parser, step, byte, ret_value, error);
        } else {
            result = take_byte(parser, step, byte, ret_value, error);
            at++;
        }
    }
    *ret_consumed = at;
    return result;
}

QapiParser *
qapi_parser_new(void)
{
    QapiParser *parser = g_new0(QapiParser, 1);

    parser->state = START;
    parser->expect = EXPECT_VALUE;
    parser->position.line = 1;
    parser->token_start = parser->position;
    return parser;
}

void
qapi_parser_free(QapiParser *parser)
{
    if (!parser)
        return;

    drop_value(parser);
    g_free(parser);
}

QapiValue *
qapi_parse(const void *text, gsize size, GError **error)
{
    g_autoptr(QapiParser) parser = qapi_parser_new();
    g_autoptr(QapiValue) value = NULL;
    g_autoptr(QapiValue) other = NULL;
    gsize consumed, rest;

    QapiParseResult result = qapi_parser_push(parser, text, size, &consumed, &value, error);
    /* A number at the very end is complete only once something follows. */
    if (result == QAPI_PARSE_MORE)
        result = qapi_parser_push(parser, "\n", 1, &rest, &value, error);
    if (result == QAPI_PARSE_ERROR)
        return NULL;
    if (result == QAPI_PARSE_MORE) {
        qapi_set_error(error, "JSON text is incomplete");
        return NULL;
    }

    result = qapi_parser_push(parser, (const char *)text + consumed, size - consumed, &rest, &other,
                              NULL);
    if (result != QAPI_PARSE_MORE || parser->state != START || parser->value) {
        qapi_set_error(error, "JSON text is followed by something else");
        return NULL;
    }
    return g_steal_pointer(&value);
}

static const guint8 class_of[256] = {
    [0x00 ... 0x08] = C_CONTROL,
    [0x0B ... 0x0C] = C_CONTROL,
    [0x0E ... 0x1F] = C_CONTROL,
    [0xFE ... 0xFF] = C_CONTROL,
    ['a' ... 'd'] = C_LETTER,
    ['f' ... 'z'] = C_LETTER,
    ['1' ... '9'] = C_DIGIT,
    ['0'] = C_ZERO,
    ['e'] = C_SMALL_E,
    ['E'] = C_BIG_E,
    ['\t'] = C_TAB,
    ['\n'] = C_NEWLINE,
    ['\r'] = C_NEWLINE,
    [' '] = C_SPACE,
    ['"'] = C_DOUBLE,
    ['\''] = C_SINGLE,
    ['\\'] = C_BACKSLASH,
    ['{'] = C_PUNCTUATION,
    ['}'] = C_PUNCTUATION,
    ['['] = C_PUNCTUATION,
    [']'] = C_PUNCTUATION,
    [':'] = C_PUNCTUATION,
    [','] = C_PUNCTUATION,
    ['+'] = C_PLUS,
    ['-'] = C_MINUS,
    ['.'] = C_POINT,
};

static const guint8 step_of[N_STATES][N_CLASSES] = {
    [START] = {
        [C_OTHER] = STRAY,
        [C_TAB] = START,
        [C_NEWLINE] = START,
        [C_SPACE] = START,
        [C_DOUBLE] = DOUBLE,
        [C_SINGLE] = SINGLE,
        [C_PUNCTUATION] = PUNCTUATION,
        [C_MINUS] = SIGN,
        [C_ZERO] = ZERO,
        [C_DIGIT] = DIGITS,
        [C_SMALL_E] = KEYWORD,
        [C_LETTER] = KEYWORD,
    },
    [DOUBLE] = {
        [C_OTHER] = DOUBLE,
        [C_CONTROL] = STRAY,
        [C_TAB] = STRAY,
        [C_NEWLINE] = STRAY,
        [C_BACKSLASH] = DOUBLE_ESCAPE,
        [C_DOUBLE] = STRING,
    },
    [DOUBLE_ESCAPE] = {
        [C_OTHER] = DOUBLE,
        [C_CONTROL] = STRAY,
        [C_TAB] = STRAY,
        [C_NEWLINE] = STRAY,
    },
    [SINGLE] = {
        [C_OTHER] = SINGLE,
        [C_CONTROL] = STRAY,
        [C_TAB] = STRAY,
        [C_NEWLINE] = STRAY,
        [C_BACKSLASH] = SINGLE_ESCAPE,
        [C_SINGLE] = STRING,
    },
    [SINGLE_ESCAPE] = {
        [C_OTHER] = SINGLE,
        [C_CONTROL] = STRAY,
        [C_TAB] = STRAY,
        [C_NEWLINE] = STRAY,
    },
    [SIGN] = {
        [C_OTHER] = STRAY,
        [C_ZERO] = ZERO,
        [C_DIGIT] = DIGITS,
    },
    [ZERO] = {
        /* No exponent: upstream reads 0e5 as 0 and then e5. */
        [C_OTHER] = END_INTEGER,
        [C_ZERO] = STRAY,
        [C_DIGIT] = STRAY,
        [C_POINT] = POINT,
    },
    [DIGITS] = {
        [C_OTHER] = END_INTEGER,
        [C_ZERO] = DIGITS,
        [C_DIGIT] = DIGITS,
        [C_POINT] = POINT,
        [C_SMALL_E] = EXPONENT,
        [C_BIG_E] = EXPONENT,
    },
    [POINT] = {
        [C_OTHER] = STRAY,
        [C_ZERO] = FRACTION,
        [C_DIGIT] = FRACTION,
    },
    [FRACTION] = {
        [C_OTHER] = END_FLOAT,
        [C_ZERO] = FRACTION,
        [C_DIGIT] = FRACTION,
        [C_SMALL_E] = EXPONENT,
        [C_BIG_E] = EXPONENT,
    },
    [EXPONENT] = {
        [C_OTHER] = STRAY,
        [C_PLUS] = EXPONENT_SIGN,
        [C_MINUS] = EXPONENT_SIGN,
        [C_ZERO] = EXPONENT_DIGITS,
        [C_DIGIT] = EXPONENT_DIGITS,
    },
    [EXPONENT_SIGN] = {
        [C_OTHER] = STRAY,
        [C_ZERO] = EXPONENT_DIGITS,
        [C_DIGIT] = EXPONENT_DIGITS,
    },
    [EXPONENT_DIGITS] = {
        [C_OTHER] = END_FLOAT,
        [C_ZERO] = EXPONENT_DIGITS,
        [C_DIGIT] = EXPONENT_DIGITS,
    },
    [KEYWORD] = {
        [C_OTHER] = END_KEYWORD,
        [C_SMALL_E] = KEYWORD,
        [C_LETTER] = KEYWORD,
    },
    [RECOVER] = {
        [C_OTHER] = RECOVER,
        [C_CONTROL] = END_RECOVER,
        [C_NEWLINE] = END_RECOVER,
        [C_PUNCTUATION] = END_RECOVER,
    },
};
