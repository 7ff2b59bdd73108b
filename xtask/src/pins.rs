//! Which ONNX Runtime this repository was tested with, to the byte.
//!
//! The library is Microsoft's own build, taken out of the wheel published as `onnxruntime`. A wheel's
//! library does not depend on the Python version it was made for, so one tag serves every machine and any
//! local Python can fetch it.

use crate::error::TaskError;

/// Name of the package.
pub(crate) const PACKAGE: &str = "onnxruntime";

/// Version of the package and of the library in it.
pub(crate) const VERSION: &str = "1.31.1";

/// Oldest library the `api-24` feature of the `ort` crate accepts.
pub(crate) const OLDEST_USABLE: &str = "1.24";

/// Python version and ABI tag of the pinned wheels, without regard to the local Python.
pub(crate) const PYTHON_TAG: &str = "311";

/// A file known by length and SHA-256.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pin {
    /// Length in bytes, checked before the file is read.
    pub(crate) bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub(crate) sha256: &'static str,
}

/// The wheel for one kind of machine and the library in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Platform {
    os: &'static str,
    arch: &'static str,
    /// pip's platform tag, the last part of the wheel's name.
    pub(crate) tag: &'static str,
    /// The wheel.
    pub(crate) wheel: Pin,
    /// Path of the library in the wheel; its last part is also its name under `target/onnxruntime/`.
    pub(crate) member: &'static str,
    /// The library.
    pub(crate) library: Pin,
}

impl Platform {
    /// The platform these tasks run on.
    ///
    /// # Errors
    ///
    /// [`TaskError::Platform`] where no wheel is pinned, which includes Linux without glibc.
    pub(crate) fn current() -> Result<Self, TaskError> {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let runs_wheels = os != "linux" || cfg!(target_env = "gnu");
        PLATFORMS
            .into_iter()
            .find(|platform| runs_wheels && platform.os == os && platform.arch == arch)
            .ok_or(TaskError::Platform { os, arch })
    }

    /// File name of the library.
    pub(crate) fn library_name(&self) -> &'static str {
        self.member.rsplit('/').next().unwrap_or(self.member)
    }

    /// File name of the wheel.
    pub(crate) fn wheel_name(&self) -> String {
        format!(
            "{PACKAGE}-{VERSION}-cp{PYTHON_TAG}-cp{PYTHON_TAG}-{}.whl",
            self.tag
        )
    }
}

/// Lengths and hashes were taken from the downloaded files on 2026-11-25.
const PLATFORMS: [Platform; 3] = [
    Platform {
        os: "linux",
        arch: "x86_64",
        tag: "manylinux_2_28_x86_64",
        wheel: Pin {
            bytes: 23_753_652,
            sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
        },
        member: "onnxruntime/capi/libonnxruntime.so.1.31.1",
        library: Pin {
            bytes: 29_352_200,
            sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
        },
    },
    Platform {
        os: "linux",
        arch: "aarch64",
        tag: "manylinux_2_28_aarch64",
        wheel: Pin {
            bytes: 21_413_526,
            sha256: "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3",
        },
        member: "onnxruntime/capi/libonnxruntime.so.1.31.1",
        library: Pin {
            bytes: 25_265_040,
            sha256: "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
        },
    },
    Platform {
        os: "macos",
        arch: "aarch64",
        tag: "macosx_14_0_arm64",
        wheel: Pin {
            bytes: 20_871_676,
            sha256: "60b6b69bfe580eab576cacc5d132a0e9cf2a37fcfd18d46dd191042b1d1ed0d7",
        },
        member: "onnxruntime/capi/libonnxruntime.1.31.1.dylib",
        library: Pin {
            bytes: 33_037_336,
            sha256: "f8b06155feece624e55e49124340eea279da812529ae6fbc46a9f2be9c9cad2e",
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_is_whole_and_names_this_version() {
        for platform in PLATFORMS {
            assert!(platform.member.contains(VERSION), "{}", platform.member);
            assert!(
                platform.library_name().starts_with("libonnxruntime."),
                "{}",
                platform.member
            );
            for pin in [platform.wheel, platform.library] {
                assert!(pin.bytes > 20_000_000, "{}", platform.tag);
                assert_eq!(pin.sha256.len(), 64, "{}", platform.tag);
                assert!(
                    pin.sha256
                        .bytes()
                        .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
                );
            }
        }
    }

    #[test]
    fn no_two_platforms_share_a_file() {
        let mut hashes: Vec<_> = PLATFORMS
            .iter()
            .flat_map(|one| [one.wheel.sha256, one.library.sha256])
            .collect();
        let all = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), all);
    }
}
