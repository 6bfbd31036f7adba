//! x
fn main() {
    print!("{}", samverkan::openapi::json());
}
