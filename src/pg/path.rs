//! Folders of this Postgres installation.

use std::ffi::{CStr, c_char};
use std::path::PathBuf;

use pgrx::pg_sys;

/// Where packages put files that do not depend on the machine: `pg_config --sharedir`.
pub(crate) fn share_directory() -> PathBuf {
    let mut buffer = [0 as c_char; pg_sys::MAXPGPATH as usize];
    // SAFETY: my_exec_path is a C string set at start; the buffer has the size that the function asks for.
    unsafe {
        pg_sys::get_share_path((&raw const pg_sys::my_exec_path).cast(), buffer.as_mut_ptr());
        PathBuf::from(CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned())
    }
}

/// Where loadable modules are: `pg_config --pkglibdir`.
pub(crate) fn library_directory() -> PathBuf {
    // SAFETY: a C string set at start.
    unsafe {
        let path = (&raw const pg_sys::pkglib_path).cast::<c_char>();
        PathBuf::from(CStr::from_ptr(path).to_string_lossy().into_owned())
    }
}
