//! From the pixels of windows to the numbers a network is fed, exactly as its card says.

use ndarray::{Array4, ArrayView3, Axis, ShapeError, stack};

use crate::card::{Element, Input, Layout};

/// Windows in a model's own form, batch axis first, standard (row-major) layout.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tensor {
    Uint8(Array4<u8>),
    Float32(Array4<f32>),
}

impl Tensor {
    /// How many windows there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Uint8(values) => values.len_of(Axis(0)),
            Self::Float32(values) => values.len_of(Axis(0)),
        }
    }
}

/// Turns N RGB8 windows `[side, side, 3]` into `[N, side, side, 3]` or `[N, 3, side, side]`.
///
/// `Uint8` keeps the bytes; `Float32` is `(byte / 255 - mean) / std` per channel.
///
/// Source: the `[input]` table of `models/<name>.toml`.
///
/// # Errors
///
/// When there is no window, or they differ in size.
pub(crate) fn tensor(windows: &[ArrayView3<'_, u8>], input: &Input) -> Result<Tensor, ShapeError> {
    let bytes = joined(windows)?;
    Ok(match input.element {
        Element::Uint8 => Tensor::Uint8(arrange(bytes, input.layout)),
        Element::Float32 { mean, std } => {
            let mut values = bytes.mapv(f32::from);
            for (channel, mut plane) in values.axis_iter_mut(Axis(3)).enumerate() {
                let (mean, std) = (mean[channel], std[channel]);
                plane.mapv_inplace(|value| (value / 255.0 - mean) / std);
            }
            Tensor::Float32(arrange(values, input.layout))
        }
    })
}

/// The windows one after the other; whole blocks of memory where they are such, which `stack` copies value by value.
fn joined(windows: &[ArrayView3<'_, u8>]) -> Result<Array4<u8>, ShapeError> {
    let blocks: Option<Vec<_>> = windows.iter().map(ArrayView3::to_slice).collect();
    let alike = windows
        .windows(2)
        .all(|pair| pair[0].dim() == pair[1].dim());
    match (windows.first(), blocks) {
        (Some(first), Some(blocks)) if alike => {
            let (height, width, channels) = first.dim();
            let shape = (windows.len(), height, width, channels);
            Array4::from_shape_vec(shape, blocks.concat())
        }
        _ => stack(Axis(0), windows),
    }
}

fn arrange<T: Clone>(values: Array4<T>, layout: Layout) -> Array4<T> {
    match layout {
        Layout::Nhwc => values,
        Layout::Nchw => values
            .permuted_axes([0, 3, 1, 2])
            .as_standard_layout()
            .into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, Axis, arr3};

    use super::{Tensor, tensor};
    use crate::card::{Element, Input, Layout};

    fn input(element: Element, layout: Layout) -> Input {
        Input {
            name: "x".to_owned(),
            element,
            layout,
            side_px: 32,
        }
    }

    /// Two pixels in one line: (0, 51, 255) and (102, 153, 204).
    fn window() -> Array3<u8> {
        arr3(&[[[0, 51, 255], [102, 153, 204]]])
    }

    #[test]
    fn bytes_stay_bytes_and_axes_move_as_asked() {
        let bytes = |layout| tensor(&[window().view()], &input(Element::Uint8, layout)).unwrap();
        let Tensor::Uint8(nhwc) = bytes(Layout::Nhwc) else {
            panic!()
        };
        assert_eq!((nhwc.shape(), nhwc[[0, 0, 1, 2]]), (&[1, 1, 2, 3][..], 204));
        let Tensor::Uint8(nchw) = bytes(Layout::Nchw) else {
            panic!()
        };
        assert_eq!(nchw.shape(), [1, 3, 1, 2]);
        assert_eq!(nchw.as_slice(), Some(&[0, 102, 51, 153, 255, 204][..]));
    }

    #[test]
    fn floats_are_normalised_per_channel() {
        let element = Element::Float32 {
            mean: [0.0, 0.2, 0.5],
            std: [1.0, 0.5, 0.25],
        };
        let one = tensor(&[window().view()], &input(element, Layout::Nchw)).unwrap();
        let Tensor::Float32(values) = &one else {
            panic!()
        };
        let expected = [0.0, 0.4, 0.0, 0.8, 2.0, 1.2];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        }
        assert!(values.is_standard_layout());
        let (light, dark) = (window().mapv(|value| value / 2), window());
        let both = tensor(&[dark.view(), light.view()], &input(element, Layout::Nchw)).unwrap();
        let Tensor::Float32(two) = &both else {
            panic!()
        };
        assert_eq!(
            (one.count(), both.count(), two.shape()),
            (1, 2, &[2, 3, 1, 2][..])
        );
        assert_eq!(two.index_axis(Axis(0), 0), values.index_axis(Axis(0), 0));
    }

    #[test]
    fn no_window_or_windows_of_two_sizes_are_refused() {
        let input = input(Element::Uint8, Layout::Nhwc);
        let wide = Array3::zeros((1, 3, 3));
        assert!(tensor(&[], &input).is_err());
        assert!(tensor(&[window().view(), wide.view()], &input).is_err());
    }
}
