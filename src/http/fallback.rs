//! What is answered when no handler is: unknown path, wrong method, unreadable path parameter.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use crate::problem::{Problem, ProblemKind, text};

/// The methods of every path, to tell "no such path" from "no such method".
#[derive(Clone, Debug, Default)]
pub struct Routes(Vec<(Vec<String>, Vec<String>)>);

impl Routes {
    /// From paths like `/projects/{projectId}` with their methods in upper case.
    pub fn new(paths: impl IntoIterator<Item = (String, Vec<String>)>) -> Self {
        Self(
            paths
                .into_iter()
                .map(|(path, methods)| (path.split('/').map(str::to_owned).collect(), methods))
                .collect(),
        )
    }

    /// These paths as well, which the document does not tell of: each with its methods in upper case.
    #[must_use]
    pub fn and(mut self, paths: &[(&str, &[&str])]) -> Self {
        let owned = |words: &mut dyn Iterator<Item = &str>| words.map(str::to_owned).collect();
        self.0.extend(paths.iter().map(|(path, methods)| {
            (
                owned(&mut path.split('/')),
                owned(&mut methods.iter().copied()),
            )
        }));
        self
    }

    fn methods(&self, path: &str) -> Option<&[String]> {
        let given: Vec<&str> = path.split('/').collect();
        let fits = |template: &[String]| {
            template.len() == given.len()
                && template.iter().zip(&given).all(|(part, given)| {
                    part.starts_with('{') && !given.is_empty() || part == given
                })
        };
        self.0
            .iter()
            .find(|(template, _)| fits(template))
            .map(|(_, methods)| methods.as_slice())
    }
}

/// The default service.
pub async fn default_service(req: HttpRequest, routes: Option<web::Data<Routes>>) -> HttpResponse {
    let methods = routes
        .as_ref()
        .and_then(|routes| routes.methods(req.path()));
    let problem = match methods {
        Some(methods) => {
            let mut allow = methods.to_vec();
            allow.push("OPTIONS".to_owned());
            let allow = allow.join(", ");
            if req.method() == Method::OPTIONS {
                return HttpResponse::NoContent()
                    .insert_header((header::ALLOW, allow))
                    .finish();
            }
            Problem::new(ProblemKind::MethodNotAllowed)
                .detail(text(
                    format!("Här finns {allow}."),
                    format!("Supported here: {allow}."),
                ))
                .with_header(header::ALLOW, &allow)
        }
        None => Problem::new(ProblemKind::NotFound).detail(text(
            "Adressen finns inte. Dokumentationen ligger på /docs.",
            "There is no such address. The documentation is at /docs.",
        )),
    };
    problem.error_response()
}

/// A path parameter that cannot be what it should be, such as an id that is no UUID: nothing can be there.
#[must_use]
pub fn path_config() -> web::PathConfig {
    web::PathConfig::default().error_handler(|error, _| Problem::not_found().because(error).into())
}
