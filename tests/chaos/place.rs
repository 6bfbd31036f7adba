//! Where a run keeps its files, and the processes that it starts and signals.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// A directory of its own that every user may enter; removed at the end, unless something was wrong.
pub struct Place {
    path: PathBuf,
    kept: AtomicBool,
}

impl Place {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("samverkan-chaos-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self {
            path,
            kept: AtomicBool::new(false),
        }
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Leaves the logs where they are, and says where.
    pub fn keep(&self) -> String {
        self.kept.store(true, Ordering::Relaxed);
        self.path.display().to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept.load(Ordering::Relaxed) && !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The program, in an environment that holds nothing of ours.
pub fn samverkan(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samverkan"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("SAMVERKAN_") || text == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
}

/// Sends a signal to processes; those that are gone already do not matter.
pub fn signal(name: &str, pids: &[u32]) {
    if pids.is_empty() {
        return;
    }
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    // The shell's own `kill`: no other program is needed.
    let command = format!("kill -s {name} {}", pids.join(" "));
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).stderr(Stdio::null());
    shell.status().unwrap();
}

/// Stops processes, and returns when they do nothing more: one that was running on another processor may just be answering,
/// or starting a child.
///
/// # Panics
/// When one goes on for ten seconds.
pub fn stop(pids: &[u32]) {
    signal("STOP", pids);
    let goes_on = |pid: &u32| stat(*pid).is_some_and(|(state, _)| !"TtZX".contains(&state));
    for _ in 0..10_000 {
        if !pids.iter().any(goes_on) {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("{pids:?} do not stop");
}

/// The children of a process. Of one that is not stopped there may be another in a moment.
pub fn children(pid: u32) -> Vec<u32> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(child) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        if stat(child).is_some_and(|(_, parent)| parent == pid) {
            children.push(child);
        }
    }
    children
}

/// The state of a process and its parent (proc(5)); none if it is gone.
fn stat(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // `pid (name) state parent …`; the name may itself contain parentheses and blanks.
    let (_, after) = stat.rsplit_once(") ")?;
    let mut after = after.split(' ');
    Some((after.next()?.to_owned(), after.next()?.parse().ok()?))
}
