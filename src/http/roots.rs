//! The authorities that are trusted: those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, else the machine's.
//!
//! Read here rather than by the TLS library, which passes over what it cannot read and takes an empty
//! variable for a set one: whoever names a file wants it to count, and learns at once that it does
//! not. As for OpenSSL, what is named stands in for the machine's own authorities.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::failure::{Failure, Kind, Place, Result};

/// The variable that names a file of certificates.
const FILE: &str = "SSL_CERT_FILE";
/// The variable that names folders of them.
const FOLDERS: &str = "SSL_CERT_DIR";

/// Reads the authorities that the environment names, else the machine's; none where the TLS library
/// must look for the latter, in a store that is no file.
///
/// # Errors
/// When the file, or all folders together, have no certificate that can be read.
pub(super) fn trusted(get: impl Fn(&str) -> Option<String>) -> Result<Option<Vec<Vec<u8>>>> {
    let (file, folders) = (get(FILE), get(FOLDERS));
    if file.is_none() && folders.is_none() {
        return Ok(cfg!(target_os = "linux").then(of_machine));
    }
    let contained = in_container(&get);
    let mut found = BTreeSet::new();
    if let Some(file) = &file {
        let bytes = std::fs::read(file).map_err(|error| {
            wrong(FILE, file, &format!("cannot be read: {error}"), contained).because(error)
        })?;
        let certificates = certificates(&bytes);
        if certificates.is_empty() {
            return Err(wrong(FILE, file, described(&bytes), contained));
        }
        found.extend(certificates);
    }
    if let Some(folders) = &folders {
        for folder in std::env::split_paths(folders) {
            found.extend(in_folder(&folder));
        }
        if found.is_empty() {
            return Err(wrong(FOLDERS, folders, "has no file with a certificate in PEM form", contained));
        }
    }
    Ok(Some(found.into_iter().collect()))
}

/// Whether this is a container action, where paths of the machine are not there.
pub(super) fn in_container(get: impl Fn(&str) -> Option<String>) -> bool {
    get("GITHUB_WORKSPACE").as_deref() == Some("/github/workspace")
}

/// Those of the machine's bundle, or of its folders where there is no bundle.
///
/// There may be none: then every server is untrusted, and those without TLS can be reached.
fn of_machine() -> Vec<Vec<u8>> {
    let places = openssl_probe::probe();
    let bundle = places.cert_file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    let found = certificates(&bundle);
    if found.is_empty() {
        places.cert_dir.iter().flat_map(|folder| in_folder(folder)).collect()
    } else {
        found
    }
}

fn wrong(variable: &str, path: &str, what: &str, contained: bool) -> Failure {
    let path: String = path.escape_debug().filter(|c| *c != '`').collect();
    let failure = Failure::at(Kind::Machine, Place::of(path), format!("{what} (`{variable}` names it)"))
        .hinted(format!(
            "`{variable}` must lead to CA certificates in PEM form (`-----BEGIN CERTIFICATE-----`)"
        ));
    if contained { failure.hinted(CONTAINED) } else { failure }
}

/// What is true of every path in a container action (`ContainerActionHandler.cs` of actions/runner).
pub(super) const CONTAINED: &str = "in a container action only the job's workspace (`/github/workspace`) and `RUNNER_TEMP` \
     (`/github/runner_temp`) are there: put the certificates into one of them and write `${{ github.workspace }}/…` or \
     `${{ runner.temp }}/…`, which the runner rewrites";

/// The certificates of a file in PEM form that can be an authority's.
fn certificates(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut store = RootCertStore::empty();
    CertificateDer::pem_slice_iter(bytes)
        .filter_map(std::result::Result::ok)
        .filter(|certificate| store.add(certificate.clone()).is_ok())
        .map(|certificate| certificate.to_vec())
        .collect()
}

/// Those of a folder's files; links that lead nowhere and other files are no mistake there.
fn in_folder(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let bytes = paths.iter().filter(|path| path.is_file()).filter_map(|path| std::fs::read(path).ok());
    bytes.flat_map(|bytes| certificates(&bytes)).collect()
}

/// What a file is that has no certificate.
fn described(bytes: &[u8]) -> &'static str {
    match bytes {
        [] => "is empty",
        // A sequence with a length of two bytes, as of every certificate.
        [0x30, 0x82, ..] => "is in DER form: `openssl x509 -inform der -in FILE -out ca.pem` makes PEM of it",
        _ => "has no certificate in PEM form that can be read",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    fn read(pairs: &[(&str, &Path)]) -> Result<Option<Vec<Vec<u8>>>> {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, path)| ((*name).to_owned(), path.display().to_string())).collect();
        trusted(|name| pairs.iter().find(|(known, _)| known == name).map(|(_, path)| path.clone()))
    }

    #[test]
    fn what_is_named_must_have_a_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let cases = [
            (folder.path().join("gone"), "cannot be read"),
            (folder.path().to_owned(), "cannot be read"),
            (file("empty", b""), "is empty"),
            (file("text", b"not a certificate"), "no certificate in PEM form"),
            (file("der", &[0x30, 0x82, 0x01, 0x0a]), "DER"),
            (
                file("broken", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                "no certificate",
            ),
        ];
        for (path, says) in cases {
            let text = read(&[(FILE, &path)]).unwrap_err().to_string();
            assert!(text.contains(says) && text.contains("SSL_CERT_FILE"), "{text}");
            assert!(!text.contains("/github/workspace"), "{text}");
        }
        let inside = [(FILE, Path::new("/etc/ca.pem")), ("GITHUB_WORKSPACE", Path::new("/github/workspace"))];
        assert!(read(&inside).unwrap_err().to_string().contains("${{ runner.temp }}"));
        let text = read(&[(FOLDERS, &folder.path().join("gone"))]).unwrap_err().to_string();
        assert!(text.contains("SSL_CERT_DIR"), "{text}");
    }
}
