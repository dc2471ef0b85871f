/* What a parser says of its input. Input may be split anywhere. */
#pragma once

typedef enum parse {
    PARSE_DONE, /* the output is set */
    PARSE_MORE, /* right so far: call again with more bytes */
    PARSE_BAD,  /* no continuation can make it right */
} parse;
