//! The program, and who starts it again when it has died.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::rc::Rc;
use std::time::Duration;

use actix_web::rt::spawn;
use serde_json::Value;

use crate::place::{Place, samverkan, signal};
use crate::until;

pub struct Service {
    pub origin: String,
    bind: String,
    data: String,
    database: String,
    log: File,
    process: RefCell<Option<Child>>,
    /// Whether its end is asked for.
    expected: Cell<bool>,
    /// How often it ended by itself once it had begun to answer.
    ended: Cell<u32>,
    answered: Cell<bool>,
}

impl Service {
    /// On this database; returns when it answers.
    pub async fn start(place: &Place, database: String) -> Rc<Self> {
        let bind = free_address();
        let service = Rc::new(Self {
            origin: format!("http://{bind}"),
            bind,
            data: place.join("data").to_str().unwrap().to_owned(),
            database,
            log: File::create(place.join("service.log")).unwrap(),
            process: RefCell::default(),
            expected: Cell::new(false),
            ended: Cell::new(0),
            answered: Cell::new(false),
        });
        spawn(Rc::clone(&service).keep_alive());
        until("the service answers", async || service.is_ready().await).await;
        service
    }

    /// What a supervisor does. It ends with the stage.
    async fn keep_alive(self: Rc<Self>) {
        while Rc::strong_count(&self) > 1 {
            let ended = match self.process.borrow_mut().as_mut() {
                None => true,
                Some(process) => process.try_wait().unwrap().is_some(),
            };
            if ended {
                let (asked, answered) =
                    (self.expected.replace(false), self.answered.replace(false));
                let unasked = answered && !asked;
                self.ended.set(self.ended.get() + u32::from(unasked));
                self.process.replace(Some(self.run()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn run(&self) -> Child {
        let arguments = [
            "serve",
            "--bind",
            &self.bind,
            "--data-dir",
            &self.data,
            "--log-format",
            "json",
        ];
        samverkan(&arguments)
            .env("DATABASE_URL", &self.database)
            .stdout(Stdio::null())
            .stderr(self.log.try_clone().unwrap())
            .spawn()
            .unwrap()
    }

    pub async fn is_ready(&self) -> bool {
        let asked = reqwest::Client::new()
            .get(format!("{}/health/ready", self.origin))
            .timeout(Duration::from_secs(5));
        let ready = asked
            .send()
            .await
            .is_ok_and(|answer| answer.status() == 200);
        if ready {
            self.answered.set(true);
        }
        ready
    }

    /// Whether the process answers, whatever its database does.
    pub async fn is_alive(&self) -> bool {
        let asked = reqwest::get(format!("{}/health/live", self.origin)).await;
        asked.is_ok_and(|answer| answer.status() == 200)
    }

    /// Ends it, and returns when that process is no more.
    pub async fn end(&self, signal_name: &str) {
        self.expected.set(true);
        let pid = self.pid();
        signal(signal_name, &[pid]);
        until("the service ends", async || self.pid() != pid).await;
    }

    pub async fn freeze(&self, time: Duration) {
        signal("STOP", &[self.pid()]);
        tokio::time::sleep(time).await;
        signal("CONT", &[self.pid()]);
    }

    fn pid(&self) -> u32 {
        self.process.borrow().as_ref().unwrap().id()
    }

    /// How often it ended although nobody had asked for it.
    pub fn ended(&self) -> u32 {
        self.ended.get()
    }

    /// A client and its secret, made on the command line.
    pub fn client(&self, name: &str, permissions: &str, area: &str) -> (String, String) {
        let arguments = [
            "client",
            "create",
            "--json",
            "--name",
            name,
            "--permission",
            permissions,
            "--area",
            area,
        ];
        let output = samverkan(&arguments)
            .env("DATABASE_URL", &self.database)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("clientId"), text("clientSecret"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(process) = self.process.get_mut() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A port below those that outgoing connections get, so that nobody has taken it when the service comes back.
fn free_address() -> String {
    let first = 20_000 + std::process::id() % 10_000;
    for port in first..32_000 {
        let address = format!("127.0.0.1:{port}");
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
    panic!("no port is free");
}

/// What the service called an error, of its log.
pub fn errors(place: &Place) -> Vec<String> {
    let log = std::fs::read_to_string(place.join("service.log")).unwrap_or_default();
    let errors = log
        .lines()
        .filter(|line| line.contains("\"level\":\"ERROR\""));
    errors.map(str::to_owned).collect()
}
