//! Key files: their text, their permissions, and writing them so that nobody sees half of one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};

use super::{Key, KeyError};

pub(super) const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
pub(super) const END: &str = "-----END PRIVATE KEY-----";
/// A key file has some 220 bytes; nothing longer is read.
const MAX_FILE_BYTES: u64 = 4096;

/// Makes the directory, and those above it, for its owner alone; one that exists is left as it is.
pub(super) fn create_dir(dir: &Path) -> Result<(), KeyError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| file_error("create", dir, e))
}

/// Every key file of the directory, in no order.
pub(super) fn read_all(dir: &Path) -> Result<Vec<Key>, KeyError> {
    let failed = |e| file_error("read", dir, e);
    let mode = fs::metadata(dir).map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(KeyError::DirectoryTooOpen {
            path: dir.into(),
            mode,
        });
    }
    let mut keys = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            match read(&path) {
                // Deleted by a rotation since the directory was listed.
                Err(KeyError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                key => keys.push(key?),
            }
        }
    }
    Ok(keys)
}

fn read(path: &Path) -> Result<Key, KeyError> {
    let failed = |e| file_error("read", path, e);
    let file = File::open(path).map_err(failed)?;
    // Asked of the open file, not of the name, which could be exchanged in between.
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::FileTooOpen {
            path: path.into(),
            mode,
        });
    }
    let mut text = Vec::new();
    file.take(MAX_FILE_BYTES)
        .read_to_end(&mut text)
        .map_err(failed)?;
    let damaged = |fault| KeyError::Damaged {
        path: path.into(),
        fault,
    };
    let key = parse(&String::from_utf8_lossy(&text)).map_err(damaged)?;
    if path
        .file_name()
        .is_none_or(|name| name != key.file_name().as_str())
    {
        return Err(damaged("the key does not belong to this file name"));
    }
    Ok(key)
}

/// Writes a key so that a reader sees the old state or the new one, also after a power failure. The caller holds the lock.
pub(super) fn write(dir: &Path, key: &Key) -> Result<(), KeyError> {
    let path = dir.join(key.file_name());
    let draft = dir.join(".draft");
    let attempt = || -> io::Result<()> {
        // Left by a process that died here: a private key under a name that nobody looks for.
        if draft.exists() {
            fs::remove_file(&draft)?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(text_of(key).as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(dir)?.sync_all()
    };
    attempt().map_err(|e| file_error("write", &path, e))
}

/// Waits for the directory's lock and holds it until the file is dropped; the kernel lets go of it when a process dies.
pub(super) fn lock(dir: &Path) -> Result<File, KeyError> {
    let path = dir.join(".lock");
    let attempt = || -> io::Result<File> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)?;
        file.lock()?;
        Ok(file)
    };
    attempt().map_err(|e| file_error("lock", &path, e))
}

/// Deletes a key's file.
pub(super) fn delete(dir: &Path, key: &Key) -> Result<(), KeyError> {
    let path = dir.join(key.file_name());
    fs::remove_file(&path).map_err(|e| file_error("delete", &path, e))
}

/// A key file's text.
fn text_of(key: &Key) -> String {
    let [created, active_from] = [key.created, key.active_from]
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Micros, true));
    // 48 bytes of PKCS#8 version 1 are 64 characters: one line, as RFC 7468 wants it.
    let body = STANDARD.encode(key.signing.as_bytes());
    format!("Created: {created}\nActive-From: {active_from}\n{BEGIN}\n{body}\n{END}\n")
}

/// The key in a file's text, or what is wrong with it.
fn parse(text: &str) -> Result<Key, &'static str> {
    let (notes, rest) = text.split_once(BEGIN).ok_or("no BEGIN PRIVATE KEY line")?;
    let (body, _) = rest.split_once(END).ok_or("no END PRIVATE KEY line")?;
    let time = |name: &str| -> Option<DateTime<Utc>> {
        let value = notes.lines().find_map(|line| line.strip_prefix(name))?;
        Some(DateTime::parse_from_rfc3339(value.trim()).ok()?.to_utc())
    };
    let created = time("Created:").ok_or("no Created line with a time")?;
    let active_from = time("Active-From:").ok_or("no Active-From line with a time")?;
    let pkcs8 = STANDARD
        .decode(body.split_whitespace().collect::<String>())
        .map_err(|_| "the key is not base64")?;
    Key::from_pkcs8(&pkcs8, created, active_from).ok_or("the key is not an Ed25519 key in PKCS#8")
}

fn file_error(action: &'static str, path: &Path, source: io::Error) -> KeyError {
    KeyError::File {
        action,
        path: path.into(),
        source,
    }
}
