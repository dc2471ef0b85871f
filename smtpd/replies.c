#include "smtpd/replies.h"

#define REPLY_ROW(name, code, status, classes, words) { code, STR_ROW(status), STR_ROW(words), classes },
static const reply replies[REPLY_COUNT] = { REPLIES(REPLY_ROW) };

reply reply_of(reply_name name)
{
    return replies[name];
}
