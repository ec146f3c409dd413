//! Signals and interrupts of a worker process.

use std::mem::MaybeUninit;

use pgrx::pg_sys;

unsafe extern "C-unwind" {
    // Declared here since pgrx gives these as guarded Rust functions, which cannot be signal handlers.
    fn die(signal: i32);
    fn SignalHandlerForConfigReload(signal: i32);
}

/// SIGTERM ends statements and the process as it does in a backend; SIGHUP asks for new settings.
pub(crate) fn install_handlers() {
    // SAFETY: Postgres' own handlers, installed on the main thread of a worker before signals are unblocked.
    unsafe {
        pg_sys::pqsignal(pg_sys::SIGTERM as i32, Some(die));
        pg_sys::pqsignal(pg_sys::SIGHUP as i32, Some(SignalHandlerForConfigReload));
        pg_sys::BackgroundWorkerUnblockSignals();
    }
}

/// Runs the body with all signals blocked, so that threads it starts never receive one: Postgres' handlers must run
/// on the main thread only.
pub(crate) fn with_signals_blocked<R>(body: impl FnOnce() -> R) -> R {
    let mut former = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are initialised by the calls that fill them before they are read; the former mask is restored
    // on the same thread.
    unsafe {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), former.as_mut_ptr());
        let result = body();
        libc::pthread_sigmask(libc::SIG_SETMASK, former.as_ptr(), std::ptr::null_mut());
        result
    }
}

/// Whether this process was asked to end.
pub(crate) fn termination_requested() -> bool {
    // SAFETY: reads a flag that a signal handler of this thread sets.
    unsafe { (&raw const pg_sys::ProcDiePending).read_volatile() != 0 }
}

/// Takes back the request to end, so that a last short transaction can run before the process ends by itself.
pub(crate) fn postpone_termination() {
    // SAFETY: flags of this process, written on its main thread.
    unsafe {
        (&raw mut pg_sys::ProcDiePending).write_volatile(0);
        (&raw mut pg_sys::InterruptPending).write_volatile(0);
    }
}

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
