//! The program: everything it does is in [`samverkan::cli`].

use std::process::ExitCode;

/// Faster than the system's allocator for the many small pieces of a JSON answer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    samverkan::cli::run(std::env::args_os())
}
