//! A run: service and database, writers and readers, and the faults.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::rt::spawn;
use futures_util::future::join_all;
use serde_json::json;

use crate::client::{Client, Request};
use crate::database::Database;
use crate::faults::{self, Fault};
use crate::ledger::Ledger;
use crate::place::{Place, samverkan};
use crate::pull::{self, Pulls};
use crate::readers::{Copy, Habit, follow, listen};
use crate::service::Service;
use crate::wire::Wire;
use crate::writers;

/// Whether writers send an idempotency key with a POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    Sent,
    LeftOut,
}

/// Who keeps a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// Clients of ours that follow the feed of an empty registry.
    Readers,
    /// The office's own tool, of the demo's registry.
    Pulled,
}

/// What a run is like.
pub struct Plan {
    pub faults: &'static [Fault],
    pub keys: Keys,
    /// Whether a commit is answered only once it is written.
    pub synchronous: bool,
    pub imports: bool,
    pub copies: Copies,
}

pub struct Stage {
    // The first to go: what follows it must not outlive the database.
    pub service: Rc<Service>,
    pub wire: Wire,
    pub database: Database,
    pub keys: Keys,
    pub ledger: Rc<Ledger>,
    pub writer: Client,
    pub reader: Client,
    /// Sees one county only.
    pub neighbour: Client,
    pub copies: RefCell<Vec<(Client, Habit, Copy)>>,
    pub pulls: Cell<Pulls>,
    /// Who the reader is: id and secret.
    pub reads_as: (String, String),
    on: Cell<bool>,
    writing: Cell<bool>,
    pub place: Place,
}

const WRITES: &str =
    "registry:read,registry:write,participation:read,participation:write,sync:read,imports:write";
const READS: &str = "registry:read,participation:read,sync:read";

impl Stage {
    pub async fn run(plan: &Plan) -> Rc<Self> {
        let began = Instant::now();
        let seed = seed();
        println!("CHAOS_SEED={seed}");
        let place = Place::new();
        let database = Database::start(place.join("cluster"), plan.synchronous).await;
        let wire = Wire::to(&database.socket());
        if plan.copies == Copies::Pulled {
            for command in ["migrate", "demo"] {
                let mut command = samverkan(&[command]);
                command.env("DATABASE_URL", database.url_by(wire.port));
                let done = command.output().unwrap();
                assert!(done.status.success(), "{done:?}");
            }
        }
        let service = Service::start(&place, database.url_by(wire.port)).await;
        let ledger = Rc::new(Ledger::default());
        let client = async |made| Client::new(&service.origin, &made, Rc::clone(&ledger)).await;
        let writer = client(service.client("Skrivare", WRITES, "SE")).await;
        let reads_as = service.client("Läsare", READS, "SE");
        let reader = client(reads_as.clone()).await;
        let neighbour = client(service.client("Granne", READS, "05")).await;
        let stage = Rc::new(Self {
            service,
            wire,
            database,
            keys: plan.keys,
            ledger,
            writer,
            reader,
            neighbour,
            copies: RefCell::default(),
            pulls: Cell::default(),
            reads_as,
            on: Cell::new(true),
            writing: Cell::new(true),
            place,
        });
        stage.play(plan, seed).await;
        println!("{} in {:?}", stage.ledger, began.elapsed());
        stage
    }

    async fn play(self: &Rc<Self>, plan: &Plan, seed: u64) {
        let shared = json!({"name": "Delad", "category": "other", "area": "1880"}).to_string();
        let headers = [("Content-Type", "application/json")];
        let shared = Request::new(
            reqwest::Method::POST,
            "/partners",
            &headers,
            shared.into_bytes(),
        );
        let shared = format!("/partners/{}", self.writer.insist(shared).await.id());

        let page = Habit {
            limit: 1_000,
            wait: 0,
            types: "",
            crashes: false,
            abroad: false,
            listens: false,
        };
        let readers = [
            (&self.reader, Habit { wait: 2, ..page }),
            (&self.reader, Habit { limit: 7, ..page }),
            (
                &self.reader,
                Habit {
                    limit: 50,
                    types: "&types=partners",
                    crashes: true,
                    ..page
                },
            ),
            (
                &self.neighbour,
                Habit {
                    limit: 200,
                    wait: 1,
                    crashes: true,
                    abroad: true,
                    ..page
                },
            ),
            (
                &self.reader,
                Habit {
                    listens: true,
                    ..page
                },
            ),
        ];
        let readers = readers
            .into_iter()
            .filter(|_| plan.copies == Copies::Readers);
        let reading: Vec<_> = readers
            .map(|(client, habit)| {
                let (stage, client) = (Rc::clone(self), client.clone());
                spawn(async move {
                    let copy = if habit.listens {
                        listen(stage, client.clone(), habit).await
                    } else {
                        follow(stage, client.clone(), habit).await
                    };
                    (client, habit, copy)
                })
            })
            .collect();
        let mut writing: Vec<_> = (0..3)
            .map(|name| spawn(writers::one_by_one(Rc::clone(self), name, shared.clone())))
            .collect();
        if plan.imports {
            writing.extend((0..2).map(|name| spawn(writers::files(Rc::clone(self), name))));
            if plan.copies == Copies::Readers {
                writing.push(spawn(writers::observations(Rc::clone(self))));
            }
        }
        let pulls = plan.copies == Copies::Pulled;
        let pulling = pulls.then(|| spawn(pull::again_and_again(Rc::clone(self), seed)));
        let leases = spawn(Rc::clone(self).let_leases_end());
        faults::happen(self, plan.faults, seed).await;
        self.on.set(false);
        for writer in join_all(writing).await {
            writer.unwrap();
        }
        self.writing.set(false);
        leases.abort();
        if let Some(pulling) = pulling {
            self.pulls.set(pulling.await.unwrap());
        }
        for reader in join_all(reading).await {
            self.copies.borrow_mut().push(reader.unwrap());
        }
    }

    /// A job whose worker was killed is taken up when its lease of a minute is over. Here a minute has ten seconds: who has
    /// not renewed its lease for so long is taken for dead.
    async fn let_leases_end(self: Rc<Self>) {
        let sql = "UPDATE imports SET leased_until = clock_timestamp()
            WHERE state = 'running' AND leased_until BETWEEN clock_timestamp() AND clock_timestamp() + interval '50 seconds'";
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.database.ask_if_there(sql).await;
        }
    }

    /// Whether writers go on.
    pub fn is_on(&self) -> bool {
        self.on.get()
    }

    /// Whether a write is still to be answered.
    pub fn is_writing(&self) -> bool {
        self.writing.get()
    }

    /// Reads the feed to its end: the row, whose write has been answered, must be there.
    pub async fn looks_fresh(&self, client: &Client, cursor: String, key: &str) -> String {
        let mut copy = Copy::from(&cursor);
        while copy
            .next(client, "&types=partners,projects", 1_000, 0)
            .await
        {}
        let fresh = copy.seen.iter().any(|seen| seen.key == key);
        self.ledger
            .stale
            .set(self.ledger.stale.get() + usize::from(!fresh));
        copy.cursor
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the service's configuration is not read by its tests"
)]
fn seed() -> u64 {
    std::env::var("CHAOS_SEED").map_or(1, |seed| seed.parse().unwrap())
}
