//! Encoded answers in memory. A publication never changes, so an answer of it is true for as long as it is kept; what
//! is kept is bounded in bytes, and the answers that are asked for most stay.

use std::sync::Arc;

use actix_web::web::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::problem::ApiResult;

/// What an entry takes beside its bytes: the key, the name, the places in the cache's own tables.
const OVERHEAD: u64 = 256;

/// How large answers are on the average, for the size of the tables.
const USUAL: u64 = 16 * 1024;

/// An answer in one format, language and content coding.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The body.
    pub bytes: Bytes,
    /// Whether the body is gzip.
    pub gzip: bool,
    /// The name of the file, if it is one that people save.
    pub file: Option<Arc<str>>,
}

#[derive(Clone, Copy, Debug)]
struct InBytes;

impl Weighter<String, Encoded> for InBytes {
    fn weight(&self, key: &String, answer: &Encoded) -> u64 {
        let texts = key.len() + answer.file.as_ref().map_or(0, |name| name.len());
        u64::try_from(answer.bytes.len() + texts).unwrap_or(u64::MAX - OVERHEAD) + OVERHEAD
    }
}

/// The answers that a process keeps, by their ETag; clones share them.
#[derive(Clone, Debug)]
pub struct AnswerCache(Arc<Cache<String, Encoded, InBytes>>);

impl AnswerCache {
    /// A cache that holds so many bytes at the most; 0 keeps nothing.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let entries = usize::try_from(bytes / USUAL).unwrap_or(usize::MAX);
        Self(Arc::new(Cache::with_weighter(entries, bytes, InBytes)))
    }

    /// The answer of this key. Of several requests that miss it at the same time, one makes it and the others wait.
    ///
    /// # Errors
    /// What `make` fails with; then nothing is kept, and the next who waits tries.
    pub async fn get_or_make(
        &self,
        key: &str,
        make: impl Future<Output = ApiResult<Encoded>>,
    ) -> ApiResult<Encoded> {
        self.0.get_or_insert_async(key, make).await
    }

    /// The answer of this key, if it is kept.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Encoded> {
        self.0.get(key)
    }

    /// Bytes that are kept now.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.weight()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;

    use super::*;
    use crate::problem::Problem;

    fn answer(length: usize) -> Encoded {
        Encoded {
            bytes: Bytes::from(vec![b'x'; length]),
            gzip: false,
            file: None,
        }
    }

    #[actix_web::test]
    async fn it_never_holds_more_than_it_may() {
        const MOST: u64 = 1024 * 1024;
        let cache = AnswerCache::new(MOST);
        let mut fullest = 0;
        for number in 0..400 {
            let made = cache
                .get_or_make(&format!("\"{number}\""), async { Ok(answer(20_000)) })
                .await
                .unwrap();
            assert_eq!(made.bytes.len(), 20_000);
            fullest = fullest.max(cache.bytes());
            assert!(cache.bytes() <= MOST, "{}", cache.bytes());
        }
        assert!(fullest > MOST / 2, "it is used: {fullest}");
        // An answer larger than all of it is given and not kept.
        let large = async { Ok(answer(2 * 1024 * 1024)) };
        cache.get_or_make("\"large\"", large).await.unwrap();
        assert!(cache.get("\"large\"").is_none());
        assert!(cache.bytes() <= MOST);
    }

    #[actix_web::test]
    async fn a_cache_of_no_bytes_keeps_nothing() {
        let cache = AnswerCache::new(0);
        cache
            .get_or_make("\"1\"", async { Ok(answer(10)) })
            .await
            .unwrap();
        assert_eq!(cache.bytes(), 0);
        assert!(cache.get("\"1\"").is_none());
    }

    #[actix_web::test]
    async fn one_makes_it_and_the_others_wait() {
        let cache = AnswerCache::new(1024 * 1024);
        let made = Cell::new(0);
        let ask = || {
            cache.get_or_make("\"1\"", async {
                tokio::task::yield_now().await;
                made.set(made.get() + 1);
                // The first one fails: its failure is its own, and the next one tries.
                if made.get() == 1 {
                    Err(Problem::not_found())
                } else {
                    Ok(answer(10))
                }
            })
        };
        let answers = join_all((0..20).map(|_| ask())).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
        assert_eq!(made.get(), 2);
    }
}
