#include "transport.h"

#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

enum { MOST_DOUBLINGS = 64, EPOCH_YEAR = 1900 };

static double const LONGEST_S = 1e12;

bool is_retryable(int status) {
    return status == 408 || status == 429 || (status >= 500 && status < 600);
}

double backoff_s(struct transport const *transport, int64_t failures_before) {
    uint32_t random = 0;
    while (getrandom(&random, sizeof random, 0) != sizeof random) {
    }
    // The exponent is bounded because the double is not.
    int const doublings = failures_before < MOST_DOUBLINGS ? (int)failures_before : MOST_DOUBLINGS;
    return fmin(transport->cap_s, ldexp(transport->base_s, doublings)) * ((double)random / UINT32_MAX);
}

// What Retry-After asks.

/// Whether it is digits, and perhaps a point and digits.
static bool is_number_of_seconds(struct slice value) {
    if (take_while(&value, is_digit) == 0)
        return false;
    return value.size == 0 ||
           (take(&value, SLICE(".")) && take_while(&value, is_digit) > 0 && value.size == 0);
}

/// Takes a number of so many digits.
static bool take_digits(struct slice *rest, size_t count, int *number) {
    struct slice digits = *rest;
    *number = 0;
    if (rest->size < count || take_while(&digits, is_digit) < count)
        return false;
    for (size_t i = 0; i < count; ++i)
        *number = *number * 10 + (rest->bytes[i] - '0');
    *rest = slice_after(*rest, count);
    return true;
}

/// Takes a month and a sign behind it.
static bool take_month(struct slice *rest, char after, struct tm *date) {
    static char const MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    enum { LETTERS = 3 };
    if (rest->size <= LETTERS || rest->bytes[LETTERS] != after)
        return false;
    for (date->tm_mon = 0; date->tm_mon < 12; ++date->tm_mon)
        if (take(rest, (struct slice){MONTHS + LETTERS * date->tm_mon, LETTERS}))
            return take(rest, (struct slice){&after, 1});
    return false;
}

static bool take_time(struct slice *rest, struct tm *date) {
    return take_digits(rest, 2, &date->tm_hour) && take(rest, SLICE(":")) &&
           take_digits(rest, 2, &date->tm_min) && take(rest, SLICE(":")) &&
           take_digits(rest, 2, &date->tm_sec);
}

/// Takes a day of the month, which asctime fills up with a space.
static bool take_day_of_asctime(struct slice *rest, struct tm *date) {
    return take(rest, SLICE(" ")) ? take_digits(rest, 1, &date->tm_mday)
                                  : take_digits(rest, 2, &date->tm_mday);
}

/// The year that two digits stand for: at most 50 years ahead.
static int full_year(int year, time_t now) {
    enum { CENTURY = 100, FURTHEST_AHEAD = 50 };
    struct tm today;
    gmtime_r(&now, &today);
    int const this_year = today.tm_year + EPOCH_YEAR;
    year += this_year - this_year % CENTURY;
    return year > this_year + FURTHEST_AHEAD ? year - CENTURY : year;
}

/// Reads a date in any form, of a day of the week that has this name.
static bool read_date(struct slice rest, char const *name, char const *rest_of_name, time_t now,
                      struct tm *date) {
    int year = 0;
    if (!take(&rest, slice_of(name)))
        return false;
    bool is_read = false;
    if (take(&rest, SLICE(", "))) {
        is_read = take_digits(&rest, 2, &date->tm_mday) && take(&rest, SLICE(" ")) &&
                  take_month(&rest, ' ', date) && take_digits(&rest, 4, &year) && take(&rest, SLICE(" ")) &&
                  take_time(&rest, date) && take(&rest, SLICE(" GMT"));
    } else if (take(&rest, SLICE(" "))) {
        is_read = take_month(&rest, ' ', date) && take_day_of_asctime(&rest, date) &&
                  take(&rest, SLICE(" ")) && take_time(&rest, date) && take(&rest, SLICE(" ")) &&
                  take_digits(&rest, 4, &year);
    } else if (take(&rest, slice_of(rest_of_name))) {
        is_read = take(&rest, SLICE(", ")) && take_digits(&rest, 2, &date->tm_mday) &&
                  take(&rest, SLICE("-")) && take_month(&rest, '-', date) && take_digits(&rest, 2, &year) &&
                  take(&rest, SLICE(" ")) && take_time(&rest, date) && take(&rest, SLICE(" GMT"));
        year = full_year(year, now);
    }
    date->tm_year = year - EPOCH_YEAR;
    return is_read && rest.size == 0;
}

/// The seconds until a date; 0 for a day or a time that does not exist.
static double seconds_until(struct tm date, time_t now) {
    enum { LEAP_SECOND = 60 };
    // A day that does not exist is counted on, into another month.
    struct tm day = {.tm_year = date.tm_year, .tm_mon = date.tm_mon, .tm_mday = date.tm_mday};
    timegm(&day);
    bool const exists =
        day.tm_mday == date.tm_mday && date.tm_hour <= 23 && date.tm_min <= 59 && date.tm_sec <= LEAP_SECOND;
    return exists ? fmax(difftime(timegm(&date), now), 0) : 0;
}

double retry_after_s(struct slice value, time_t now) {
    static char const *const DAYS[][2] = {{"Mon", "day"},   {"Tue", "sday"}, {"Wed", "nesday"},
                                          {"Thu", "rsday"}, {"Fri", "day"},  {"Sat", "urday"},
                                          {"Sun", "day"}};
    value = stripped(value);
    if (is_number_of_seconds(value))
        return fmin(strtod(value.bytes, NULL), LONGEST_S);
    for (size_t i = 0; i < sizeof DAYS / sizeof *DAYS; ++i) {
        struct tm date = {0};
        if (read_date(value, DAYS[i][0], DAYS[i][1], now, &date))
            return seconds_until(date, now);
    }
    return 0;
}
