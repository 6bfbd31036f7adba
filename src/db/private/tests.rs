//! The life of a cluster, against the installed PostgreSQL.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{launch::until_ready, *};

/// A data directory of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Self(PathBuf::from(format!(
            "/var/tmp/samverkan-unit-{}-{number}",
            std::process::id()
        )))
    }

    fn start(&self) -> Result<PrivateCluster, PrivateError> {
        PrivateCluster::start(&self.0, Durability::Fast, None)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// The answer of `psql`, asked by the user who runs the tests.
fn query(cluster: &PrivateCluster, sql: &str) -> String {
    let psql = Binaries::find(None, None).unwrap().path("psql");
    let output = Command::new(psql)
        .args(["-XAtqc", sql, &cluster.url("postgres")])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_durable_cluster_starts_from_nothing_and_keeps_its_promises() {
    let scratch = Scratch::new();
    let cluster = PrivateCluster::start(&scratch.0, Durability::Durable, None).unwrap();
    assert_eq!(query(&cluster, "select 1"), "1");
    let settings = "select string_agg(setting, ' ' order by name) from pg_settings \
                    where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'data_checksums')";
    assert_eq!(
        query(&cluster, settings),
        "on on on  on",
        "data_checksums, fsync, full_page_writes, no address, commit"
    );
    cluster.stop().unwrap();
    assert_eq!(running_url(&scratch.0, "postgres"), None);
}

#[test]
fn a_table_is_still_there_after_a_restart() {
    let scratch = Scratch::new();
    let cluster = scratch.start().unwrap();
    let url = cluster.url("postgres");
    query(&cluster, "create table kept (note text)");
    drop(cluster);
    let cluster = scratch.start().unwrap();
    assert_eq!(query(&cluster, "select count(*) from kept"), "0");
    assert_eq!(
        cluster.url("postgres"),
        url,
        "the address of a data directory is stable"
    );
}

#[test]
fn a_running_cluster_is_found_and_a_second_start_is_refused() {
    let scratch = Scratch::new();
    assert_eq!(running_url(&scratch.0, "postgres"), None);
    let cluster = scratch.start().unwrap();
    assert_eq!(
        running_url(&scratch.0, "samverkan"),
        Some(cluster.url("samverkan"))
    );
    let error = scratch.start().unwrap_err().to_string();
    assert!(error.contains("another instance runs"), "{error}");
    assert!(
        error.contains(&format!("process {}", std::process::id())),
        "{error}"
    );
    let serving = |error| match error {
        PrivateError::Running { serving, .. } => serving,
        other => panic!("{other}"),
    };
    assert!(!serving(scratch.start().unwrap_err()));
    cluster.announce_service().unwrap();
    let error = scratch.start().unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("process {};", std::process::id())),
        "{error}"
    );
    assert!(serving(error));
    assert_eq!(
        query(&cluster, "select 1"),
        "1",
        "the first instance is unharmed"
    );
}

#[test]
fn a_server_that_somebody_else_started_is_reported_with_its_process() {
    let scratch = Scratch::new();
    scratch.start().unwrap().stop().unwrap();
    let user = ServerUser::choose().unwrap();
    let binaries = Binaries::find(None, None).unwrap();
    let mut command = user.command(&binaries.path("postgres"));
    command.arg("-D").arg(home::cluster(&scratch.0));
    command.args(["-c", "listen_addresses=", "-c"]).arg(format!(
        "unix_socket_directories={}/socket",
        scratch.0.display()
    ));
    let mut other = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until_ready(&mut other, &home::cluster(&scratch.0))
        .unwrap()
        .unwrap();
    let error = scratch.start().unwrap_err().to_string();
    process::signal(&other, process::IMMEDIATE_SHUTDOWN);
    other.wait().unwrap();
    assert!(
        error.contains(&format!("PostgreSQL, process {}", other.id())),
        "{error}"
    );
}

#[test]
fn what_a_killed_server_leaves_behind_does_not_hinder_the_next() {
    let scratch = Scratch::new();
    let start = || PrivateCluster::start(&scratch.0, Durability::Durable, None).unwrap();
    let mut cluster = start();
    query(&cluster, "create table kept (note text)");
    process::signal(&cluster.postmaster, process::KILL);
    // Not yet waited for: the postmaster is a zombie, its file says "ready".
    within(Duration::from_secs(5), || {
        (!process::is_postgres(cluster.postmaster.id())).then_some(())
    })
    .unwrap();
    assert!(
        Postmaster::read(&cluster.home.cluster())
            .unwrap()
            .is_ready()
    );
    assert_eq!(
        running_url(&scratch.0, "postgres"),
        None,
        "a zombie serves nobody"
    );
    await_predecessor(&cluster.home).unwrap();
    assert!(Postmaster::read(&cluster.home.cluster()).is_none());
    cluster.shut_down().unwrap();
    drop(cluster);
    assert_eq!(query(&start(), "select count(*) from kept"), "0");
}

#[test]
fn a_stale_file_that_names_a_living_stranger_does_not_hinder_the_next() {
    let scratch = Scratch::new();
    scratch.start().unwrap().stop().unwrap();
    let cluster = home::cluster(&scratch.0);
    let stale = format!(
        "{}\n{}\n0\n5432\n/nonexistent\n\n0\nready\n",
        std::process::id(),
        cluster.display()
    );
    fs::write(cluster.join("postmaster.pid"), stale).unwrap();
    assert_eq!(running_url(&scratch.0, "postgres"), None);
    assert_eq!(query(&scratch.start().unwrap(), "select 1"), "1");
}

#[test]
fn two_builders_of_the_template_do_not_disturb_each_other() {
    let scratches = [Scratch::new(), Scratch::new()];
    let user = ServerUser::choose().unwrap();
    let mut binaries = Binaries::find(None, None).unwrap();
    // A version that nobody has a template of yet, so that both threads build it.
    binaries.version = format!("{}-unit-{}", binaries.version, std::process::id());
    let build = |scratch: &Scratch| {
        let home = Home::open(&scratch.0, user.clone()).unwrap();
        home.initialise(&binaries, Durability::Fast).unwrap();
        home.major()
    };
    let majors = thread::scope(|scope| {
        let threads = scratches
            .each_ref()
            .map(|scratch| scope.spawn(|| build(scratch)));
        threads.map(|thread| thread.join().unwrap())
    });
    let template = home::template_path(&binaries.version);
    let left = fs::read_dir(template.parent().unwrap())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name());
    let own = template.file_name().unwrap().to_string_lossy().into_owned();
    let left: Vec<_> = left
        .filter(|name| name.to_string_lossy().starts_with(&own))
        .collect();
    fs::remove_dir_all(&template).unwrap();
    assert_eq!(majors, [Some(binaries.major); 2]);
    assert_eq!(left, [own.as_str()], "no half-built template is left");
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let scratch = Scratch::new();
    scratch.start().unwrap().stop().unwrap();
    fs::write(
        home::cluster(&scratch.0).join("postgresql.conf"),
        "work_mem = nonsense\n",
    )
    .unwrap();
    let error = scratch.start().unwrap_err().to_string();
    assert!(
        error.contains("did not start") && error.contains("postgres.log"),
        "{error}"
    );
    assert!(error.contains("postgresql.conf"), "{error}");
}

#[test]
fn a_data_directory_of_another_user_is_left_alone() {
    let scratch = Scratch::new();
    // Root can make a directory for somebody else; anybody else finds one that is root's.
    let foreign = if process::user_id() == 0 {
        fs::create_dir(&scratch.0).unwrap();
        std::os::unix::fs::chown(&scratch.0, Some(65534), None).unwrap();
        scratch.0.as_path()
    } else {
        Path::new("/")
    };
    let error = PrivateCluster::start(foreign, Durability::Fast, None).unwrap_err();
    assert!(matches!(error, PrivateError::NotOurs { .. }), "{error}");
}

#[test]
fn a_data_directory_that_the_server_cannot_reach_is_refused_with_the_place() {
    let user = ServerUser {
        name: "postgres".to_owned(),
        uid: 65533,
        gid: 65533,
        other: true,
    };
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.0.join("inner")).unwrap();
    user.can_reach(&scratch.0.join("inner")).unwrap();
    process::set_mode(&scratch.0, 0o700).unwrap();
    let error = user
        .can_reach(&scratch.0.join("inner"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("may not enter {}:", scratch.0.display())),
        "{error}"
    );
}

#[test]
fn the_default_data_directory_follows_the_desktop_convention_except_for_root() {
    let home = Path::new("/home/maria");
    let user_id = process::user_id();
    let fallback = PathBuf::from(format!("/var/tmp/samverkan-{user_id}"));
    let expected = |path: &str| {
        if user_id == 0 {
            fallback.clone()
        } else {
            PathBuf::from(path)
        }
    };
    assert_eq!(
        default_data_dir(None, Some(home)),
        expected("/home/maria/.local/share/samverkan")
    );
    assert_eq!(
        default_data_dir(Some(Path::new("/data")), Some(home)),
        expected("/data/samverkan")
    );
    assert_eq!(
        default_data_dir(Some(Path::new("data")), Some(home)),
        expected("/home/maria/.local/share/samverkan")
    );
    assert_eq!(default_data_dir(None, None), fallback);
}

#[test]
fn an_address_encodes_the_directory_and_the_name() {
    assert_eq!(
        url(Path::new("/tmp/a"), "å/b"),
        "postgres://samverkan@%2Ftmp%2Fa/%C3%A5%2Fb"
    );
}

#[test]
fn a_cluster_outlives_the_thread_that_started_it() {
    let scratch = Scratch::new();
    let cluster = thread::scope(|scope| scope.spawn(|| scratch.start().unwrap()).join().unwrap());
    // Had the kernel told the server that its parent was gone, it would have shut down by now.
    thread::sleep(Duration::from_millis(300));
    assert_eq!(query(&cluster, "select 1"), "1");
}
