/* A load of SMTP connections, each with one message, from several processes; compiled by t/bench/smtp when it runs.
 *
 *   load PORT PROCESSES MESSAGES BYTES RECIPIENT [tls [resume]]
 *
 * RECIPIENT has one %d for the number of a user, 1 to 100 in turn, or none. Prints what failed and ends with 1 if anything did. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USERS = 100, LINE_BYTES = 78 };

typedef struct {
    struct sockaddr_in server;
    int processes, messages;
    const char *recipient;
    bool tls, resume;
    char *body; /* with the dot line */
    size_t body_bytes;
} load;

typedef struct {
    int fd;
    SSL *ssl;
    char in[8192];
} connection;

/* Digits only; anything else is the caller's mistake and counts as 0. */
static unsigned number_read(const char *text)
{
    unsigned n = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        n = n * 10 + (unsigned)(*text - '0');
    }
    return *text ? 0 : n;
}

static bool is_sent(connection *c, const char *p, size_t n)
{
    while (n > 0) {
        int done = c->ssl ? SSL_write(c->ssl, p, (int)n) : (int)write(c->fd, p, n);
        if (done <= 0) {
            return false;
        }
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* The last line of a reply has a space after its code. */
static bool is_reply_whole(const char *in, size_t n)
{
    if (n < 5 || in[n - 1] != '\n') {
        return false;
    }
    size_t start = n - 1;
    while (start > 0 && in[start - 1] != '\n') {
        start--;
    }
    return n - start > 4 && in[start + 3] == ' ';
}

static char reply_class(connection *c)
{
    size_t n = 0;
    while (n < sizeof c->in) {
        int got = c->ssl ? SSL_read(c->ssl, c->in + n, (int)(sizeof c->in - n))
                         : (int)read(c->fd, c->in + n, sizeof c->in - n);
        if (got <= 0) {
            return 0;
        }
        n += (size_t)got;
        if (is_reply_whole(c->in, n)) {
            return c->in[0];
        }
    }
    return 0;
}

static bool is_accepted(connection *c, const char *command, char class)
{
    return is_sent(c, command, strlen(command)) && reply_class(c) == class;
}

static bool is_connected(connection *c, const load *l)
{
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    return c->fd >= 0 && setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
           connect(c->fd, (const struct sockaddr *)&l->server, sizeof l->server) == 0 && reply_class(c) == '2' &&
           is_accepted(c, "EHLO client.example\r\n", '2');
}

static bool is_secured(connection *c, SSL_CTX *context, SSL_SESSION *session)
{
    if (!is_accepted(c, "STARTTLS\r\n", '2')) {
        return false;
    }
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, c->fd);
    if (session) {
        SSL_set_session(ssl, session);
    }
    if (SSL_connect(ssl) != 1) {
        SSL_free(ssl);
        return false;
    }
    c->ssl = ssl;
    return is_accepted(c, "EHLO client.example\r\n", '2');
}

static bool is_message_taken(connection *c, const load *l, int user)
{
    char to[300];
    char command[320];
    const char *mark = strstr(l->recipient, "%d");
    int head = mark ? (int)(mark - l->recipient) : (int)strlen(l->recipient);
    if (mark) {
        snprintf(to, sizeof to, "%.*s%d%s", head, l->recipient, user, mark + 2);
    } else {
        snprintf(to, sizeof to, "%s", l->recipient);
    }
    snprintf(command, sizeof command, "RCPT TO:<%s>\r\n", to);
    return is_accepted(c, "MAIL FROM:<sender@sender.example>\r\n", '2') && is_accepted(c, command, '2') &&
           is_accepted(c, "DATA\r\n", '3') && is_sent(c, l->body, l->body_bytes) && reply_class(c) == '2' &&
           is_accepted(c, "QUIT\r\n", '2');
}

static bool is_delivered(const load *l, int number, SSL_CTX *context, SSL_SESSION **session)
{
    connection c = { .fd = -1 };
    bool good = is_connected(&c, l) && (!l->tls || is_secured(&c, context, *session)) &&
                is_message_taken(&c, l, number % USERS + 1);
    if (c.ssl) {
        if (good && l->resume) {
            SSL_SESSION_free(*session);
            *session = SSL_get1_session(c.ssl); /* TLS 1.3 gives its tickets with the first data */
        }
        SSL_shutdown(c.ssl);
        SSL_free(c.ssl);
    }
    if (c.fd >= 0) {
        close(c.fd);
    }
    return good;
}

/* Messages first, first + step, ... of all. Returns the exit status. */
static int share_send(const load *l, int first, int step)
{
    SSL_CTX *context = l->tls ? SSL_CTX_new(TLS_client_method()) : NULL;
    SSL_SESSION *session = NULL;
    int failed = 0;
    if (context != NULL) {
        SSL_CTX_set_read_ahead(context, 1); /* one read for a record, not one for its head: the load shares the machine */
    }
    for (int i = first; i < l->messages; i += step) {
        failed += !is_delivered(l, i, context, &session);
    }
    if (failed > 0) {
        fprintf(stderr, "load: %d messages failed\n", failed);
    }
    return failed > 0;
}

static void body_make(load *l, size_t bytes)
{
    static const char head[] = "Subject: load\r\n\r\n";
    l->body = malloc(bytes + sizeof head + 8);
    memcpy(l->body, head, sizeof head - 1);
    size_t n = sizeof head - 1;
    for (size_t column = 0; n + 2 < bytes; column = (column + 1) % (LINE_BYTES + 1)) {
        if (column == LINE_BYTES) {
            l->body[n++] = '\r';
            l->body[n++] = '\n';
        } else {
            l->body[n++] = 'x';
        }
    }
    memcpy(l->body + n, "\r\n.\r\n", 5);
    l->body_bytes = n + 5;
}

/* Returns how many of the processes ended with an error. */
static int processes_run(const load *l)
{
    for (int p = 0; p < l->processes; p++) {
        if (fork() == 0) {
            _exit(share_send(l, p, l->processes));
        }
    }
    int status = 0;
    int failed = 0;
    while (wait(&status) > 0) {
        failed += status != 0;
    }
    return failed;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: load PORT PROCESSES MESSAGES BYTES RECIPIENT [tls [resume]]\n");
        return 2;
    }
    load l = { .server = { .sin_family = AF_INET, .sin_port = htons((uint16_t)number_read(argv[1])) },
               .processes = (int)number_read(argv[2]),
               .messages = (int)number_read(argv[3]),
               .recipient = argv[5],
               .tls = argc > 6,
               .resume = argc > 7 };
    l.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    body_make(&l, number_read(argv[4]));
    return processes_run(&l) > 0;
}
