//! Which characters the bytes of a text file are.
//!
//! A byte order mark says so. Without one it is UTF-8 if all of it is valid UTF-8, which text of another encoding with
//! å, ä and ö practically never is, and else Windows-1252, in which Excel saves what it calls CSV. Texts of other old
//! encodings are noticed by what they become (see [`garbled`]).

use std::io::{BufRead, BufReader, Read};

use encoding_rs::{
    CoderResult, Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

use super::{ReadFault, Source, faults};

/// How many bytes are decoded at once.
const PIECE: usize = 32 * 1024;

/// The encoding of a file.
///
/// # Errors
/// When it is a workbook, or no text.
pub(super) fn detect(source: &Source) -> Result<&'static Encoding, ReadFault> {
    let mut input = source.open()?;
    let mut head = Vec::with_capacity(4);
    let mut start = (&mut input).take(4);
    start.read_to_end(&mut head).map_err(faults::io)?;
    match head.as_slice() {
        [] => return Err(faults::empty_file()),
        [0xef, 0xbb, 0xbf, ..] => return Ok(UTF_8),
        [0xff, 0xfe, ..] => return Ok(UTF_16LE),
        [0xfe, 0xff, ..] => return Ok(UTF_16BE),
        [b'P', b'K', 3, 4] => return Err(faults::packed()),
        [0xd0, 0xcf, 0x11, 0xe0] => return Err(faults::old_or_locked()),
        _ => {}
    }
    let mut input = BufReader::with_capacity(PIECE, head.as_slice().chain(input));
    let mut decoder = UTF_8.new_decoder_without_bom_handling();
    let mut scratch = vec![0; PIECE * 3 + 16];
    let mut is_utf8 = true;
    loop {
        let piece = input.fill_buf().map_err(faults::io)?;
        let length = piece.len();
        if piece.contains(&0) {
            return Err(faults::not_text());
        }
        if is_utf8 {
            let (result, ..) =
                decoder.decode_to_utf8_without_replacement(piece, &mut scratch, length == 0);
            is_utf8 = !matches!(result, DecoderResult::Malformed(..));
        }
        if length == 0 {
            return Ok(if is_utf8 { UTF_8 } else { WINDOWS_1252 });
        }
        input.consume(length);
    }
}

/// Reads a file as UTF-8, whatever it is.
pub(super) struct Decoded<R> {
    input: R,
    decoder: Decoder,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: BufRead> Decoded<R> {
    pub(super) fn new(input: R, encoding: &'static Encoding) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder_with_bom_removal(),
            ready: Vec::with_capacity(PIECE * 3),
            at: 0,
            ended: false,
        }
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(out.len());
        if let (Some(from), Some(to)) = (available.get(..length), out.get_mut(..length)) {
            to.copy_from_slice(from);
        }
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        while self.at >= self.ready.len() && !self.ended {
            self.ready.resize(PIECE * 3, 0);
            let piece = self.input.fill_buf()?;
            let last = piece.is_empty();
            let (result, read, written, _) =
                self.decoder.decode_to_utf8(piece, &mut self.ready, last);
            self.input.consume(read);
            self.ready.truncate(written);
            self.at = 0;
            self.ended = last && result == CoderResult::InputEmpty;
        }
        Ok(self.ready.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

/// Whether a text is what å, ä and ö become in the wrong encoding: UTF-8 read as Windows-1252 (`Ã¶`), bytes that were no
/// characters, and the encodings of DOS (`G”teborg`) and of old Macs (`Gšteborg`).
pub(super) fn garbled(text: &str, encoding: &'static Encoding) -> bool {
    const TWICE: [&str; 7] = ["Ã¥", "Ã¤", "Ã¶", "Ã…", "Ã„", "Ã–", "Ã©"];
    if text.is_ascii() {
        return false;
    }
    if text.contains('\u{fffd}') || TWICE.iter().any(|pair| text.contains(pair)) {
        return true;
    }
    if encoding != WINDOWS_1252 {
        return false;
    }
    if text.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c)) {
        return true;
    }
    let characters: Vec<char> = text.chars().collect();
    characters.windows(3).any(|around| match around {
        // DOS: å is 0x86, ä 0x84, ö 0x94. Mac: å is 0x8c, ä 0x8a, ö 0x9a; š between small letters is rare, but in
        // names, so only what cannot stand there counts.
        [before, '†' | '„' | '”' | 'Œ' | 'Š', after] => {
            before.is_ascii_lowercase() && after.is_ascii_lowercase()
                || before.is_ascii_alphabetic()
                    && after.is_ascii_lowercase()
                    && matches!(around, [_, '†' | '„' | '”', _])
        }
        _ => false,
    })
}
