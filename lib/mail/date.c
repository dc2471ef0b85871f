#include "mail/date.h"
#include "base/short_name.h"
#include "base/num.h"
#include "mail/lexer.h"

enum { DAY_S = 86400 };

static const char *const month_names[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const day_names[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

static const struct {
    short_name name;
    int minutes;
} zones[] = {
    /* RFC 5322 4.3, and names that senders do use; any other is UTC */
    { SHORT_NAME("EST"), -300 }, { SHORT_NAME("EDT"), -240 }, { SHORT_NAME("CST"), -360 }, { SHORT_NAME("CDT"), -300 },
    { SHORT_NAME("MST"), -420 }, { SHORT_NAME("MDT"), -360 }, { SHORT_NAME("PST"), -480 }, { SHORT_NAME("PDT"), -420 },
    { SHORT_NAME("BST"), 60 },   { SHORT_NAME("CET"), 60 },   { SHORT_NAME("CEST"), 120 }, { SHORT_NAME("MET"), 60 },
    { SHORT_NAME("MEST"), 120 }, { SHORT_NAME("EET"), 120 },  { SHORT_NAME("EEST"), 180 }, { SHORT_NAME("MSK"), 180 },
    { SHORT_NAME("JST"), 540 },  { SHORT_NAME("KST"), 540 },  { SHORT_NAME("NZST"), 720 }, { SHORT_NAME("NZDT"), 780 },
};

typedef struct civil {
    int64_t year; /* 1 … 9999 */
    int month;    /* 1 … 12 */
    int day;
} civil;

static bool is_leap(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int month_days(int64_t year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days from 0001-01-01 to the first of January of `year`. */
static int64_t year_start(int64_t year)
{
    int64_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400;
}

static int64_t civil_days(civil c)
{
    int64_t days = year_start(c.year) - year_start(1970) + c.day - 1;
    for (int m = 1; m < c.month; m++)
        days += month_days(c.year, m);
    return days;
}

static civil civil_from_days(int64_t days)
{
    civil c = { .month = 1 };
    int64_t n = days + year_start(1970);

    c.year = n * 400 / 146097 + 1; /* 400 years have 146097 days: off by one at most */
    if (year_start(c.year) > n)
        c.year--;
    else if (year_start(c.year + 1) <= n)
        c.year++;
    n -= year_start(c.year);
    for (; n >= month_days(c.year, c.month); c.month++)
        n -= month_days(c.year, c.month);
    c.day = (int)n + 1;
    return c;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* What was read so far. -1: not yet. */
typedef struct reading {
    int day, month, year, hour, minute, second;
    int zone;
    bool has_zone_number;
} reading;

static int number(str digits, uint64_t max)
{
    uint64_t v;
    return num_parse(digits, 0, max, &v) ? (int)v : -1;
}

static int month_number(str word)
{
    for (int i = 0; word.n >= 3 && i < 12; i++)
        if (str_starts_nocase(word, str_c(month_names[i])))
            return i + 1;
    return -1;
}

static bool is_day_name(str word)
{
    for (size_t i = 0; word.n >= 3 && i < COUNT_OF(day_names); i++)
        if (str_starts_nocase(word, str_c(day_names[i])))
            return true;
    return false;
}

static int zone_by_name(str word)
{
    for (size_t i = 0; i < COUNT_OF(zones); i++)
        if (str_equal_nocase(word, short_name_str(&zones[i].name)))
            return zones[i].minutes;
    return 0;
}

static void word_take(reading *r, str word)
{
    if (r->month < 0 && month_number(word) > 0)
        r->month = month_number(word);
    else if (r->hour >= 0 && !r->has_zone_number && !is_day_name(word))
        r->zone = zone_by_name(word);
}

/* "hhmm" or "hh:mm" behind a sign; a zone that cannot be is UTC. */
static void zone_take(reading *r, str digits, bool is_west)
{
    str hours, rest = digits;

    if (str_has(digits, ':'))
        str_cut(&rest, ':', &hours);
    else
        hours = str_upto(digits, digits.n > 2 ? digits.n - 2 : digits.n), rest = str_from(digits, hours.n);
    int h = number(hours, 23), m = rest.n ? number(rest, 59) : 0;
    r->zone = h < 0 || m < 0 ? 0 : (is_west ? -1 : 1) * (h * 60 + m);
    r->has_zone_number = true;
}

static bool time_take(reading *r, str text)
{
    str hour, minute, second, rest = text;

    if (!str_cut(&rest, ':', &hour) || !str_cut(&rest, ':', &minute))
        return false;
    if (!str_cut(&rest, ':', &second))
        second = STR("0");
    second = str_upto(second, str_find(second, '.'));
    r->hour = number(hour, 23);
    r->minute = number(minute, 59);
    r->second = number(second, 60); /* 60: a leap second */
    return rest.p == NULL && r->hour >= 0 && r->minute >= 0 && r->second >= 0;
}

/* RFC 5322 4.3 */
static int year_number(str digits)
{
    int y = number(digits, 9999);
    if (digits.n == 2 && y >= 0)
        return y < 50 ? 2000 + y : 1900 + y;
    return digits.n == 3 && y >= 0 ? 1900 + y : y;
}

static bool number_take(reading *r, str digits)
{
    if (str_has(digits, ':'))
        return r->hour < 0 && time_take(r, digits);
    if (r->day < 0 && digits.n <= 2)
        return (r->day = number(digits, 31)) > 0;
    if (r->year < 0 && digits.n >= 2)
        return (r->year = year_number(digits)) > 0;
    return r->year >= 0 && r->hour >= 0; /* junk behind the whole date is let be */
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One word, number or sign with its number; a sign before the time is a dash between day, month and year. */
static bool token_take(reading *r, lexer *l)
{
    size_t start = l->at;
    char c = lexer_peek(l);

    if (is_digit(c)) {
        while (is_digit(lexer_peek(l)) || lexer_peek(l) == ':' || (lexer_peek(l) == '.' && l->at > start))
            l->at++;
        return number_take(r, lexer_from(l, start));
    }
    l->at++;
    if (c == '+' || c == '-') {
        while (is_digit(lexer_peek(l)) || lexer_peek(l) == ':')
            l->at++;
        str digits = str_from(lexer_from(l, start), 1);
        if (r->hour < 0 && c == '-') {
            l->at = start + 1;
            return true;
        }
        if (digits.n && !r->has_zone_number)
            zone_take(r, digits, c == '-');
        return true;
    }
    if (c == ',' || c == '.' || c == '"')
        return true;
    while (lexer_has(l) && !is_blank_or_eol(lexer_peek(l)) && !strchr(",()+-:\"0123456789", lexer_peek(l)))
        l->at++;
    word_take(r, lexer_from(l, start));
    return true;
}

static parse reading_finish(const reading *r, date *out)
{
    if (r->day < 1 || r->month < 1 || r->year < 1 || r->day > month_days(r->year, r->month))
        return PARSE_BAD;
    civil c = { r->year, r->month, r->day };
    bool has_time = r->hour >= 0;
    int64_t seconds = has_time ? r->hour * 3600 + r->minute * 60 + r->second : 0;
    out->zone_minutes = r->zone;
    out->utc_s = civil_days(c) * DAY_S + seconds - (int64_t)r->zone * 60;
    return PARSE_DONE;
}

parse date_parse(str text, date *out)
{
    lexer l = { .in = text };
    reading r = { .day = -1, .month = -1, .year = -1, .hour = -1, .minute = -1, .second = -1 };

    while (lexer_skip(&l), lexer_has(&l))
        if (!token_take(&r, &l))
            return PARSE_BAD;
    return reading_finish(&r, out);
}

/* "d-Mon-yyyy", a day of one or two digits. */
static bool day_read(str text, reading *r)
{
    str day, month, rest = text;

    if (!str_cut(&rest, '-', &day) || !str_cut(&rest, '-', &month) || rest.n != 4 || day.n > 2 || month.n != 3)
        return false;
    r->day = number(day, 31);
    r->month = month_number(month);
    r->year = number(rest, 9999);
    return true;
}

parse date_parse_internal(str text, date *out)
{
    reading r = { .day = -1, .month = -1, .year = -1, .hour = -1, .minute = -1, .second = -1 };
    str day, time, rest = text.n && text.p[0] == ' ' ? str_from(text, 1) : text;

    if (!str_cut(&rest, ' ', &day) || !str_cut(&rest, ' ', &time) || !day_read(day, &r))
        return PARSE_BAD;
    if (time.n != 8 || !time_take(&r, time) || rest.n != 5 || (rest.p[0] != '+' && rest.p[0] != '-') ||
        number(str_from(rest, 1), 2359) < 0 || number(str_from(rest, 3), 59) < 0)
        return PARSE_BAD;
    zone_take(&r, str_from(rest, 1), rest.p[0] == '-');
    return reading_finish(&r, out);
}

parse date_parse_day(str text, int64_t *out_days)
{
    reading r = { .day = -1, .month = -1, .year = -1, .hour = -1 };
    date d;

    if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"')
        text = (str){ text.p + 1, text.n - 2 };
    if (!day_read(text, &r) || reading_finish(&r, &d) != PARSE_DONE)
        return PARSE_BAD;
    *out_days = date_day(d);
    return PARSE_DONE;
}

int64_t date_day(date d)
{
    return floor_div(d.utc_s + (int64_t)d.zone_minutes * 60, DAY_S);
}

typedef struct shown {
    civil c;
    int weekday, hour, minute, second, zone_hours, zone_minutes;
    char sign;
} shown;

/* Years 1 to 9999 have a text form; what lies outside is shown as the nearest end of it. */
static shown show(date d)
{
    const int64_t min = -year_start(1970) * DAY_S, max = (year_start(10000) - year_start(1970)) * DAY_S - 1;

    if (d.zone_minutes < -1439 || d.zone_minutes > 1439)
        d.zone_minutes = 0;
    int64_t local = d.utc_s < min - DAY_S ? min : d.utc_s > max ? max : d.utc_s + (int64_t)d.zone_minutes * 60;
    local = local < min ? min : local > max ? max : local;
    int64_t days = floor_div(local, DAY_S);
    int s = (int)(local - days * DAY_S), zone = d.zone_minutes < 0 ? -d.zone_minutes : d.zone_minutes;
    return (shown){ .c = civil_from_days(days),
                    .weekday = (int)(((days + 4) % 7 + 7) % 7),
                    .hour = s / 3600,
                    .minute = s / 60 % 60,
                    .second = s % 60,
                    .zone_hours = zone / 60,
                    .zone_minutes = zone % 60,
                    .sign = d.zone_minutes < 0 ? '-' : '+' };
}

bool date_append(buf *out, date d)
{
    shown s = show(d);
    return buf_printf(out, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d", day_names[s.weekday], s.c.day,
                      month_names[s.c.month - 1], (int)s.c.year, s.hour, s.minute, s.second, s.sign, s.zone_hours,
                      s.zone_minutes);
}

bool date_append_internal(buf *out, date d)
{
    shown s = show(d);
    return buf_printf(out, "%2d-%s-%04d %02d:%02d:%02d %c%02d%02d", s.c.day, month_names[s.c.month - 1], (int)s.c.year,
                      s.hour, s.minute, s.second, s.sign, s.zone_hours, s.zone_minutes);
}

bool date_append_mbox(buf *out, date d)
{
    shown s = show(d);
    return buf_printf(out, "%s %s %2d %02d:%02d:%02d %04d", day_names[s.weekday], month_names[s.c.month - 1], s.c.day,
                      s.hour, s.minute, s.second, (int)s.c.year);
}
