#include "when.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "limit.h"

#define MINUTE_S INT64_C(60)
#define HOUR_S INT64_C(3600)
#define DAY_S INT64_C(86400)
#define TEXT_MAX 64

static const char *const weekdays[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December"};

static struct tm local(int64_t s)
{
    time_t t = (time_t)s;
    struct tm tm = {0};
    localtime_r(&t, &tm);
    return tm;
}

/* A wall clock time of the local day (y, m, d), which may be out of range as for mktime(). */
struct civil {
    int year, month, day; /* month 1..12 */
    int hour, minute, second;
};

static struct civil civil_of(int64_t s)
{
    struct tm tm = local(s);
    return (struct civil){.year = tm.tm_year + 1900,
        .month = tm.tm_mon + 1,
        .day = tm.tm_mday,
        .hour = tm.tm_hour,
        .minute = tm.tm_min,
        .second = tm.tm_sec};
}

static bool same_clock(int64_t a, int64_t b)
{
    struct tm x = local(a);
    struct tm y = local(b);
    return x.tm_mday == y.tm_mday && x.tm_hour == y.tm_hour && x.tm_min == y.tm_min;
}

/*
 * Seconds since 1970 of |c|. A time that comes twice, when clocks go back, is the first of the
 * two; one that is skipped, when they go forward, is as much later.
 */
static int64_t seconds_of(struct civil c)
{
    struct tm tm = {.tm_year = c.year - 1900,
        .tm_mon = c.month - 1,
        .tm_mday = c.day,
        .tm_hour = c.hour,
        .tm_min = c.minute,
        .tm_sec = c.second,
        .tm_isdst = -1};
    struct tm standard = tm;
    standard.tm_isdst = 0;
    int64_t s = mktime(&tm);
    if (tm.tm_hour != c.hour || tm.tm_min != c.minute) /* skipped */
        return mktime(&standard);
    for (int64_t back = HOUR_S / 2; back <= HOUR_S; back += HOUR_S / 2) {
        if (same_clock(s, s - back))
            s -= back;
    }
    return s;
}

static int64_t first_of_day(struct civil c)
{
    c.hour = c.minute = c.second = 0;
    return seconds_of(c);
}

/* A cursor over the text, lower case, with single spaces. */
struct words {
    char text[TEXT_MAX];
    const char *p;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool words_init(struct words *w, struct al_slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = (char)s.p[i];
        if (c == '\t' || c == '\n')
            c = ' ';
        if (c < ' ' || c > '~' || n + 1 == sizeof(w->text))
            return false;
        if (c == ' ' && (n == 0 || w->text[n - 1] == ' '))
            continue;
        w->text[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    if (n > 0 && w->text[n - 1] == ' ')
        n--;
    w->text[n] = '\0';
    w->p = w->text;
    return n > 0;
}

/* Take exactly |digits| digits, or with 0 one to six of them. */
static bool take_number(struct words *w, int *ret, int digits)
{
    int v = 0;
    int n = 0;
    while (is_digit(w->p[n]) && n < (digits > 0 ? digits : 6))
        v = v * 10 + (w->p[n++] - '0');
    if (n == 0 || (digits > 0 && n != digits) || (digits == 0 && is_digit(w->p[n])))
        return false;
    w->p += n;
    *ret = v;
    return true;
}

static bool take(struct words *w, const char *what)
{
    size_t n = strlen(what);
    if (strncmp(w->p, what, n) != 0)
        return false;
    w->p += n;
    return true;
}

/* Take |word| when it ends there. */
static bool take_word(struct words *w, const char *word)
{
    size_t n = strlen(word);
    if (strncasecmp(w->p, word, n) != 0 || (w->p[n] != '\0' && w->p[n] != ' '))
        return false;
    w->p += n;
    (void)take(w, " ");
    return true;
}

/* HH:MM, with optional seconds and their fraction. */
static bool take_clock(struct words *w, struct civil *c, int *ret_ms)
{
    int digits = w->p[0] != '\0' && w->p[1] == ':' ? 1 : 2; /* "9:00" as well */
    if (!take_number(w, &c->hour, digits) || !take(w, ":") || !take_number(w, &c->minute, 2))
        return false;
    c->second = 0;
    *ret_ms = 0;
    if (take(w, ":")) {
        if (!take_number(w, &c->second, 2))
            return false;
        if (take(w, ".")) {
            if (!is_digit(*w->p))
                return false;
            for (int scale = 100; is_digit(*w->p); w->p++, scale /= 10)
                *ret_ms += (*w->p - '0') * scale;
        }
    }
    return c->hour < 24 && c->minute < 60 && c->second < 60;
}

/* "Z", "+01:00", "-0530"; |ret_s| is to be subtracted. */
static bool take_zone(struct words *w, int64_t *ret_s)
{
    int hours;
    int minutes;
    *ret_s = 0;
    if (take(w, "z"))
        return true;
    int sign = *w->p == '-' ? -1 : 1;
    if (!take(w, "+") && !take(w, "-"))
        return false;
    if (!take_number(w, &hours, 2))
        return false;
    (void)take(w, ":");
    if (!take_number(w, &minutes, 2) || hours > 14 || minutes > 59)
        return false;
    *ret_s = sign * (hours * HOUR_S + minutes * MINUTE_S);
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct words *w, struct civil *c)
{
    return take_number(w, &c->year, 4) && take(w, "-") && take_number(w, &c->month, 2) &&
           take(w, "-") && take_number(w, &c->day, 2) && c->month >= 1 && c->month <= 12 &&
           c->day >= 1 && c->day <= days_in_month(c->year, c->month);
}

static int store(uint64_t *ret_ms, int64_t s, int ms)
{
    if (s < 0 || (uint64_t)s > AL_TIME_MAX / 1000 - 1)
        return AL_E_WHEN;
    *ret_ms = (uint64_t)s * 1000 + (uint64_t)ms;
    return 0;
}

/* What follows a day: nothing, or a time of it. */
static int parse_time_of_day(uint64_t *ret_ms, struct words *w, struct civil day)
{
    int ms = 0;
    if (*w->p == '\0')
        return store(ret_ms, first_of_day(day), 0);
    if (!take_clock(w, &day, &ms) || *w->p != '\0')
        return AL_E_WHEN;
    return store(ret_ms, seconds_of(day), ms);
}

static int parse_iso(uint64_t *ret_ms, struct words *w)
{
    struct civil c = {0};
    int ms = 0;
    int64_t zone;
    if (!take_date(w, &c))
        return AL_E_WHEN;
    if (*w->p == '\0')
        return store(ret_ms, first_of_day(c), 0);
    if ((!take(w, "t") && !take(w, " ")) || !take_clock(w, &c, &ms))
        return AL_E_WHEN;
    (void)take(w, " ");
    if (*w->p == '\0')
        return store(ret_ms, seconds_of(c), ms);
    if (!take_zone(w, &zone) || *w->p != '\0')
        return AL_E_WHEN;
    struct tm tm = {.tm_year = c.year - 1900,
        .tm_mon = c.month - 1,
        .tm_mday = c.day,
        .tm_hour = c.hour,
        .tm_min = c.minute,
        .tm_sec = c.second};
    return store(ret_ms, (int64_t)timegm(&tm) - zone, ms);
}

enum unit { SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR };

static bool take_unit(struct words *w, enum unit *ret)
{
    static const struct {
        const char *name;
        enum unit unit;
    } units[] = {
        {"s", SECOND},
        {"sec", SECOND},
        {"second", SECOND},
        {"seconds", SECOND},
        {"m", MINUTE},
        {"min", MINUTE},
        {"minute", MINUTE},
        {"minutes", MINUTE},
        {"h", HOUR},
        {"hour", HOUR},
        {"hours", HOUR},
        {"d", DAY},
        {"day", DAY},
        {"days", DAY},
        {"w", WEEK},
        {"week", WEEK},
        {"weeks", WEEK},
        {"mo", MONTH},
        {"month", MONTH},
        {"months", MONTH},
        {"y", YEAR},
        {"year", YEAR},
        {"years", YEAR},
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (take_word(w, units[i].name)) {
            *ret = units[i].unit;
            return true;
        }
    }
    return false;
}

/* "-2d", "3 days ago": the same time of day on another day, or that much earlier. */
static int parse_ago(uint64_t *ret_ms, struct words *w, uint64_t now_ms)
{
    bool minus = take(w, "-");
    int n;
    enum unit unit;
    if (!take_number(w, &n, 0))
        return AL_E_WHEN;
    (void)take(w, " ");
    if (!take_unit(w, &unit) || (!minus && !take_word(w, "ago")) || *w->p != '\0')
        return AL_E_WHEN;

    int64_t now_s = (int64_t)(now_ms / 1000);
    int ms = (int)(now_ms % 1000);
    struct civil c = civil_of(now_s);
    switch (unit) {
    case SECOND:
        return store(ret_ms, now_s - n, ms);
    case MINUTE:
        return store(ret_ms, now_s - n * MINUTE_S, ms);
    case HOUR:
        return store(ret_ms, now_s - n * HOUR_S, ms);
    case DAY:
        c.day -= n;
        break;
    case WEEK:
        c.day -= 7 * n;
        break;
    case YEAR:
    case MONTH:
        c.month -= unit == YEAR ? 12 * (n < 10000 ? n : 10000) : n;
        /* A month before 31 March is the end of February. */
        while (c.month < 1) {
            c.month += 12;
            c.year--;
        }
        if (c.day > days_in_month(c.year, c.month))
            c.day = days_in_month(c.year, c.month);
        break;
    }
    return store(ret_ms, seconds_of(c), ms);
}

static bool take_weekday(struct words *w, int *ret)
{
    for (int i = 0; i < 7; i++) {
        char abbreviation[4];
        memcpy(abbreviation, weekdays[i], 3);
        abbreviation[3] = '\0';
        if (take_word(w, weekdays[i]) || take_word(w, abbreviation)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

int al_when_parse(uint64_t *ret_ms, struct al_slice text, uint64_t now_ms)
{
    struct words w;
    if (!words_init(&w, text))
        return AL_E_WHEN;
    struct civil today = civil_of((int64_t)(now_ms / 1000));

    if (take_word(&w, "now")) {
        if (*w.p != '\0')
            return AL_E_WHEN;
        *ret_ms = now_ms;
        return 0;
    }
    if (take_word(&w, "today"))
        return parse_time_of_day(ret_ms, &w, today);
    if (take_word(&w, "yesterday")) {
        today.day--;
        return parse_time_of_day(ret_ms, &w, today);
    }

    bool last = take_word(&w, "last");
    int weekday;
    if (take_weekday(&w, &weekday)) {
        int back = (local((int64_t)(now_ms / 1000)).tm_wday - weekday + 7) % 7;
        today.day -= last && back == 0 ? 7 : back;
        return parse_time_of_day(ret_ms, &w, today);
    }
    if (last)
        return AL_E_WHEN;
    if (strlen(w.p) >= 4 && (w.p[1] == ':' || w.p[2] == ':'))
        return parse_time_of_day(ret_ms, &w, today);
    if (strlen(w.p) >= 10 && w.p[4] == '-')
        return parse_iso(ret_ms, &w);
    return parse_ago(ret_ms, &w, now_ms);
}

uint64_t al_when_day(uint64_t ms)
{
    int64_t s = first_of_day(civil_of((int64_t)(ms / 1000)));
    return s < 0 ? 0 : (uint64_t)s * 1000; /* the first day, west of Greenwich */
}

void al_when_utc(char *out, uint64_t ms)
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm = {0};
    gmtime_r(&t, &tm);
    if (strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        out[0] = '\0'; /* the year has at most five digits: never */
}

/* Local days from the day of |a| to the day of |b|. */
static int64_t days_between(int64_t a, int64_t b)
{
    struct tm x = local(a);
    struct tm y = local(b);
    struct tm from = {.tm_year = x.tm_year, .tm_mon = x.tm_mon, .tm_mday = x.tm_mday};
    struct tm to = {.tm_year = y.tm_year, .tm_mon = y.tm_mon, .tm_mday = y.tm_mday};
    return ((int64_t)timegm(&to) - (int64_t)timegm(&from)) / DAY_S;
}

void al_when_relative(char *out, size_t cap, uint64_t ms, uint64_t now_ms)
{
    int64_t s = (int64_t)(ms / 1000);
    int64_t now_s = (int64_t)(now_ms / 1000);
    int64_t ago = now_s - s;
    int64_t days = days_between(s, now_s);
    struct tm tm = local(s);
    if (ago > -MINUTE_S && ago < MINUTE_S)
        (void)snprintf(out, cap, "just now");
    else if (ago > 0 && ago < HOUR_S)
        (void)snprintf(out, cap, "%lld min ago", (long long)(ago / MINUTE_S));
    else if (ago < 0 && ago > -HOUR_S)
        (void)snprintf(out, cap, "in %lld min", (long long)(-ago / MINUTE_S));
    else if (days == 0)
        (void)snprintf(out, cap, "%02d:%02d", tm.tm_hour, tm.tm_min);
    else if (days == 1 || days == -1)
        (void)snprintf(
            out, cap, "%s %02d:%02d", days == 1 ? "yesterday" : "tomorrow", tm.tm_hour, tm.tm_min);
    else if (tm.tm_year == local(now_s).tm_year)
        (void)snprintf(
            out, cap, "%.3s %d %.3s", weekdays[tm.tm_wday], tm.tm_mday, months[tm.tm_mon]);
    else
        (void)snprintf(out, cap, "%d %.3s %d", tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900);
}

void al_when_clock(char *out, uint64_t ms)
{
    struct tm tm = local((int64_t)(ms / 1000));
    if (strftime(out, 8, "%H:%M", &tm) == 0)
        out[0] = '\0'; /* always five bytes: never */
}

void al_when_day_text(char *out, uint64_t ms)
{
    struct tm tm = local((int64_t)(ms / 1000));
    if (strftime(out, 16, "%e %b %Y", &tm) == 0)
        out[0] = '\0'; /* the year has at most five digits: never */
    if (out[0] == ' ') /* the day has one */
        memmove(out, out + 1, strlen(out));
}

void al_when_date(char *out, size_t cap, uint64_t ms, uint64_t now_ms)
{
    struct tm tm = local((int64_t)(ms / 1000));
    int n = snprintf(out, cap, "%s %d %s", weekdays[tm.tm_wday], tm.tm_mday, months[tm.tm_mon]);
    if (tm.tm_year != local((int64_t)(now_ms / 1000)).tm_year && n > 0 && (size_t)n < cap)
        (void)snprintf(out + n, cap - (size_t)n, " %d", tm.tm_year + 1900);
}
