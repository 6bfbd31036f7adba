//! What Prometheus may count: requests, how long they took, panics, the database pools, the build.
//!
//! Every label comes from a closed set (matched route patterns, known methods, status codes), so that
//! no stranger can make a new time series with a made-up path. The numbers are served on a listener of
//! their own, which the public address does not reach.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::error::ErrorInternalServerError;
use actix_web::web::Data;
use actix_web::{App, HttpResponse, HttpServer, get};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
    TEXT_FORMAT, TextEncoder,
};

/// The route label of every request that matched no route.
pub const UNKNOWN_ROUTE: &str = "-";

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Upper bounds in seconds, from a cached read to the longest statement that the database is allowed.
const BUCKETS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 5.0, 20.0,
];

/// The state of one pool of database connections, as counts of connections and of waiting tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolState {
    /// Connections that exist.
    pub size: usize,
    /// Connections that wait for work.
    pub available: usize,
    /// Tasks that wait for a connection.
    pub waiting: usize,
}

/// The numbers of one process, in a registry of its own: two apps in one test never share a counter.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    panics: IntCounter,
    pool_size: IntGaugeVec,
    pool_available: IntGaugeVec,
    pool_waiting: IntGaugeVec,
}

impl Metrics {
    /// All numbers at zero, for a build of this version.
    ///
    /// # Errors
    /// When two metrics have one name, which is a mistake in this function.
    pub fn new(version: &str) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let pool_gauge = |name: &str, help: &str| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &["pool"])?;
            registry.register(Box::new(gauge.clone()))?;
            prometheus::Result::Ok(gauge)
        };
        let pool_size = pool_gauge("db_pool_size", "Database connections that exist")?;
        let pool_available = pool_gauge(
            "db_pool_available",
            "Database connections that wait for work",
        )?;
        let pool_waiting = pool_gauge(
            "db_pool_waiting",
            "Tasks that wait for a database connection",
        )?;

        let requests = IntCounterVec::new(
            Opts::new("http_requests_total", "Requests answered"),
            &["method", "route", "status"],
        )?;
        let durations = HistogramVec::new(
            HistogramOpts::new(
                "http_request_duration_seconds",
                "Time from the request's head to the answer's head",
            )
            .buckets(BUCKETS.to_vec()),
            &["method", "route"],
        )?;
        let panics = IntCounter::new("panics_total", "Requests whose handler panicked")?;
        let build = IntGaugeVec::new(
            Opts::new("build_info", "Always 1; the label tells the version"),
            &["version"],
        )?;
        build.with_label_values(&[version]).set(1);

        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        registry.register(Box::new(panics.clone()))?;
        registry.register(Box::new(build))?;
        Ok(Self {
            registry,
            requests,
            durations,
            panics,
            pool_size,
            pool_available,
            pool_waiting,
        })
    }

    /// Counts one answered request. `route` is the matched pattern (`/projects/{projectId}`), or
    /// `None` when nothing matched; it must never be the path itself.
    pub fn observe_request(
        &self,
        method: &str,
        route: Option<&str>,
        status: u16,
        duration: Duration,
    ) {
        let method = METHODS
            .into_iter()
            .find(|known| *known == method)
            .unwrap_or("OTHER");
        let route = route.unwrap_or(UNKNOWN_ROUTE);
        self.requests
            .with_label_values(&[method, route, &status.to_string()])
            .inc();
        self.durations
            .with_label_values(&[method, route])
            .observe(duration.as_secs_f64());
    }

    /// Counts one handler that panicked.
    pub fn count_panic(&self) {
        self.panics.inc();
    }

    /// Sets the gauges of one pool, which is named by its purpose.
    pub fn set_pool(&self, pool: &str, state: PoolState) {
        let PoolState {
            size,
            available,
            waiting,
        } = state;
        let gauges = [
            (&self.pool_size, size),
            (&self.pool_available, available),
            (&self.pool_waiting, waiting),
        ];
        for (gauge, count) in gauges {
            gauge
                .with_label_values(&[pool])
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// All numbers in the text format of Prometheus, version 0.0.4.
    ///
    /// # Errors
    /// When a metric cannot be written as text, which its registration should have prevented.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// What the endpoint needs: the numbers, and how to bring its gauges up to date before they are read.
struct Scrape {
    metrics: Arc<Metrics>,
    refresh: Box<dyn Fn(&Metrics) + Send + Sync>,
}

#[get("/metrics")]
async fn scrape(scrape: Data<Scrape>) -> actix_web::Result<HttpResponse> {
    (scrape.refresh)(&scrape.metrics);
    let text = scrape.metrics.render().map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().content_type(TEXT_FORMAT).body(text))
}

/// A server with one worker that answers `GET /metrics` on this listener and nothing else.
///
/// `refresh` runs before every answer: it is where [`Metrics::set_pool`] is called. Await the server to
/// run it; it leaves signals to whoever owns it, and its `handle()` stops it.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    refresh: impl Fn(&Metrics) + Send + Sync + 'static,
) -> io::Result<Server> {
    let scrapes = Data::new(Scrape {
        metrics,
        refresh: Box::new(refresh),
    });
    Ok(
        HttpServer::new(move || App::new().app_data(scrapes.clone()).service(scrape))
            .workers(1)
            .disable_signals()
            .listen(listener)?
            .run(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Metrics {
        Metrics::new("1.2.3").unwrap()
    }

    #[test]
    fn a_request_is_counted_and_timed_by_its_route() {
        let metrics = metrics();
        metrics.observe_request(
            "GET",
            Some("/projects/{projectId}"),
            200,
            Duration::from_millis(3),
        );
        metrics.observe_request(
            "GET",
            Some("/projects/{projectId}"),
            404,
            Duration::from_millis(30),
        );
        let text = metrics.render().unwrap();
        for line in [
            r#"http_requests_total{method="GET",route="/projects/{projectId}",status="200"} 1"#,
            r#"http_requests_total{method="GET",route="/projects/{projectId}",status="404"} 1"#,
            r#"http_request_duration_seconds_bucket{method="GET",route="/projects/{projectId}",le="0.005"} 1"#,
            r#"http_request_duration_seconds_bucket{method="GET",route="/projects/{projectId}",le="0.05"} 2"#,
            r#"http_request_duration_seconds_count{method="GET",route="/projects/{projectId}"} 2"#,
            "panics_total 0",
            r#"build_info{version="1.2.3"} 1"#,
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing from\n{text}"
            );
        }
    }

    #[test]
    fn made_up_methods_and_paths_make_no_new_series() {
        let metrics = metrics();
        for method in ["QUERY", "get", "BREW"] {
            metrics.observe_request(method, None, 404, Duration::ZERO);
        }
        let text = metrics.render().unwrap();
        let series: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("http_requests_total{"))
            .collect();
        assert_eq!(
            series,
            [r#"http_requests_total{method="OTHER",route="-",status="404"} 3"#]
        );
    }

    #[test]
    fn a_pools_gauges_tell_its_last_state() {
        let metrics = metrics();
        for waiting in [7, 2] {
            metrics.set_pool(
                "writes",
                PoolState {
                    size: 6,
                    available: 1,
                    waiting,
                },
            );
        }
        let text = metrics.render().unwrap();
        for line in [
            r#"db_pool_size{pool="writes"} 6"#,
            r#"db_pool_available{pool="writes"} 1"#,
            r#"db_pool_waiting{pool="writes"} 2"#,
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing from\n{text}"
            );
        }
    }

    #[test]
    fn two_apps_in_one_process_do_not_share_numbers() {
        let (one, other) = (metrics(), metrics());
        one.count_panic();
        assert!(one.render().unwrap().contains("panics_total 1\n"));
        assert!(other.render().unwrap().contains("panics_total 0\n"));
    }

    #[actix_web::test]
    async fn its_listener_answers_get_metrics_and_nothing_else() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = serve(listener, Arc::new(metrics()), |metrics| {
            metrics.set_pool(
                "reads",
                PoolState {
                    size: 2,
                    ..PoolState::default()
                },
            );
        })
        .unwrap();
        let handle = server.handle();
        let running = actix_web::rt::spawn(server);

        let answer = reqwest::get(format!("{address}/metrics")).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], TEXT_FORMAT);
        let text = answer.text().await.unwrap();
        assert!(text.contains("db_pool_size{pool=\"reads\"} 2\n"), "{text}");

        let elsewhere = reqwest::get(format!("{address}/health/live"))
            .await
            .unwrap();
        assert_eq!(elsewhere.status(), 404);
        let posted = reqwest::Client::new()
            .post(format!("{address}/metrics"))
            .send()
            .await
            .unwrap();
        assert!(posted.status().is_client_error(), "{posted:?}");

        handle.stop(false).await;
        running.await.unwrap().unwrap();
    }
}
