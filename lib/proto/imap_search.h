/* The program of SEARCH (RFC 3501 6.4.4) as a flat array in prefix order: a node's subtree is the nodes from it up
 * to `end`. Neither reading nor evaluating recurses, however deep NOT, OR and parentheses nest. Lives in the
 * command's arena. */
#pragma once
#include "proto/imap_lexer.h"
#include "proto/imap_set.h"

enum { IMAP_SEARCH_NODES_MAX = 10000 };

typedef enum imap_search_key {
    IMAP_SEARCH_AND, /* children: node + 1, its end, … up to this node's end; at least one */
    IMAP_SEARCH_OR,  /* two children */
    IMAP_SEARCH_NOT, /* one child */
    IMAP_SEARCH_ALL,
    IMAP_SEARCH_FLAG,    /* number: message flag bit (proto/imap_flags.h); is_unset: UNSEEN and its like */
    IMAP_SEARCH_KEYWORD, /* text; is_unset: UNKEYWORD */
    IMAP_SEARCH_NEW,
    IMAP_SEARCH_OLD,
    IMAP_SEARCH_RECENT,
    IMAP_SEARCH_SET,    /* set of sequence numbers */
    IMAP_SEARCH_UID,    /* set */
    IMAP_SEARCH_BEFORE, /* day: INTERNALDATE */
    IMAP_SEARCH_ON,
    IMAP_SEARCH_SINCE,
    IMAP_SEARCH_SENTBEFORE, /* day: the Date: field */
    IMAP_SEARCH_SENTON,
    IMAP_SEARCH_SENTSINCE,
    IMAP_SEARCH_LARGER, /* number: bytes */
    IMAP_SEARCH_SMALLER,
    IMAP_SEARCH_HEADER, /* field, text; also BCC, CC, FROM, SUBJECT, TO; text empty: the field exists */
    IMAP_SEARCH_BODY,   /* text */
    IMAP_SEARCH_TEXT,   /* text */
} imap_search_key;

typedef struct imap_search_node {
    imap_search_key key;
    bool is_unset;
    uint32_t parent; /* of the first node: itself */
    uint32_t end;    /* index behind the subtree */
    str field, text;
    uint64_t number;
    int64_t day; /* since 1970 */
    imap_set set;
} imap_search_node;

typedef struct imap_search {
    str charset;             /* empty: none given, US-ASCII */
    imap_search_node *nodes; /* the first is an AND of all keys */
    size_t n;
} imap_search;

/* "[CHARSET name SP] key *(SP key)" up to the end of the command. */
bool imap_search_parse(imap_lexer *l, imap_search *out);

/* Evaluates for one message: `test` is asked for leaves only, from left to right, and no more often than needed. */
typedef bool (*imap_search_test)(void *context, const imap_search_node *leaf);
bool imap_search_matches(const imap_search *s, imap_search_test test, void *context);
