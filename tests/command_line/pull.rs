//! `samverkan pull` against a real service.

use std::fs;
use std::io::{BufRead as _, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::office::{Client, Held, Office, outcome};
use super::{Directory, Service};

/// The copy agrees with the service, by reckoning and by what it says itself.
async fn assert_equal(client: &Client, folder: &Path) -> Held {
    let held = Held::of(folder).unwrap();
    held.assert_whole();
    assert_eq!(held.reckoned(), client.digest().await);
    held
}

#[actix_web::test]
async fn a_copy_is_complete_and_stays_so() {
    let office = Office::open();
    let client = office.client("SE");
    let folder = office.directory.0.join("copy");
    let said = client.pulled(&folder);
    assert!(
        said.contains("copied as a whole: there was no copy"),
        "{said}"
    );
    assert!(said.contains("the copy agrees with the service"), "{said}");
    let held = assert_equal(&client, &folder).await;
    for of in [
        "partners",
        "projects",
        "collaborations",
        "measures",
        "reports",
        "districts",
    ] {
        assert!(!held.rows[of].is_empty(), "{of}");
    }

    // The tables are the lists' own: same columns in the same order, codes with their zeros, one row for each observation.
    let partners = fs::read_to_string(folder.join("partners.csv")).unwrap();
    let list = reqwest::Client::new()
        .get(format!(
            "{}/samverkan/v1/partners?format=csv&limit=1",
            office.service.origin
        ))
        .bearer_auth(client.token().await)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let heading = |text: &str| -> Vec<String> {
        let all = text.lines().next().unwrap().split(',').map(str::to_owned);
        // What a list shows on demand only, a copy always has, so it may be missing where no row has any.
        all.filter(|column| column != "contacts" && column != "deletedAt")
            .collect()
    };
    assert_eq!(heading(&partners), heading(&list));
    let schools = held.table("culture-schools.csv");
    assert!(
        schools
            .iter()
            .all(|school| school["municipality"].len() == 4)
    );
    let observations = held.table("observations.csv");
    let counted: u64 = held.rows["reports"]
        .iter()
        .map(|report| report["observationCount"].as_u64().unwrap())
        .sum();
    assert!(counted > 100);
    assert_eq!(observations.len() as u64, counted);
    assert!(!held.table("reports.csv")[0].contains_key("observations"));
    assert!(held.rows["reports"][0]["observations"].is_array());

    // Nothing new: the same state.
    let said = client.pulled(&folder);
    assert!(
        !said.contains("written") && !said.contains("as a whole"),
        "{said}"
    );
    assert_eq!(Held::of(&folder).unwrap().place, held.place);

    // A row that is new, one that is changed, one that goes.
    let stays = client
        .add_partner("Åmåls \"danslag\", ideell förening")
        .await;
    let goes = client.add_partner("=1+1").await;
    client.pulled(&folder);
    let changed = json!({"description": "Två\nrader"});
    let path = format!("/partners/{stays}");
    assert_eq!(
        client.send(Method::PATCH, &path, Some(changed)).await.0,
        200
    );
    let path = format!("/partners/{goes}");
    assert!(client.send(Method::DELETE, &path, None).await.0 < 300);
    let before = assert_has(&folder, &goes, true);
    let said = client.pulled(&folder);
    assert!(said.contains("1 written  1 removed"), "{said}");
    let held = assert_equal(&client, &folder).await;
    assert_has(&folder, &goes, false);
    let table = held.table("partners.csv");
    let row = table.iter().find(|row| row["id"] == stays).unwrap();
    assert_eq!(row["name"], "Åmåls \"danslag\", ideell förening");
    assert_eq!(row["description"], "Två\nrader");
    // Whoever reads the state before goes on reading it; what nothing changed in is not written anew.
    assert_eq!(before.table("partners.csv").len(), table.len() + 1);
    let inode = |held: &Held| {
        fs::metadata(held.place.join("projects.ndjson"))
            .unwrap()
            .ino()
    };
    assert_eq!(inode(&before), inode(&held));
    let states = fs::read_dir(folder.join("states")).unwrap().count();
    assert_eq!(states, 2);
}

#[track_caller]
fn assert_has(folder: &Path, key: &str, there: bool) -> Held {
    let held = Held::of(folder).unwrap();
    let has = held.rows["partners"].iter().any(|row| row["id"] == key);
    assert_eq!(has, there, "{key}");
    held
}

/// So many pulls are killed at work.
const KILLS: u32 = 24;

#[actix_web::test]
async fn a_pull_that_is_killed_at_any_moment_leaves_one_whole_state_and_the_next_one_goes_on() {
    let office = Office::open();
    let client = office.client("SE");
    let reference = office.directory.0.join("reference");
    let began = Instant::now();
    client.pulled(&reference);
    // What a pull takes; measured anew whenever one comes to its end, because this machine has other things to do as well.
    let mut whole = began.elapsed();

    let folder = office.directory.0.join("copy");
    let (mut killed, mut halfway, mut states, mut newest) = (0, 0, 0, Vec::new());
    for pulls in 1.. {
        assert!(pulls < 10 * KILLS, "only {killed} were killed at work");
        newest.push(client.add_partner(&format!("Förening {pulls}")).await);
        if pulls % 5 == 0 {
            let path = format!("/partners/{}", newest.remove(0));
            assert!(client.send(Method::DELETE, &path, None).await.0 < 300);
        }
        let mut pull = client.pull(&folder);
        let began = Instant::now();
        let mut pull = pull
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Sweeps from the first moments to the last.
        let moment = whole * (pulls % 12 + 1) / 13;
        while pull.try_wait().unwrap().is_none() && began.elapsed() < moment {
            std::thread::sleep(Duration::from_millis(1));
        }
        if pull.try_wait().unwrap().is_some() {
            whole = began.elapsed();
        } else {
            pull.kill().unwrap();
            pull.wait().unwrap();
            killed += 1;
            halfway += u32::from(folder.join("next").exists() || folder.join("snapshot").exists());
        }
        if let Some(held) = Held::of(&folder) {
            held.assert_whole();
            states += 1;
        }
        if killed >= KILLS && states > 0 {
            break;
        }
    }
    assert!(halfway > 0, "none was killed while it wrote");
    client.pulled(&folder);
    assert_equal(&client, &folder).await;
    let left: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| ["next", "snapshot", ".link"].contains(&name.as_str()))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[actix_web::test]
async fn who_may_see_less_keeps_less_and_a_copy_that_was_spoilt_is_made_anew() {
    let office = Office::open();
    let (country, region) = (office.client("SE"), office.client("14"));
    let folder = office.directory.0.join("copy");
    country.pulled(&folder);
    let all = assert_equal(&country, &folder).await.rows["reports"].len();

    let said = region.pulled(&folder);
    assert!(said.contains("copied as a whole: scope_changed"), "{said}");
    let held = assert_equal(&region, &folder).await;
    let few = held.rows["reports"].len();
    assert!(few < all, "{few} of {all}");

    // Fewer kinds: the files of the others go.
    let mut some = region.pull(&folder);
    some.env("SAMVERKAN_TYPES", "partners,projects");
    let said = super::succeed(&mut some);
    assert!(said.contains("other kinds of row are wanted"), "{said}");
    assert!(folder.join("partners.csv").exists());
    for gone in ["reports.csv", "observations.csv", "reports.ndjson"] {
        assert!(fs::symlink_metadata(folder.join(gone)).is_err(), "{gone}");
    }

    // Somebody wrote into the copy: it has one row less, or it is no longer rows.
    for spoil in [
        (|text: &str| text.split_once('\n').unwrap().1.to_owned()) as fn(&str) -> String,
        |text| text[..text.len() - 10].to_owned(),
    ] {
        country.pulled(&folder);
        let file = fs::canonicalize(folder.join("partners.ndjson")).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o222, 0);
        let text = fs::read_to_string(&file).unwrap();
        fs::remove_file(&file).unwrap();
        fs::write(&file, spoil(&text)).unwrap();
        country.add_partner("Ny förening").await;
        let said = country.pulled(&folder);
        assert!(said.contains("copied as a whole"), "{said}");
        assert_equal(&country, &folder).await;
    }
}

#[actix_web::test]
async fn a_folder_that_is_in_use_or_somebody_elses_is_left_alone() {
    let office = Office::open();
    let client = office.client("SE");
    let folder = office.directory.0.join("copy");
    client.pulled(&folder);
    let place = Held::of(&folder).unwrap().place;
    client.add_partner("Ny förening").await;

    let lock = fs::File::open(folder.join(".lock")).unwrap();
    lock.lock().unwrap();
    let (code, said, line) = outcome(&mut client.pull(&folder));
    assert_eq!((code, said.as_str()), (1, ""));
    assert!(line.contains("by another process"), "{line}");
    lock.unlock().unwrap();
    assert_eq!(Held::of(&folder).unwrap().place, place);

    let other = office.directory.0.join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("partners.csv"), "mine").unwrap();
    let (code, _, line) = outcome(&mut client.pull(&other));
    assert_eq!(code, 2, "{line}");
    assert!(line.contains("SAMVERKAN_DIR (--dir)"), "{line}");
    assert_eq!(
        fs::read_to_string(other.join("partners.csv")).unwrap(),
        "mine"
    );

    let elsewhere = client.at(&office.service.origin.replace("127.0.0.1", "localhost"));
    let (code, _, line) = outcome(&mut elsewhere.pull(&folder));
    assert_eq!(code, 2, "{line}");
    assert!(line.contains("it is a copy of http://127.0.0.1"), "{line}");
}

#[actix_web::test]
async fn what_will_not_do_is_told_in_one_line() {
    let office = Office::open();
    let client = office.client("SE");
    let folder = office.directory.0.join("copy");
    let refusal = async |client: &Client, arguments: &[&str], code: i32, told: &str| {
        let mut pull = client.pull(&folder);
        let (got, said, line) = outcome(pull.args(arguments).env("SAMVERKAN_LOG", "error"));
        assert_eq!((got, said.as_str()), (code, ""), "{line}");
        assert!(line.lines().count() == 1 && line.contains(told), "{line}");
        assert!(!line.contains("smv_"), "{line}");
    };
    let wrong = client.with_secret("smv_k3v7q2mzt5ab_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    refusal(&wrong, &[], 2, "SAMVERKAN_CLIENT_ID (--client-id)").await;
    let nowhere = client.at("http://127.0.0.1:9");
    refusal(&nowhere, &["--patience", "0"], 1, "has been away for 0 s").await;
    // Something that is not Samverkan.
    let docs = client.at(&format!("{}/docs", office.service.origin));
    refusal(&docs, &[], 2, "SAMVERKAN_URL (--url)").await;
    assert!(Held::of(&folder).is_none());
    // A secret in a file goes before the variable.
    let file = office.directory.join("secret");
    fs::write(
        &file,
        "smv_k3v7q2mzt5ab_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
    )
    .unwrap();
    refusal(
        &client,
        &["--client-secret-file", &file],
        2,
        "does not accept the client",
    )
    .await;
}

#[actix_web::test]
async fn a_service_that_is_away_is_waited_for() {
    let directory = Directory::new();
    let data = directory.join("data");
    let first = Service::start(&data, &["--demo"]);
    let address = first.origin.trim_start_matches("http://").to_owned();
    let office = Office {
        service: first,
        directory,
    };
    let client = office.client("SE");
    let Office { service, directory } = office;
    let folder = directory.0.join("copy");
    client.pulled(&folder);
    client.add_partner("Ny förening").await;
    service.stop("-INT");

    let mut pull = client.pull(&folder);
    let mut pull = pull
        .env("SAMVERKAN_PATIENCE", "120")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first warning says that it found nobody and waits.
    let mut warned = [0];
    pull.stderr
        .as_mut()
        .unwrap()
        .read_exact(&mut warned)
        .unwrap();
    let _service = Service::start_at(&data, &address);
    assert!(pull.wait().unwrap().success());
    assert_equal(&client, &folder).await;
}

#[actix_web::test]
async fn a_service_that_asks_to_wait_is_left_alone_for_so_long_and_not_for_ever() {
    let directory = Directory::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let _ = connection.read(&mut request);
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = connection.write_all(
                b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    let office = Directory::new();
    let folder = office.0.join("copy");
    let mut pull = super::samverkan(&["pull", "--dir", folder.to_str().unwrap()]);
    pull.env("SAMVERKAN_URL", origin)
        .env("SAMVERKAN_CLIENT_ID", "client_a")
        .env("SAMVERKAN_CLIENT_SECRET", "smv_a")
        .env("SAMVERKAN_PATIENCE", "3");
    let began = Instant::now();
    let (code, _, line) = outcome(&mut pull);
    let took = began.elapsed();
    assert_eq!(code, 1, "{line}");
    assert!(
        line.contains("429") && line.contains("has been away for 2 s"),
        "{line}"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 2, "{line}");
    assert!(took >= Duration::from_secs(2), "{took:?}");
    drop(directory);
}

#[actix_web::test]
async fn who_follows_has_each_change_as_it_comes() {
    let office = Office::open();
    let client = office.client("SE");
    let folder = office.directory.0.join("copy");
    let mut pull = client.pull(&folder);
    let mut pull = pull
        .arg("--follow")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(pull.stdout.take().unwrap()).lines();
    let mut until = |what: &str| {
        said.by_ref()
            .map(Result::unwrap)
            .find(|line| line.contains(what))
            .unwrap_or_else(|| panic!("it never said {what:?}"))
    };
    until("the copy agrees with the service");
    let id = client.add_partner("Ny förening").await;
    until("1 written");
    until("state of");
    assert_has(&folder, &id, true);
    pull.kill().unwrap();
    pull.wait().unwrap();
    assert_equal(&client, &folder).await;
}
