//! What is answered when no handler is: unknown path, wrong method, unreadable path parameter.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use crate::problem::{Problem, ProblemKind, text};

/// The methods of every path: to tell "no such path" from "no such method", and which of them take nothing in the query.
#[derive(Clone, Debug, Default)]
pub struct Routes(Vec<Route>);

#[derive(Clone, Debug)]
struct Route {
    template: Vec<String>,
    methods: Vec<String>,
    /// Those that take no parameters but the language.
    without_query: Vec<String>,
}

impl Routes {
    /// From paths like `/projects/{projectId}` with their methods in upper case, and those that take nothing in the query.
    pub fn new(paths: impl IntoIterator<Item = (String, Vec<String>, Vec<String>)>) -> Self {
        let route = |(path, methods, without_query): (String, _, _)| Route {
            template: path.split('/').map(str::to_owned).collect(),
            methods,
            without_query,
        };
        Self(paths.into_iter().map(route).collect())
    }

    /// These paths as well, which the document does not tell of: each with its methods in upper case.
    #[must_use]
    pub fn and(mut self, paths: &[(&str, &[&str])]) -> Self {
        let owned = |words: &mut dyn Iterator<Item = &str>| words.map(str::to_owned).collect();
        self.0.extend(paths.iter().map(|(path, methods)| Route {
            template: owned(&mut path.split('/')),
            methods: owned(&mut methods.iter().copied()),
            without_query: Vec::new(),
        }));
        self
    }

    fn at(&self, path: &str) -> Option<&Route> {
        let given: Vec<&str> = path.split('/').collect();
        let fits = |template: &[String]| {
            template.len() == given.len()
                && template.iter().zip(&given).all(|(part, given)| {
                    part.starts_with('{') && !given.is_empty() || part == given
                })
        };
        self.0.iter().find(|route| fits(&route.template))
    }

    /// Whether there is such an operation, and it takes no parameters in its query but the language.
    #[must_use]
    pub fn takes_no_query(&self, path: &str, method: &Method) -> bool {
        let route = self.at(path);
        route.is_some_and(|route| {
            route
                .without_query
                .iter()
                .any(|known| known == method.as_str())
        })
    }
}

/// The default service.
pub async fn default_service(req: HttpRequest, routes: Option<web::Data<Routes>>) -> HttpResponse {
    let route = routes.as_ref().and_then(|routes| routes.at(req.path()));
    let problem = match route {
        Some(route) => {
            let mut allow = route.methods.clone();
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
