//! What the connector logs while a test runs, by the thread that executes.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Once;

use log::{Level, LevelFilter, Log, Metadata, Record};

/// A record that was kept.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) message: String,
}

/// Called with each record of a thread.
type Listener = Rc<dyn Fn(&Logged)>;

thread_local! {
    static LISTENER: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

/// Has `listener` hear every record of this thread from now on, at every level, except those of
/// the target that the plugin silences.
pub(crate) fn listen(listener: impl Fn(&Logged) + 'static) {
    static START: Once = Once::new();
    START.call_once(|| {
        log::set_logger(&ByThread).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
    LISTENER.set(Some(Rc::new(listener)));
}

/// What `work` logs on this thread; who listens already goes on hearing it.
pub(crate) fn heard<T>(work: impl FnOnce() -> T) -> (T, Vec<Logged>) {
    let records = Rc::new(RefCell::new(Vec::new()));
    let outer = LISTENER.take();
    let (kept, also) = (Rc::clone(&records), outer.clone());
    listen(move |record| {
        if let Some(also) = &also {
            also(record);
        }
        kept.borrow_mut().push(record.clone());
    });
    let value = work();
    LISTENER.set(outer);
    (value, records.take())
}

struct ByThread;

impl Log for ByThread {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        !metadata.target().starts_with("suppaftp")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let logged = Logged {
            level: record.level(),
            target: record.target().to_owned(),
            message: record.args().to_string(),
        };
        // A thread that is ending has no listener any more.
        let _ = LISTENER.try_with(|listener| {
            if let Ok(listener) = listener.try_borrow()
                && let Some(listener) = &*listener
            {
                listener(&logged);
            }
        });
    }

    fn flush(&self) {}
}
