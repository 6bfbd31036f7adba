//! The fastest that this framework answers on this machine: the bytes of files, one for each `/<number>`, and nothing
//! else. The benches compare answers of the same bytes with it.

use actix_web::{App, HttpResponse, HttpServer, web};

/// As in the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

async fn hello(path: web::Path<usize>, bodies: web::Data<Vec<web::Bytes>>) -> HttpResponse {
    match bodies.get(path.into_inner()) {
        Some(body) => HttpResponse::Ok()
            .content_type("application/json")
            .body(body.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let bodies: Vec<web::Bytes> = std::env::args_os()
        .skip(1)
        .map(|path| std::fs::read(path).map(web::Bytes::from))
        .collect::<Result<_, _>>()?;
    let bodies = web::Data::new(bodies);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(bodies.clone())
            .service(web::resource("/{number}").to(hello))
    })
    .bind("127.0.0.1:0")?;
    for address in server.addrs() {
        println!("http://{address}");
    }
    server.run().await
}
