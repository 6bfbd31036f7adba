use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::thread;

use base64::engine::general_purpose::STANDARD;
use rstest::rstest;

use super::files::END;
use super::*;

/// A key directory that goes away with the test.
pub(in crate::access) struct KeyDir(PathBuf);

impl KeyDir {
    pub(in crate::access) fn new() -> Self {
        let name = super::super::secret::new_client_id().unwrap();
        Self(std::env::temp_dir().join(format!("samverkan-keys-{name}")))
    }

    pub(in crate::access) fn path(&self) -> &Path {
        &self.0
    }

    fn key_files(&self) -> BTreeSet<PathBuf> {
        let paths = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|e| e == "pem"))
            .collect()
    }

    /// The only key file.
    fn key_file(&self) -> PathBuf {
        let files = self.key_files();
        assert_eq!(files.len(), 1);
        files.into_iter().next().unwrap()
    }
}

impl Drop for KeyDir {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A moment long past: nothing here may look at the real clock.
pub(in crate::access) fn monday() -> DateTime<Utc> {
    "2024-03-04T08:00:00Z".parse().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn one_line(error: &KeyError) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

#[test]
fn the_first_load_makes_a_key_that_later_loads_find() {
    let dir = KeyDir::new();
    let made = KeyRing::load_or_create(dir.path(), monday()).unwrap();
    let found = KeyRing::load_or_create(dir.path(), monday() + TimeDelta::days(400)).unwrap();
    assert_eq!(made.all().len(), 1);
    assert!(made.is_same_as(&found));
    assert_ne!(made.generation(), found.generation());
    assert_eq!(found.all()[0].created(), monday());
    assert_eq!(found.current(monday()).unwrap().kid(), made.all()[0].kid());
}

#[test]
fn the_directory_is_0700_and_a_key_file_0600() {
    let dir = KeyDir::new();
    KeyRing::load_or_create(dir.path(), monday()).unwrap();
    KeyRing::rotate(dir.path(), monday(), Start::AfterNotice).unwrap();
    assert_eq!(mode(dir.path()), 0o700);
    let files = dir.key_files();
    assert_eq!(files.len(), 2);
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert!(!dir.path().join(".draft").exists());
}

#[rstest]
#[case(0o644)]
#[case(0o640)]
#[case(0o604)]
#[case(0o620)]
#[case(0o601)]
fn a_key_file_that_others_can_use_is_refused_by_name(#[case] open: u32) {
    let dir = KeyDir::new();
    KeyRing::load_or_create(dir.path(), monday()).unwrap();
    let file = dir.key_file();
    chmod(&file, open);
    let error = KeyRing::load_or_create(dir.path(), monday()).unwrap_err();
    assert!(matches!(error, KeyError::FileTooOpen { mode, .. } if mode == open));
    assert!(one_line(&error).contains(&format!("chmod 600 {}", file.display())));
    chmod(&file, 0o400);
    KeyRing::load_or_create(dir.path(), monday()).unwrap();
}

#[rstest]
#[case(0o777)]
#[case(0o770)]
#[case(0o702)]
fn a_directory_in_which_others_can_write_is_refused(#[case] open: u32) {
    let dir = KeyDir::new();
    KeyRing::load_or_create(dir.path(), monday()).unwrap();
    chmod(dir.path(), open);
    let error = KeyRing::load(dir.path(), monday()).unwrap_err();
    assert!(matches!(error, KeyError::DirectoryTooOpen { mode, .. } if mode == open));
    assert!(one_line(&error).contains(&dir.path().display().to_string()));
}

#[rstest]
#[case::emptied(|_: &str| String::new(), "BEGIN")]
#[case::cut_short(|t: &str| t[..t.len() - 40].to_owned(), "END")]
#[case::no_start(|t: &str| t.replace("Active-From:", "Active:"), "Active-From")]
#[case::no_creation(|t: &str| t.replace("Created: 2024", "Created: MMXXIV"), "Created")]
#[case::not_base64(|t: &str| t.replace("MC4C", "M*4C"), "base64")]
#[case::not_ed25519(|t: &str| t.replace("MC4CAQAwBQYDK2Vw", "MC4CAQAwBQYDK2Vu"), "Ed25519")]
fn a_damaged_key_file_is_refused_by_name_with_the_reason(
    #[case] damage: fn(&str) -> String,
    #[case] reason: &str,
) {
    let dir = KeyDir::new();
    KeyRing::load_or_create(dir.path(), monday()).unwrap();
    let file = dir.key_file();
    let text = fs::read_to_string(&file).unwrap();
    let damaged = damage(&text);
    assert_ne!(damaged, text);
    fs::write(&file, damaged).unwrap();

    let error = KeyRing::load_or_create(dir.path(), monday()).unwrap_err();
    assert!(matches!(error, KeyError::Damaged { .. }), "{error}");
    let line = one_line(&error);
    assert!(
        line.contains(&file.display().to_string()) && line.contains(reason),
        "{line}"
    );
}

#[test]
fn a_key_whose_bits_changed_does_not_fit_its_file_name() {
    let dir = KeyDir::new();
    KeyRing::load_or_create(dir.path(), monday()).unwrap();
    let file = dir.key_file();
    let text = fs::read_to_string(&file).unwrap();
    // The last character before END is part of the secret seed: any other seed is a valid key as well.
    let end = text.find(END).unwrap() - 2;
    let other = if &text[end..=end] == "A" { "B" } else { "A" };
    fs::write(
        &file,
        format!("{}{other}{}", &text[..end], &text[end + 1..]),
    )
    .unwrap();
    let error = KeyRing::load(dir.path(), monday()).unwrap_err();
    assert!(
        one_line(&error).contains("does not belong to this file name"),
        "{error}"
    );
}

#[test]
fn a_directory_without_keys_is_an_error_for_a_running_service_and_stays_empty() {
    let dir = KeyDir::new();
    DirBuilder::new().mode(0o700).create(dir.path()).unwrap();
    let error = KeyRing::load(dir.path(), monday()).unwrap_err();
    assert!(matches!(error, KeyError::Empty { .. }), "{error}");
    assert!(dir.key_files().is_empty());
    assert!(matches!(
        KeyRing::rotate(dir.path(), monday(), Start::AtOnce),
        Err(KeyError::Empty { .. })
    ));
    assert!(matches!(
        KeyRing::load(&dir.path().join("absent"), monday()),
        Err(KeyError::File { .. })
    ));
}

#[test]
fn eight_services_that_start_together_on_an_empty_directory_share_one_key() {
    let dir = KeyDir::new();
    let kids: BTreeSet<String> = thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    KeyRing::load_or_create(dir.path(), monday()).unwrap().all()[0]
                        .kid()
                        .to_owned()
                })
            })
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect()
    });
    assert_eq!(kids.len(), 1);
    assert_eq!(dir.key_files().len(), 1);
}

#[test]
fn a_rotated_key_waits_a_day_then_signs_and_the_old_one_is_accepted_for_another_hour() {
    let dir = KeyDir::new();
    let first = KeyRing::load_or_create(dir.path(), monday()).unwrap();
    let old = first.all()[0].kid();
    let ring = KeyRing::rotate(dir.path(), monday(), Start::AfterNotice).unwrap();
    let tuesday = monday() + NOTICE;
    let new = ring.next(monday()).unwrap().kid();
    assert_ne!(new, old);
    assert_eq!(
        ring.jwks()
            .keys
            .iter()
            .map(|key| key.kid.as_str())
            .collect::<Vec<_>>(),
        [old, new]
    );

    let second = TimeDelta::seconds(1);
    let signs = |now| ring.current(now).unwrap().kid();
    assert_eq!(signs(tuesday - second), old);
    assert_eq!(signs(tuesday), new);
    assert!(ring.next(tuesday).is_none());

    let accepts = |kid: &str, now| ring.accepted(kid, now).is_some();
    assert!(
        accepts(new, monday()),
        "a replica whose clock is ahead may use it before we do"
    );
    assert!(accepts(old, tuesday + PREVIOUS_KEPT - second));
    assert!(!accepts(old, tuesday + PREVIOUS_KEPT));
    assert!(accepts(new, tuesday + TimeDelta::days(1000)));

    let later = KeyRing::load(dir.path(), tuesday + PREVIOUS_KEPT).unwrap();
    assert_eq!(later.all().iter().map(Key::kid).collect::<Vec<_>>(), [new]);
}

#[test]
fn a_second_rotation_is_refused_while_a_key_waits_and_can_be_started_at_once() {
    let dir = KeyDir::new();
    KeyRing::load_or_create(dir.path(), monday()).unwrap();
    let waiting = KeyRing::rotate(dir.path(), monday(), Start::AfterNotice).unwrap();
    let kid = waiting.next(monday()).unwrap().kid().to_owned();

    let soon = monday() + TimeDelta::hours(1);
    let error = KeyRing::rotate(dir.path(), soon, Start::AfterNotice).unwrap_err();
    assert!(matches!(&error, KeyError::AlreadyWaiting { kid: named, .. } if *named == kid));
    assert!(one_line(&error).contains(&kid));
    assert_eq!(dir.key_files().len(), 2);

    let ring = KeyRing::rotate(dir.path(), soon, Start::AtOnce).unwrap();
    assert_eq!(ring.all().len(), 2);
    assert_eq!(ring.current(soon).unwrap().kid(), kid);
    assert_eq!(ring.current(soon).unwrap().created(), monday());
    assert!(!ring.is_same_as(&waiting));
}

#[test]
fn a_rotation_deletes_the_files_of_keys_that_are_no_longer_accepted() {
    let dir = KeyDir::new();
    let mut now = monday();
    let mut kids = vec![
        KeyRing::load_or_create(dir.path(), now).unwrap().all()[0]
            .kid()
            .to_owned(),
    ];
    for _ in 0..4 {
        now += TimeDelta::days(90);
        let ring = KeyRing::rotate(dir.path(), now, Start::AfterNotice).unwrap();
        let new = ring.next(now).unwrap().kid().to_owned();
        assert_eq!(
            ring.all().iter().map(Key::kid).collect::<Vec<_>>(),
            [kids.last().unwrap(), &new]
        );
        assert_eq!(dir.key_files().len(), 2);
        kids.push(new);
    }
}

#[test]
fn a_leaked_key_hands_over_at_once_and_is_gone_when_its_file_is_deleted() {
    // Eight times, because a tie between keys made in the same instant would fall either way.
    for _ in 0..8 {
        let dir = KeyDir::new();
        let leaked = KeyRing::load_or_create(dir.path(), monday()).unwrap().all()[0].file_name();
        let ring = KeyRing::rotate(dir.path(), monday(), Start::AtOnce).unwrap();
        let next_instant = monday() + TimeDelta::microseconds(1);
        let signer = ring.current(next_instant).unwrap().file_name();
        assert_ne!(signer, leaked);
        fs::remove_file(dir.path().join(&leaked)).unwrap();
        let ring = KeyRing::load(dir.path(), monday()).unwrap();
        assert_eq!(
            ring.all().iter().map(Key::file_name).collect::<Vec<_>>(),
            [signer]
        );
    }
}

#[test]
fn a_clock_that_was_set_back_leaves_a_key_to_sign_with() {
    let dir = KeyDir::new();
    let yesterday = monday() - TimeDelta::days(1);
    KeyRing::load_or_create(dir.path(), monday()).unwrap();
    let ring = KeyRing::load(dir.path(), yesterday).unwrap();
    assert!(ring.current(yesterday).is_some());
    assert!(
        ring.next(yesterday).is_none(),
        "a rotation is not blocked by the only key"
    );
}

#[test]
fn what_a_crashed_writer_left_behind_is_ignored_and_then_removed() {
    let dir = KeyDir::new();
    let ring = KeyRing::load_or_create(dir.path(), monday()).unwrap();
    fs::write(dir.path().join(".draft"), "half a k").unwrap();
    assert!(
        KeyRing::load(dir.path(), monday())
            .unwrap()
            .is_same_as(&ring)
    );
    KeyRing::rotate(dir.path(), monday(), Start::AfterNotice).unwrap();
    assert!(!dir.path().join(".draft").exists());
}

#[test]
fn a_file_that_vanishes_while_the_directory_is_read_is_no_error() {
    let dir = KeyDir::new();
    let ring = KeyRing::load_or_create(dir.path(), monday()).unwrap();
    // Listed, but not there when it is opened.
    std::os::unix::fs::symlink("gone", dir.path().join("key-gone.pem")).unwrap();
    assert!(
        KeyRing::load(dir.path(), monday())
            .unwrap()
            .is_same_as(&ring)
    );
}

#[test]
fn the_published_key_and_its_id_are_those_of_rfc_8037_appendix_a() {
    let seed = URL_SAFE_NO_PAD
        .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .unwrap();
    let header = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let key = Key::from_pkcs8(&[&header[..], &seed].concat(), monday(), monday()).unwrap();
    let ring = KeyRing {
        keys: vec![key],
        generation: 0,
    };
    ring.self_test().unwrap();
    assert_eq!(
        serde_json::to_value(ring.jwks()).unwrap(),
        serde_json::json!({"keys": [{
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "alg": "EdDSA", "use": "sig",
        }]})
    );
}

#[test]
fn a_key_that_does_not_fit_itself_fails_the_self_test() {
    let mut key = generate(monday(), monday()).unwrap();
    key.verifying = generate(monday(), monday()).unwrap().verifying;
    let ring = KeyRing {
        keys: vec![key],
        generation: 0,
    };
    let error = ring.self_test().unwrap_err();
    assert!(one_line(&error).contains(ring.all()[0].kid()));
}

#[test]
fn debug_shows_no_private_key() {
    let dir = KeyDir::new();
    let ring = KeyRing::load_or_create(dir.path(), monday()).unwrap();
    let shown = format!("{ring:?}");
    let private = STANDARD.encode(ring.all()[0].signing().as_bytes());
    let private_list = format!("{:?}", ring.all()[0].signing().as_bytes());
    assert!(shown.contains(ring.all()[0].kid()));
    assert!(!shown.contains(&private) && !shown.contains(private_list.trim_matches(['[', ']'])));
}
