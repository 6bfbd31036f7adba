//! Reading on while what was read is worked at.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::{ReadFault, faults};

/// How many rows go from thread to thread at once.
const BATCH: usize = 256;
/// How many such batches wait at the most.
const WAITING: usize = 2;

/// What comes one after the other until there is no more, or something speaks against it.
type Rows<T> = Box<dyn Iterator<Item = Result<T, ReadFault>> + Send>;

/// The same rows, read a little ahead by a thread of their own if there are many. It ends with them, or when nobody takes
/// them any more.
pub(super) fn ahead<T: Send + 'static>(mut rows: Rows<T>) -> Rows<T> {
    let first: Vec<_> = rows.by_ref().take(BATCH).collect();
    if first.len() < BATCH {
        return Box::new(first.into_iter());
    }
    let (give, taken) = sync_channel(WAITING);
    let reading = Builder::new().name("reading".to_owned()).spawn(move || {
        loop {
            let batch: Vec<_> = rows.by_ref().take(BATCH).collect();
            if batch.is_empty() || give.send(batch).is_err() {
                return;
            }
        }
    });
    let rest: Rows<T> = match reading {
        Ok(reader) => Box::new(
            Batches {
                taken,
                reader: Some(reader),
            }
            .flatten(),
        ),
        Err(error) => Box::new(std::iter::once(Err(faults::io(error)))),
    };
    Box::new(first.into_iter().chain(rest))
}

struct Batches<T> {
    taken: Receiver<Vec<T>>,
    reader: Option<JoinHandle<()>>,
}

impl<T> Iterator for Batches<T> {
    type Item = Vec<T>;

    fn next(&mut self) -> Option<Vec<T>> {
        if let Ok(batch) = self.taken.recv() {
            return Some(batch);
        }
        // A reader that broke down is no end of the file.
        if let Some(Err(panic)) = self.reader.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    fn numbers(n: usize) -> Rows<usize> {
        Box::new((0..n).map(Ok))
    }

    #[test]
    fn every_row_comes_once_and_in_order() {
        for n in [
            0,
            1,
            BATCH - 1,
            BATCH,
            BATCH + 1,
            10 * BATCH,
            10 * BATCH + 7,
        ] {
            let read: Vec<usize> = ahead(numbers(n)).map(Result::unwrap).collect();
            assert_eq!(read, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_fault_comes_in_its_place() {
        let rows = numbers(3 * BATCH + 5).chain(std::iter::once(Err(faults::empty_file())));
        let mut read = ahead::<usize>(Box::new(rows));
        assert_eq!(
            read.by_ref().take_while(Result::is_ok).count(),
            3 * BATCH + 5
        );
        assert!(read.next().is_none());
    }

    #[test]
    fn the_reader_ends_when_nobody_takes_more() {
        let kept = Arc::new(());
        let reading = Arc::downgrade(&kept);
        let rows = (0..1_000_000).map(move |n| {
            let _ = &kept;
            Ok(n)
        });
        let mut read = ahead::<usize>(Box::new(rows));
        assert_eq!(read.next().unwrap().unwrap(), 0);
        assert_eq!(reading.strong_count(), 1);
        drop(read);
        for _ in 0..1_000 {
            if reading.strong_count() == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the reader goes on");
    }

    #[test]
    #[should_panic(expected = "broken down")]
    fn a_reader_that_breaks_down_is_no_end() {
        let rows = (0..4 * BATCH).map(|n| {
            assert!(n < 3 * BATCH, "broken down");
            Ok(n)
        });
        ahead::<usize>(Box::new(rows)).for_each(drop);
    }
}
