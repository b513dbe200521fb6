//! A file in a folder of its own, and the real binary run on it.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Inode, mode, owner and time of the last change.
pub type Stamp = (u64, u32, (u32, u32), (i64, i64));

/// A folder with one file to edit.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub const FILE: &str = "values.yaml";

    pub fn with(bytes: impl AsRef<[u8]>) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(place.path(Self::FILE), bytes).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path(Self::FILE)).unwrap()
    }

    /// `promote set values.yaml ARGUMENTS…` in the folder.
    pub fn set(&self, arguments: &[impl AsRef<OsStr>]) -> Said {
        self.set_in(Self::FILE, arguments)
    }

    /// The same of another file.
    pub fn set_in(&self, file: &str, arguments: &[impl AsRef<OsStr>]) -> Said {
        self.said(Command::new(env!("CARGO_BIN_EXE_promote")).args(["set", file]).args(arguments))
    }

    pub fn said(&self, command: &mut Command) -> Said {
        let Output { status, stdout, stderr } =
            command.current_dir(self.folder.path()).env_clear().output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Every name in the folder, hidden ones too.
    pub fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }

    /// What a file is, besides its bytes: another inode or time says that it was written.
    pub fn stamp(&self) -> Stamp {
        let about = std::fs::metadata(self.path(Self::FILE)).unwrap();
        (about.ino(), about.mode(), (about.uid(), about.gid()), (about.mtime(), about.mtime_nsec()))
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What a run came to.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    #[track_caller]
    pub fn succeeded(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Refused with this reason; the line and column, and the next act, are there as well.
    #[track_caller]
    pub fn refused(&self, reason: &str) -> &Self {
        self.refused_as_a_whole(reason);
        let place = self.stderr.strip_prefix("error: `values.yaml:").and_then(|rest| rest.split_once('`'));
        let numbers: Vec<_> =
            place.map_or("", |(place, _)| place).split(':').map(str::parse::<u32>).collect();
        assert!(matches!(numbers[..], [Ok(line), Ok(column)] if line > 0 && column > 0), "{self:?}");
        self
    }

    /// Refused with this reason and the next act; of no line in particular.
    #[track_caller]
    pub fn refused_as_a_whole(&self, reason: &str) -> &Self {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{self:?}");
        assert!(self.stderr.starts_with("error: ") && self.stderr.contains("\nhint: "), "{self:?}");
        assert!(self.stderr.contains(reason), "`{reason}` is not in {self:?}");
        self
    }
}
