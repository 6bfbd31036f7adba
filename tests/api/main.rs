//! Tests over HTTP: a real server on a random port, a real PostgreSQL, a database for each test.
//!
//! Every answer is held against the OpenAPI document by the client, so each test is a contract test too.

mod support;

mod about;
mod access;
mod manners;
mod partners;
