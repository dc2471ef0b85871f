/* A load of SMTP connections, each with one message, from as many processes as there are CPUs; compiled by t/bench/smtp when it
 * runs. It shares the machine with the server, so it waits for all of its connections at once, and starts the TLS library once.
 *
 *   load PORT CONNECTIONS MESSAGES BYTES RECIPIENT [tls [resume]]
 *
 * CONNECTIONS are open at a time. RECIPIENT has one %d for the number of a user, 1 to 100 in turn, or none. The first message goes
 * out before the processes are made: they begin with a TLS library that has seen a handshake, and with its session.
 * Prints how many failed and ends with 1 if any did. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USERS = 100, LINE_BYTES = 78, EVENTS = 64 };

/* What a connection waits for: a reply after the greeting or a command, or the handshake. */
typedef enum { GREETING, EHLO, STARTTLS, HANDSHAKE, EHLO_AGAIN, MAIL, RCPT, DATA, MESSAGE, QUIT, END } step;

typedef struct {
    struct sockaddr_in server;
    int connections, messages;
    const char *recipient;
    bool tls, resume;
    char *body; /* with the dot line */
    size_t body_bytes;
    SSL_CTX *context;
    SSL_SESSION *session; /* with resume: the one to go on with */
} load;

typedef struct {
    int fd; /* -1: not in use */
    SSL *ssl;
    step at;
    char rcpt[320];
    const char *out; /* what is still to be sent */
    size_t out_n, in_n;
    char in[8192];
} connection;

/* The messages first, first + by, ... of all. */
typedef struct {
    load *l;
    int epoll, next, by, open, failed;
    connection *connections;
} share;

/* Digits only; anything else is the caller's mistake and counts as 0. */
static unsigned number_read(const char *text)
{
    unsigned n = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        n = n * 10 + (unsigned)(*text - '0');
    }
    return *text ? 0 : n;
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

static bool is_watched(share *s, connection *c, uint32_t events, int operation)
{
    struct epoll_event e = { .events = events, .data.ptr = c };
    return epoll_ctl(s->epoll, operation, c->fd, &e) == 0;
}

/* Whether the connection can go on; it is watched for what TLS or the socket wants. */
static bool is_waiting(share *s, connection *c, int result)
{
    int error = c->ssl ? SSL_get_error(c->ssl, result) : errno == EAGAIN ? SSL_ERROR_WANT_WRITE : SSL_ERROR_SYSCALL;
    return error == SSL_ERROR_WANT_READ ||
           (error == SSL_ERROR_WANT_WRITE && is_watched(s, c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD));
}

static bool is_flushed(share *s, connection *c)
{
    while (c->out_n > 0) {
        int done = c->ssl ? SSL_write(c->ssl, c->out, (int)c->out_n) : (int)write(c->fd, c->out, c->out_n);
        if (done <= 0) {
            return is_waiting(s, c, done);
        }
        c->out += done;
        c->out_n -= (size_t)done;
    }
    return true;
}

static bool is_sent(share *s, connection *c, const char *bytes, size_t n)
{
    c->out = bytes;
    c->out_n = n;
    return is_flushed(s, c);
}

static SSL *ssl_begin(const load *l, int fd)
{
    SSL *ssl = SSL_new(l->context);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    if (l->session) {
        SSL_set_session(ssl, l->session);
    }
    return ssl;
}

static bool is_entered(share *s, connection *c, step at);

static bool handshake_go_on(share *s, connection *c)
{
    int done = SSL_do_handshake(c->ssl);
    return done == 1 ? is_entered(s, c, EHLO_AGAIN) : is_waiting(s, c, done);
}

/* Sends what belongs to a step as it is entered. */
static bool is_entered(share *s, connection *c, step at)
{
    static const char *const commands[END] = { [EHLO] = "EHLO client.example\r\n", [STARTTLS] = "STARTTLS\r\n",
                                               [EHLO_AGAIN] = "EHLO client.example\r\n",
                                               [MAIL] = "MAIL FROM:<sender@sender.example>\r\n",
                                               [DATA] = "DATA\r\n", [QUIT] = "QUIT\r\n" };
    c->at = at;
    c->in_n = 0;
    switch (at) {
    case HANDSHAKE:
        c->ssl = ssl_begin(s->l, c->fd);
        return handshake_go_on(s, c);
    case RCPT:
        return is_sent(s, c, c->rcpt, strlen(c->rcpt));
    case MESSAGE:
        return is_sent(s, c, s->l->body, s->l->body_bytes);
    default:
        return commands[at] == NULL || is_sent(s, c, commands[at], strlen(commands[at]));
    }
}

static step next_step(const load *l, step at)
{
    return at == EHLO && !l->tls ? MAIL : at + 1;
}

static void connection_close(share *s, connection *c, bool is_good)
{
    s->failed += !is_good;
    if (c->ssl) {
        if (is_good && s->l->resume) {
            SSL_SESSION_free(s->l->session);
            s->l->session = SSL_get1_session(c->ssl); /* TLS 1.3 gives its tickets with the first data */
        }
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
    }
    if (c->fd >= 0) {
        close(c->fd);
        s->open--;
    }
    c->fd = -1;
    c->ssl = NULL;
}

/* To this host a connect is done at once, also of a socket that does not block. */
static bool is_connected(share *s, connection *c)
{
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) {
        return false;
    }
    s->open++;
    bool is_open = connect(c->fd, (const struct sockaddr *)&s->l->server, sizeof s->l->server) == 0 || errno == EINPROGRESS;
    return is_open && setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
           is_watched(s, c, EPOLLIN, EPOLL_CTL_ADD) && is_entered(s, c, GREETING);
}

static void rcpt_write(connection *c, const char *recipient, int user)
{
    const char *mark = strstr(recipient, "%d");
    int head = mark ? (int)(mark - recipient) : (int)strlen(recipient);
    if (mark) {
        snprintf(c->rcpt, sizeof c->rcpt, "RCPT TO:<%.*s%d%s>\r\n", head, recipient, user, mark + 2);
    } else {
        snprintf(c->rcpt, sizeof c->rcpt, "RCPT TO:<%s>\r\n", recipient);
    }
}

/* The next of the share's messages, if there is one. */
static void message_begin(share *s, connection *c)
{
    while (c->fd < 0 && s->next < s->l->messages) {
        rcpt_write(c, s->l->recipient, s->next % USERS + 1);
        s->next += s->by;
        if (!is_connected(s, c)) {
            connection_close(s, c, false);
        }
    }
}

/* Whether the connection is good; END as its step when it is done. */
static bool reply_take(share *s, connection *c)
{
    if (!is_reply_whole(c->in, c->in_n)) {
        return c->in_n < sizeof c->in;
    }
    step next = next_step(s->l, c->at);
    if (c->in[0] != (c->at == DATA ? '3' : '2')) {
        fprintf(stderr, "load: %.*s", (int)c->in_n, c->in);
        return false;
    }
    if (next == END) {
        c->at = END;
        return true;
    }
    return is_entered(s, c, next);
}

/* Reads until there is nothing more, as TLS may have more than the socket shows. */
static bool replies_read(share *s, connection *c)
{
    while (c->at != END) {
        int room = (int)(sizeof c->in - c->in_n);
        int got = c->ssl ? SSL_read(c->ssl, c->in + c->in_n, room) : (int)read(c->fd, c->in + c->in_n, (size_t)room);
        if (got <= 0) {
            return c->ssl ? is_waiting(s, c, got) : got < 0 && errno == EAGAIN;
        }
        c->in_n += (size_t)got;
        if (!reply_take(s, c)) {
            return false;
        }
        if (c->ssl == NULL || (c->at != END && SSL_pending(c->ssl) == 0 && !SSL_has_pending(c->ssl))) {
            return true;
        }
    }
    return true;
}

static void connection_go_on(share *s, connection *c, uint32_t events)
{
    bool is_good = true;
    if (events & EPOLLOUT) {
        is_good = is_watched(s, c, EPOLLIN, EPOLL_CTL_MOD) && is_flushed(s, c);
    }
    if (is_good && (c->at == HANDSHAKE || events & ~(uint32_t)EPOLLOUT)) {
        is_good = c->at == HANDSHAKE ? handshake_go_on(s, c) : replies_read(s, c);
    }
    if (!is_good || c->at == END) {
        connection_close(s, c, is_good);
        message_begin(s, c);
    }
}

/* Sends the share, some connections at a time. Returns how many messages failed. */
static int share_send(load *l, int first, int by, int connections)
{
    share s = { .l = l, .epoll = epoll_create1(EPOLL_CLOEXEC), .next = first, .by = by,
                .connections = calloc((size_t)connections, sizeof(connection)) };
    for (int i = 0; i < connections; i++) {
        s.connections[i].fd = -1;
        message_begin(&s, &s.connections[i]);
    }
    while (s.open > 0) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(s.epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            connection_go_on(&s, events[i].data.ptr, events[i].events);
        }
    }
    if (s.failed > 0) {
        fprintf(stderr, "load: %d messages failed\n", s.failed);
    }
    free(s.connections);
    close(s.epoll);
    return s.failed;
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

/* Whether every message was taken. */
static bool is_all_sent(load *l)
{
    int all = l->messages;
    int processes = (int)sysconf(_SC_NPROCESSORS_ONLN);
    processes = processes < l->connections ? processes : l->connections;
    l->messages = all > 0;
    int failed = share_send(l, 0, 1, 1);
    l->messages = all;
    for (int p = 0; p < processes; p++) {
        int connections = l->connections / processes + (p < l->connections % processes);
        if (fork() == 0) {
            _exit(share_send(l, p + 1, processes, connections) > 0);
        }
    }
    int status = 0;
    while (wait(&status) > 0) {
        failed += status != 0;
    }
    return failed == 0;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: load PORT CONNECTIONS MESSAGES BYTES RECIPIENT [tls [resume]]\n");
        return 2;
    }
    load l = { .server = { .sin_family = AF_INET, .sin_port = htons((uint16_t)number_read(argv[1])) },
               .connections = (int)number_read(argv[2]),
               .messages = (int)number_read(argv[3]),
               .recipient = argv[5],
               .tls = argc > 6,
               .resume = argc > 7 };
    l.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    body_make(&l, number_read(argv[4]));
    if (l.tls) {
        l.context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_read_ahead(l.context, 1); /* one read for a record, not one for its head */
    }
    return !is_all_sent(&l);
}
