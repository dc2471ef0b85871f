#include "conf/nearest.h"

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned nearest_limit(str name)
{
    unsigned third = (unsigned)(name.n / 3);
    return name.n > NEAREST_NAME_MAX ? 0 : least(third ? third : 1, 5);
}

/* One row of the table of prefix distances, from the two rows above it. */
static void row_fill(str a, str b, size_t i, const unsigned *before, const unsigned *above, unsigned *row)
{
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= b.n; j++) {
        unsigned changed = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);
        row[j] = least(least(above[j] + 1, row[j - 1] + 1), changed);
        if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
            row[j] = least(row[j], before[j - 2] + 1);
    }
}

unsigned nearest_distance(str a, str b, unsigned limit)
{
    unsigned rows[3][NEAREST_NAME_MAX + 1];

    size_t apart = a.n > b.n ? a.n - b.n : b.n - a.n;
    if (a.n > NEAREST_NAME_MAX || b.n > NEAREST_NAME_MAX || apart > limit)
        return limit + 1;
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++)
        row_fill(a, b, i, rows[(i + 1) % 3], rows[(i - 1) % 3], rows[i % 3]);
    return least(rows[a.n % 3][b.n], limit + 1);
}
