//! The office's own tool while the service, the database and the tool itself are killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::place::samverkan;
use crate::stage::Stage;

/// Rows and digest of each kind.
pub type Sums = BTreeMap<String, (u64, String)>;

/// What became of the tool.
#[derive(Debug, Default)]
pub struct Pulls {
    /// How often it was killed.
    pub killed: usize,
    /// How often it came to its end.
    pub ended: usize,
    /// Whether what lay in the folder when it had been killed was not what its `state.json` says.
    pub torn: usize,
}

pub fn folder(stage: &Stage) -> PathBuf {
    stage.place.join("copy")
}

/// Pulls into one folder and kills most of the pulls, until the writers are done.
pub async fn again_and_again(stage: Rc<Stage>, seed: u64) -> Pulls {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut pulls = Pulls::default();
    while stage.is_writing() {
        let mut pull = pull(&stage, "0").kill_on_drop(true).spawn().unwrap();
        // From before it has asked anything to after its end, on fast machines and on slow ones.
        let time = Duration::from_millis(10 << (random.next_u32() % 8));
        if timeout(time, pull.wait()).await.is_ok() {
            pulls.ended += 1;
        } else {
            pull.kill().await.unwrap();
            pulls.killed += 1;
        }
        let folder = folder(&stage);
        if folder.join("state.json").exists() && said(&folder) != sums(&folder) {
            pulls.torn += 1;
        }
        sleep(Duration::from_millis(100)).await;
    }
    pulls
}

/// One last pull that nobody disturbs: what it says, and whether it succeeded.
pub async fn to_the_end(stage: &Stage) -> (bool, String) {
    let mut command = pull(stage, "60");
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = output.output().await.unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
    (output.status.success(), said.concat())
}

fn pull(stage: &Stage, patience: &str) -> Command {
    let (id, secret) = &stage.reads_as;
    let mut command = samverkan(&["pull", "--url", &stage.service.origin, "--client-id", id]);
    command
        .args(["--patience", patience, "--dir"])
        .arg(folder(stage))
        .env("SAMVERKAN_CLIENT_SECRET", secret)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Command::from(command)
}

/// Where the digest of what the copy should hold is asked for.
pub fn digest_of(folder: &Path) -> String {
    let cursor = state(folder)["cursor"].as_str().unwrap().to_owned();
    let types: Vec<String> = said(folder).into_keys().collect();
    format!("/sync/digest?cursor={cursor}&types={}", types.join(","))
}

fn state(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("state.json")).unwrap()).unwrap()
}

/// What `state.json` says that the files come to.
fn said(folder: &Path) -> Sums {
    let state = state(folder);
    told(&state["types"])
}

/// The digests of a list, as the service and `state.json` tell them.
pub fn told(types: &Value) -> Sums {
    let types = types.as_array().unwrap().iter().map(|of| {
        let text = |name: &str| of[name].as_str().unwrap().to_owned();
        (text("type"), (of["rows"].as_u64().unwrap(), text("digest")))
    });
    types.collect()
}

/// What the files come to, as docs/SYNC.md has it.
pub fn sums(folder: &Path) -> Sums {
    let mut sums = Sums::new();
    for entry in fs::read_dir(folder.join("current")).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|ending| ending != "ndjson") {
            continue;
        }
        let (mut rows, mut sum) = (0, 0);
        for line in fs::read_to_string(&path).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let key = row["id"].as_str().or(row["code"].as_str()).unwrap();
            let hash = Sha256::digest(format!("{key}:{}", row["version"]));
            sum ^= u64::from_be_bytes(hash[..8].try_into().unwrap());
            rows += 1;
        }
        let of = path.file_stem().unwrap().to_str().unwrap().to_owned();
        sums.insert(of, (rows, format!("{sum:016x}")));
    }
    sums
}
