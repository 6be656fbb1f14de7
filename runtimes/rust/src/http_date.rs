//! The dates of HTTP.
//!
//! Source: RFC 9110, section 5.6.7.

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const LONG_DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SECONDS_A_DAY: i64 = 86_400;

/// The seconds since 1970 of a date in one of the three forms, `None` for anything else.
///
/// A year of two digits is the latest that is at most 50 years after `now`. The day of the week may be any.
pub fn seconds_of(date: &str, now: i64) -> Option<i64> {
    let moment = preferred(date).or_else(|| of_rfc850(date, now)).or_else(|| of_asctime(date))?;
    moment.exists().then(|| moment.seconds())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn preferred(date: &str) -> Option<Moment> {
    let mut rest = Rest(date);
    rest.name(&DAYS)?;
    let day = rest.literal(", ")?.digits(2)?;
    let month = rest.literal(" ")?.name(&MONTHS)?;
    let year = rest.literal(" ")?.digits(4)?;
    let time = rest.literal(" ")?.time()?;
    rest.literal(" GMT")?.0.is_empty().then_some(Moment { year, month, day, time })
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn of_rfc850(date: &str, now: i64) -> Option<Moment> {
    let mut rest = Rest(date);
    rest.name(&LONG_DAYS)?;
    let day = rest.literal(", ")?.digits(2)?;
    let month = rest.literal("-")?.name(&MONTHS)?;
    let year = rest.literal("-")?.digits(2)?;
    let time = rest.literal(" ")?.time()?;
    rest.literal(" GMT")?.0.is_empty().then_some(())?;
    let is_near = |&year: &i64| Moment { year: year - 50, month, day, time }.seconds() <= now;
    let year = (0..100).rev().map(|century| 100 * century + year).find(is_near)?;
    Some(Moment { year, month, day, time })
}

/// `Sun Nov  6 08:49:37 1994`
fn of_asctime(date: &str) -> Option<Moment> {
    let mut rest = Rest(date);
    rest.name(&DAYS)?;
    let month = rest.literal(" ")?.name(&MONTHS)?;
    rest.literal(" ")?;
    let day = if rest.literal(" ").is_some() { rest.digits(1)? } else { rest.digits(2)? };
    let time = rest.literal(" ")?.time()?;
    let year = rest.literal(" ")?.digits(4)?;
    rest.0.is_empty().then_some(Moment { year, month, day, time })
}

/// What has not been read yet of a date. What is not as it is asked for is `None`, and nothing is taken.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn literal(&mut self, expected: &str) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(self)
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
        self.0 = rest;
        Some(number)
    }

    /// The position, from 1, of the name that follows.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        let (position, rest) =
            (1..).zip(names).find_map(|(position, name)| Some((position, self.0.strip_prefix(name)?)))?;
        self.0 = rest;
        Some(position)
    }

    /// The seconds of the day.
    fn time(&mut self) -> Option<i64> {
        let hour = self.digits(2).filter(|hour| *hour < 24)?;
        let minute = self.literal(":")?.digits(2).filter(|minute| *minute < 60)?;
        let second = self.literal(":")?.digits(2).filter(|second| *second < 60)?;
        Some((hour * 60 + minute) * 60 + second)
    }
}

/// A second of a day, which need not exist, of the Gregorian calendar.
struct Moment {
    year: i64,
    month: i64,
    day: i64,
    time: i64,
}

impl Moment {
    fn exists(&self) -> bool {
        let is_leap = self.year % 4 == 0 && self.year % 100 != 0 || self.year % 400 == 0;
        let days_of_month = match self.month {
            2 if is_leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (1..=days_of_month).contains(&self.day)
    }

    /// The seconds since 1970.
    fn seconds(&self) -> i64 {
        // With years that begin in March, the day that is sometimes missing is the last.
        let (year, month) =
            if self.month > 2 { (self.year, self.month - 3) } else { (self.year - 1, self.month + 9) };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let days_of_months = (153 * month + 2) / 5;
        const DAYS_BEFORE_1970: i64 = 719_469;
        let days = 365 * year + leap_days + days_of_months + self.day - DAYS_BEFORE_1970;
        days * SECONDS_A_DAY + self.time
    }
}
