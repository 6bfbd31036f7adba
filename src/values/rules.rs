//! Rules of fields that are no type of their own. Each answers with the code of the rule (see [`super::rule_text`]).

/// A mailbox: something, an @, a host with a dot. Whether it exists, only a letter can tell.
///
/// # Errors
/// `email_format`
pub fn email(text: &str, (): &()) -> garde::Result {
    let good = text.len() <= 254
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && !host.contains('@')
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    said(good, "email_format")
}

/// A telephone number: digits, blanks, + and -.
///
/// # Errors
/// `phone_format`
pub fn phone(text: &str, (): &()) -> garde::Result {
    let good = (5..=20).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ' ' | '+' | '-'));
    said(good, "phone_format")
}

fn said(good: bool, code: &str) -> garde::Result {
    if good {
        Ok(())
    } else {
        Err(garde::Error::new(code))
    }
}
