//! The network between the service and its database, that can be cut, fall silent, or lose every answer.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Whole,
    /// Connections end, and new ones are refused.
    Cut,
    /// Nothing arrives, in either direction, and nobody is told.
    Silent,
    /// What the service says arrives; what the database answers does not, ever.
    AnswersLost,
}

pub struct Wire {
    pub port: u16,
    state: watch::Sender<State>,
}

impl Wire {
    /// Between a port and the database's socket, on a thread of its own.
    pub fn to(socket: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, watched) = watch::channel(State::Whole);
        let socket = socket.to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        thread::spawn(move || runtime.block_on(accept(listener, socket, watched)));
        Self { port, state }
    }

    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, mut state: watch::Receiver<State>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            changed = state.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        if let Ok((service, _)) = accepted
            && *state.borrow() != State::Cut
        {
            tokio::spawn(carry(service, socket.clone(), state.clone()));
        }
    }
}

async fn carry(mut service: TcpStream, socket: PathBuf, mut state: watch::Receiver<State>) {
    let Ok(mut database) = UnixStream::connect(socket).await else {
        return;
    };
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut torn = false;
    state.mark_unchanged();
    loop {
        let now = *state.borrow();
        // Who has lost bytes cannot be told the rest.
        if now == State::Cut || (torn && now != State::AnswersLost) {
            return;
        }
        let open = now != State::Silent;
        let done = tokio::select! {
            changed = state.changed() => changed.map_err(drop),
            read = service.read(&mut asked), if open => match read {
                Ok(length @ 1..) => database.write_all(&asked[..length]).await.map_err(drop),
                _ => Err(()),
            },
            read = database.read(&mut answered), if open => match read {
                Ok(1..) if now == State::AnswersLost => {
                    torn = true;
                    Ok(())
                }
                Ok(length @ 1..) => service.write_all(&answered[..length]).await.map_err(drop),
                _ => Err(()),
            },
        };
        if done.is_err() {
            return;
        }
    }
}
