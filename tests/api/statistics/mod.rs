//! Answers of the statistics, over a publication whose every cell is known.

mod away;
mod beside;
mod fixture;
mod numbers;
mod refusals;
mod unprotected;
