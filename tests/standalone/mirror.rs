//! A place to download from: one file, at any path that ends in its name, after the answers that a test asks for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// How a request is answered.
#[derive(Clone, Copy)]
pub enum Answer {
    /// With the file.
    Whole,
    /// With a status and a page.
    Status(u16),
    /// With the head of an answer and half of the file.
    Cut,
}

/// A server on a port of its own, for as long as the tests run.
pub struct Mirror {
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    /// Answers so in turn, and then as the last.
    pub fn of(file: &[u8], answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address =
            format!("http://{}/acme/promote/releases/download/v1.0.0", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (file, answers, seen) = (file.to_vec(), answers.to_vec(), Arc::clone(&asked));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let mut lines = BufReader::new(&connection).lines();
                let Some(Ok(first)) = lines.next() else { continue };
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                let turn = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(first.split(' ').nth(1).unwrap().to_owned());
                    seen.len() - 1
                };
                let answer = answers[turn.min(answers.len() - 1)];
                let (status, body, length) = match answer {
                    Answer::Whole => (200, file.as_slice(), file.len()),
                    Answer::Status(status) => (status, b"a page".as_slice(), 6),
                    Answer::Cut => (200, &file[..file.len() / 2], file.len()),
                };
                let head =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                // A client that has gone is a test's own matter.
                let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(body));
            }
        });
        Self { address, asked }
    }

    /// The paths that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
