//! The office's tool across TLS: in front of a service stands a proxy with a certificate, as at an operator's.

use std::fs;
use std::sync::Arc;

use actix_web::rt;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rstest::rstest;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::office::{Held, Office, outcome};

/// What ends TLS for a service, and the certificate of the authority that vouches for it, as PEM.
struct Front {
    port: u16,
    authority: String,
}

impl Front {
    /// Before the service at this address, under this name.
    async fn before(origin: &str, name: &str) -> Self {
        let behind = origin.strip_prefix("http://").unwrap().to_owned();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(certificate.der().to_vec())],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        rt::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                rt::spawn(async move {
                    // A client that does not trust the certificate hangs up here.
                    let Ok(mut outside) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut inside = TcpStream::connect(behind).await.unwrap();
                    let _ = copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Self {
            port,
            authority: authority.as_ref().pem(),
        }
    }
}

#[rstest]
#[case::trusted("localhost", true, None)]
#[case::unknown_authority("localhost", false, Some("certificate"))]
#[case::the_name_of_another("kulturskolan.example.se", true, Some("not valid for name"))]
#[actix_web::test]
async fn a_copy_is_pulled_through_tls_and_only_from_who_can_be_trusted(
    #[case] name: &str,
    #[case] trusted: bool,
    #[case] refused: Option<&str>,
) {
    let office = Office::open();
    let front = Front::before(&office.service.origin, name).await;
    let client = office
        .client("SE")
        .at(&format!("https://localhost:{}", front.port));
    let folder = office.directory.0.join("copy");
    let mut pull = client.pull(&folder);
    pull.args(["--patience", "1"]);
    let authority = office.directory.join("authority.pem");
    fs::write(&authority, &front.authority).unwrap();
    if trusted {
        pull.env("SSL_CERT_FILE", &authority);
    }
    // It runs beside the proxy, which is a task of this thread.
    let (code, _, said) = actix_web::web::block(move || outcome(&mut pull))
        .await
        .unwrap();
    match refused {
        None => {
            assert_eq!(code, 0, "{said}");
            let held = Held::of(&folder).unwrap();
            held.assert_whole();
            assert!(!held.rows["partners"].is_empty());
        }
        Some(why) => {
            assert_ne!(code, 0);
            assert!(said.contains(why), "{said}");
            assert!(Held::of(&folder).is_none());
        }
    }
}
