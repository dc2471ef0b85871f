/* SOURCES:  NEEDS: proto */
#include "proto/line.h"
#include "proto/pop3_command.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    line_reader r = line_reader_new(POP3_COMMAND_MAX, true);
    str in = { (const char *)data, n }, line;
    pop3_command c;
    size_t used;

    pop3_command_parse(in, &c);
    for (parse p = PARSE_DONE; p != PARSE_MORE; in = str_from(in, used)) {
        p = line_read(&r, in, &line, &used);
        if (p != PARSE_DONE)
            continue;
        bool good = pop3_command_parse(line, &c) == PARSE_DONE;
        if (good != (c.problem == NULL) || (good && (c.verb == POP3_UNKNOWN || c.legal_in == 0)))
            abort();
        if (c.has_number && c.number == 0)
            abort();
    }
    return 0;
}
