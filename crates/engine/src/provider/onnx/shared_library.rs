//! Tells a complete shared library from a broken one before the dynamic linker touches it.
//!
//! The linker maps what the file's headers announce. When the file is shorter (an interrupted download, a full disk) it
//! dies by SIGBUS instead of reporting an error, and a worker that dies by a signal takes the whole database down.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The ELF header of a 64-bit file.
const HEADER_BYTES: usize = 64;
/// One program header of a 64-bit file.
const SEGMENT_BYTES: usize = 56;
/// `PT_LOAD`: a piece of the file that is mapped to memory.
const LOADED_SEGMENT: u32 = 1;

/// Says what is wrong with the file, if it is not a whole shared library for this machine's word size.
pub(super) fn check(path: &Path) -> Result<(), String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();

    let mut header = [0; HEADER_BYTES];
    file.read_exact(&mut header).map_err(|_| too_short(length))?;
    let [b'\x7f', b'E', b'L', b'F', 2, 1, ..] = header else {
        return Err("it is not a 64-bit shared library".to_owned());
    };
    let table_at = u64_at(&header, 32).unwrap_or(u64::MAX);
    let entry_bytes = usize::from(u16_at(&header, 54).unwrap_or_default());
    let entries = usize::from(u16_at(&header, 56).unwrap_or_default());
    // Every linker writes the table right behind the header; anything else is not worth supporting here.
    if table_at != HEADER_BYTES as u64 || entry_bytes != SEGMENT_BYTES {
        return Err("its program headers are malformed".to_owned());
    }
    let mut table = vec![0; entries * SEGMENT_BYTES];
    file.read_exact(&mut table).map_err(|_| too_short(length))?;
    let ends = table
        .chunks_exact(SEGMENT_BYTES)
        .filter(|segment| u32_at(segment, 0) == Some(LOADED_SEGMENT))
        .map(|segment| {
            let (offset, size) = (
                u64_at(segment, 8).unwrap_or(u64::MAX),
                u64_at(segment, 32).unwrap_or(u64::MAX),
            );
            offset.saturating_add(size)
        });
    match ends.max() {
        None => Err("it has no loadable segment".to_owned()),
        Some(end) if end > length => Err(too_short(length)),
        Some(_) => Ok(()),
    }
}

fn too_short(length: u64) -> String {
    format!("it ends too early, after {length} bytes")
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    /// The smallest file that passes: a header, one loaded segment of 100 bytes at offset 0, and those bytes.
    fn library() -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES + SEGMENT_BYTES + 100];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[32..40].copy_from_slice(&64u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&1u16.to_le_bytes());
        bytes[64..68].copy_from_slice(&1u32.to_le_bytes());
        bytes[96..104].copy_from_slice(&220u64.to_le_bytes());
        bytes
    }

    fn checked(bytes: &[u8]) -> Result<(), String> {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        fs::write(file.path(), bytes).expect("written");
        check(file.path())
    }

    #[test]
    fn a_whole_library_passes() {
        assert_eq!(checked(&library()), Ok(()));
    }

    proptest! {
        #[test]
        fn a_library_cut_anywhere_is_refused(length in 0usize..220) {
            prop_assert!(checked(&library()[..length]).is_err());
        }

        #[test]
        fn no_content_makes_the_check_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
            elf in any::<bool>(),
        ) {
            if elf {
                let known = library();
                let length = bytes.len().min(56);
                bytes[..length].copy_from_slice(&known[..length]);
            }
            let _ = checked(&bytes);
        }
    }
}
