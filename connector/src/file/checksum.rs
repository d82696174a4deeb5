//! Checksums of what is transferred, to compare with those that the server computes.

use host_sdk::kit::text::hexadecimal;
use serde::Deserialize;
use sha2::digest::DynDigest;

/// How a checksum is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1: proves transfers, not authors.
    Sha1,
    /// MD5: as SHA-1.
    Md5,
    /// CRC-32 as in zip files.
    Crc32,
}

impl Algorithm {
    /// All of them, those to prefer first.
    pub(crate) const ALL: [Self; 5] =
        [Self::Sha256, Self::Sha512, Self::Sha1, Self::Md5, Self::Crc32];

    /// Its name in HASH (draft-bryan-ftpext-hash).
    pub(crate) fn hash_name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
            Self::Sha1 => "SHA-1",
            Self::Md5 => "MD5",
            Self::Crc32 => "CRC32",
        }
    }
}

/// Computes a checksum from bytes as they come.
pub(crate) enum Hasher {
    /// A cryptographic one.
    Digest(Box<dyn DynDigest + Send>),
    /// CRC-32.
    Crc32(crc32fast::Hasher),
}

impl Hasher {
    /// Of no bytes yet.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Digest(Box::new(sha2::Sha256::default())),
            Algorithm::Sha512 => Self::Digest(Box::new(sha2::Sha512::default())),
            Algorithm::Sha1 => Self::Digest(Box::new(sha1::Sha1::default())),
            Algorithm::Md5 => Self::Digest(Box::new(md5::Md5::default())),
            Algorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
        }
    }

    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Digest(digest) => digest.update(bytes),
            Self::Crc32(crc) => crc.update(bytes),
        }
    }

    /// The checksum of all bytes so far, in lower-case hexadecimal digits.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Digest(digest) => hexadecimal(&digest.box_clone().finalize()),
            Self::Crc32(crc) => format!("{:08x}", crc.clone().finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values that the algorithms' own documents give.
    #[test]
    fn checksums_are_those_of_their_standards() {
        let cases = [
            (Algorithm::Crc32, &b"123456789"[..], "cbf43926"),
            (Algorithm::Md5, b"abc", "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha1, b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                Algorithm::Sha256,
                b"abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                Algorithm::Sha512,
                b"abc",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ];
        for (algorithm, bytes, expected) in cases {
            let mut hasher = Hasher::new(algorithm);
            let (first, second) = bytes.split_at(2);
            hasher.update(first);
            assert_ne!(hasher.text(), expected);
            hasher.update(second);
            assert_eq!(hasher.text(), expected, "{algorithm:?}");
        }
    }
}
