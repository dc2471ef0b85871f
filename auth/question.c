#include "auth/question.h"
#include "base/memory.h"
#include "ipc/talk/auth.h"
#include <stdlib.h>

question *question_new(auth *a, question_kind kind, peer *asker, uint32_t ref)
{
    if (a->question_count >= QUESTIONS_MAX)
        return NULL;
    question *q = memory_get(sizeof *q);
    *q = (question){ .auth = a, .next = a->questions, .at = &a->questions, .kind = kind, .arena = arena_new(0),
                     .asker = asker, .ref = ref };
    if (q->next)
        q->next->at = &q->next;
    a->questions = q;
    a->question_count++;
    return q;
}

static void wipe(str *s)
{
    if (s->n)
        secret_wipe((char *)(uintptr_t)s->p, s->n); /* the arena's, and writable */
    *s = STR_NONE;
}

void question_free(question *q)
{
    *q->at = q->next;
    if (q->next)
        q->next->at = q->at;
    q->auth->question_count--;
    timer_close(&q->delay);
    wipe(&q->password);
    wipe(&q->stored);
    arena_free(&q->arena);
    free(q);
}

question *question_by_clerk(const auth *a, const peer *clerk, uint32_t ref)
{
    for (question *q = a->questions; q; q = q->next)
        if (q->clerk == clerk && q->clerk_ref == ref)
            return q;
    return NULL;
}

void question_set_password(question *q, secret password, str stored)
{
    q->password = arena_copy(&q->arena, password.hidden);
    q->stored = arena_copy(&q->arena, stored);
}

void desk_put(desk *d, question *q, bool is_suspect)
{
    queue *line = is_suspect ? &d->suspect : &d->good;
    if (line->first == NULL)
        line->last = &line->first;
    *line->last = q;
    line->last = &q->next_waiting;
}

static question *queue_take(queue *line)
{
    question *q = line->first;
    if (q == NULL)
        return NULL;
    line->first = q->next_waiting;
    q->next_waiting = NULL;
    if (line->first == NULL)
        line->last = &line->first;
    return q;
}

static void give(question *q, peer *clerk)
{
    q->clerk = clerk;
    q->clerk_ref = ++q->auth->last_ref;
    clerk->asked++;
    if (q->kind == ASKS_USER) {
        auth_find find = { .user = q->name };
        channel_put(&clerk->channel, AUTH_FIND, q->clerk_ref, auth_find, &find);
        return;
    }
    auth_check check = { .user = q->name, .password = { q->password }, .stored = { q->stored } };
    channel_put(&clerk->channel, AUTH_CHECK, q->clerk_ref, auth_check, &check);
    wipe(&q->password);
    wipe(&q->stored);
}

void desk_serve(auth *a, desk *d)
{
    while (d->good.first || d->suspect.first) {
        peer *clerk = daemon_peer(a->process, d->role);
        if (clerk == NULL || clerk->asked >= d->depth)
            return;
        question *q = queue_take(&d->good);
        if (q == NULL)
            q = queue_take(&d->suspect);
        if (q->asker)
            give(q, clerk);
        else
            question_free(q); /* who asked is gone */
    }
}

void questions_forget(auth *a, const peer *p, void (*failed)(question *q))
{
    for (question *q = a->questions, *next; q; q = next) {
        next = q->next;
        if (q->asker == p)
            q->asker = NULL;
        if (q->clerk == p)
            failed(q);
    }
}
