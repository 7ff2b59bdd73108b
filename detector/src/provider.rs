//! Where a session runs.

use std::{fmt, str::FromStr};

/// An execution provider of ONNX Runtime, with its device where there can be several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Provider {
    /// The CPU; always there.
    #[default]
    Cpu,
    /// CUDA on the device of that number.
    Cuda(u16),
    /// TensorRT on the device of that number.
    TensorRt(u16),
}

/// The text names no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no execution provider; use cpu, cuda[:device] or tensorrt[:device]")]
pub struct UnknownProvider(String);

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownProvider(text.to_owned());
        let (name, device) = text.split_once(':').unwrap_or((text, "0"));
        let device = device.parse().map_err(|_| unknown())?;
        match name {
            "cpu" if !text.contains(':') => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(device)),
            "tensorrt" => Ok(Self::TensorRt(device)),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(device) => write!(f, "cuda:{device}"),
            Self::TensorRt(device) => write!(f, "tensorrt:{device}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Provider;

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for name in ["cpu", "cuda:0", "cuda:3", "tensorrt:1"] {
            assert_eq!(name.parse::<Provider>().unwrap().to_string(), name);
        }
        assert_eq!("cuda".parse(), Ok(Provider::Cuda(0)));
        for name in ["", "gpu", "cpu:1", "cuda:x", "cuda:"] {
            assert!(name.parse::<Provider>().is_err(), "{name}");
        }
    }
}
