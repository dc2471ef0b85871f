/* A growing array of any type: VEC(route) routes = { 0 }; *vec_add(&routes) = r; The holder owns it: vec_free. */
#pragma once
#include "base/memory.h"
#include <stdlib.h>

#define VEC(type)                                                                                                      \
    struct {                                                                                                           \
        type *p;                                                                                                       \
        size_t n, capacity;                                                                                            \
    }

/* Makes room for one more and returns a pointer to it (not zeroed); earlier pointers into the vec are dead then. */
#define vec_add(v)                                                                                                     \
    ((v)->n == (v)->capacity ? ((v)->capacity = (v)->capacity ? (v)->capacity * 2 : 8,                                 \
                                (v)->p = memory_resize((v)->p, (v)->capacity, sizeof *(v)->p), (v)->p + (v)->n++)      \
                             : (v)->p + (v)->n++)

#define vec_free(v) (free((v)->p), (v)->p = NULL, (v)->n = (v)->capacity = 0)
#define vec_remove_unordered(v, i) ((v)->p[i] = (v)->p[--(v)->n])
