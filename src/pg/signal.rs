//! Signals and interrupts of a worker process.

use std::mem::MaybeUninit;

use pgrx::pg_sys;

unsafe extern "C-unwind" {
    // Declared here since pgrx gives these as guarded Rust functions, which cannot be signal handlers.
    fn die(signal: i32);
    fn SignalHandlerForConfigReload(signal: i32);
    fn SignalHandlerForShutdownRequest(signal: i32);
    fn StatementCancelHandler(signal: i32);
}

/// Cancels the statement that runs and notes the request: the main loop then ends in order, so that no batch is taken for
/// one that crashed.
unsafe extern "C-unwind" fn end_in_order(signal: i32) {
    // SAFETY: handlers of Postgres, called as it calls them; they set flags and the latch.
    unsafe {
        SignalHandlerForShutdownRequest(signal);
        StatementCancelHandler(signal);
    }
}

/// For a process that does nothing it would have to bring to an end: SIGTERM ends it as it ends a backend.
pub(crate) fn end_at_once_when_asked() {
    install(die);
}

/// For a process that looks at [`termination_requested`]: SIGTERM ends the statement that runs, but not the process.
pub(crate) fn end_in_order_when_asked() {
    install(end_in_order);
}

/// SIGHUP asks for new settings.
fn install(end: unsafe extern "C-unwind" fn(i32)) {
    // SAFETY: signal handlers, installed on the main thread of a worker before signals are unblocked.
    unsafe {
        pg_sys::pqsignal(pg_sys::SIGTERM as i32, Some(end));
        pg_sys::pqsignal(pg_sys::SIGHUP as i32, Some(SignalHandlerForConfigReload));
        pg_sys::BackgroundWorkerUnblockSignals();
    }
}

/// Runs the body with all signals blocked, so that threads it starts never receive one: Postgres' handlers must run
/// on the main thread only.
pub(crate) fn with_signals_blocked<R>(body: impl FnOnce() -> R) -> R {
    struct Former(libc::sigset_t);
    impl Drop for Former {
        fn drop(&mut self) {
            // SAFETY: the mask that this thread had, also while a panic passes through.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
        }
    }
    // SAFETY: both sets are initialised by the calls that fill them before they are read.
    let _former = unsafe {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        let mut former = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), former.as_mut_ptr());
        Former(former.assume_init())
    };
    body()
}

/// Whether this process was asked to end.
pub(crate) fn termination_requested() -> bool {
    // SAFETY: reads a flag that a signal handler of this thread sets.
    unsafe { (&raw const pg_sys::ShutdownRequestPending).read_volatile() != 0 }
}

/// This process ends anyway: takes back the cancel that came with the request to, and hears no other, so that last short
/// transactions can run.
pub(crate) fn end_without_asking() {
    // SAFETY: flags and handlers of this process, changed on its main thread.
    unsafe {
        pg_sys::pqsignal(pg_sys::SIGTERM as i32, Some(unheard));
        pg_sys::pqsignal(pg_sys::SIGINT as i32, Some(unheard));
        (&raw mut pg_sys::QueryCancelPending).write_volatile(0);
    }
}

unsafe extern "C-unwind" fn unheard(_signal: i32) {}

/// Lets Postgres do what it wants of this process now and then: cancel, end, barriers.
pub(crate) fn check_interrupts() {
    pgrx::check_for_interrupts!();
}

/// Reads the configuration files again when asked to.
pub(crate) fn reload_settings_when_asked() {
    // SAFETY: the flag is set by a signal handler of this thread; reading the files is what Postgres' own workers do.
    unsafe {
        if (&raw const pg_sys::ConfigReloadPending).read_volatile() != 0 {
            (&raw mut pg_sys::ConfigReloadPending).write_volatile(0);
            pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP);
        }
    }
}
