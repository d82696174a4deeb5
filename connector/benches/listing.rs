//! How many lines of a listing are read per second of the processor's time, here and by suppaftp's
//! own parser: `cargo bench -p ftp-connector --bench listing`.

#![expect(clippy::expect_used, reason = "a benchmark that reads nothing measures nothing")]

use std::fmt::Write;
use std::hint::black_box;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftp_connector::bench::count_entries;
use suppaftp::list::{File, ListParser, ParseError};

/// The lines of one listing.
const LINES: u64 = 1_000_000;

/// The different lines among them.
const DISTINCT: u64 = 10_000;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Measures what the thread has run, whatever else the machine does meanwhile; only Linux tells,
/// so that elsewhere it is the time that has passed.
struct ProcessorTime {
    begin: Instant,
}

impl ProcessorTime {
    fn now(&self) -> Duration {
        let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let nanoseconds = statistics.split(' ').next().and_then(|first| first.parse().ok());
        nanoseconds.map_or_else(|| self.begin.elapsed(), Duration::from_nanos)
    }
}

impl Measurement for ProcessorTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        self.now()
    }

    fn end(&self, start: Duration) -> Duration {
        self.now().saturating_sub(start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// A listing that goes on repeating its lines, so that it takes no memory.
struct Repeated<'t> {
    text: &'t [u8],
    rest: &'t [u8],
    times: u64,
}

impl Read for Repeated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && self.times > 0 {
            self.times -= 1;
            self.rest = self.text;
        }
        self.rest.read(buffer)
    }
}

/// As ProFTPD prints them.
fn mlsd(text: &mut String, n: u64) -> std::fmt::Result {
    let (month, day, minute) = (n % 12 + 1, n % 28 + 1, n % 60);
    let (size, unique) = (n * 7919, n + 0x1A2B3C);
    write!(
        text,
        "modify=2026{month:02}{day:02}17{minute:02}48;perm=adfrw;size={size};type=file;\
         unique=FD01U{unique:X};UNIX.group=1000;UNIX.groupname=staff;UNIX.mode=0644;\
         UNIX.owner=1000;UNIX.ownername=anna; order-{n:06}.xml\r\n"
    )
}

/// As vsftpd prints them, most with a time and some with a year.
fn unix(text: &mut String, n: u64) -> std::fmt::Result {
    let month = MONTHS[(n % 12) as usize];
    let (day, minute, size) = (n % 28 + 1, n % 60, n * 7919);
    match n % 10 {
        0 => write!(
            text,
            "drwxr-xr-x    2 1000     1000         4096 {month} {day:02}  2024 in {n:06}\r\n"
        ),
        _ => write!(
            text,
            "-rw-r--r--    1 1000     1000     {size:>8} {month} {day:02} 17:{minute:02} order-{n:06}.xml\r\n"
        ),
    }
}

/// As IIS prints them.
fn dos(text: &mut String, n: u64) -> std::fmt::Result {
    let (month, day, minute, size) = (n % 12 + 1, n % 28 + 1, n % 60, n * 7919);
    match n % 10 {
        0 => write!(
            text,
            "{month:02}-{day:02}-26  05:{minute:02}PM       <DIR>          in {n:06}\r\n"
        ),
        _ => {
            write!(text, "{month:02}-{day:02}-26  05:{minute:02}PM {size:>20} order-{n:06}.xml\r\n")
        }
    }
}

type Line = fn(&mut String, u64) -> std::fmt::Result;
type Theirs = fn(&str) -> Result<File, ParseError>;

fn listings(criterion: &mut Criterion<ProcessorTime>) {
    let cases: [(&str, Line, Theirs); 3] = [
        ("mlsd", mlsd, ListParser::parse_mlsd),
        ("unix", unix, ListParser::parse_posix),
        ("dos", dos, ListParser::parse_dos),
    ];
    for (name, line, theirs) in cases {
        let mut text = String::new();
        for n in 0..DISTINCT {
            line(&mut text, n).expect("a string takes everything");
        }
        let times = LINES / DISTINCT;
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(LINES)).sample_size(10);
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
        group.bench_function("ftp-connector", |bencher| {
            bencher.iter(|| {
                let listing = Repeated { text: text.as_bytes(), rest: &[], times };
                let entries = count_entries(listing, name == "mlsd").expect("every line is good");
                assert_eq!(entries, LINES);
            });
        });
        let lines: Vec<&str> = text.lines().collect();
        group.bench_function("suppaftp", |bencher| {
            bencher.iter(|| {
                for _ in 0..times {
                    for line in &lines {
                        black_box(theirs(line).expect("every line is good"));
                    }
                }
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime { begin: Instant::now() });
    targets = listings
}
criterion_main!(benches);
