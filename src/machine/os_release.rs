//! The name of a Linux distribution: os-release(5).

use super::environ::unquote;

/// Reads `PRETTY_NAME` of `/etc/os-release`, e.g. `Ubuntu 22.04.5 LTS`, else `NAME` with `VERSION_ID`.
#[must_use]
pub fn parse_pretty_name(text: &str) -> Option<String> {
    let field = |wanted: &str| {
        let mut pairs = text.lines().filter_map(|line| line.trim().split_once('='));
        let value = pairs.find(|(name, _)| *name == wanted).map(|(_, value)| unquote(value.trim()))?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    field("PRETTY_NAME").or_else(|| match (field("NAME"), field("VERSION_ID")) {
        (Some(name), Some(version)) => Some(format!("{name} {version}")),
        (name, _) => name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pretty_name_wins() {
        let text = "NAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nPRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\n";
        assert_eq!(parse_pretty_name(text).as_deref(), Some("Ubuntu 22.04.5 LTS"));
        assert_eq!(parse_pretty_name("NAME=Alpine\nVERSION_ID=3.20\n").as_deref(), Some("Alpine 3.20"));
        assert_eq!(parse_pretty_name("ID=arch\n"), None);
    }
}
