//! From the pixels of one window to the numbers a network is fed, exactly as its card says.

use ndarray::{Array3, Array4, Axis};

use crate::card::{Element, Input, Layout};

/// One window in a model's own form, batch axis first, standard (row-major) layout.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tensor {
    Uint8(Array4<u8>),
    Float32(Array4<f32>),
}

/// Turns one RGB8 window `[side, side, 3]` into `[1, side, side, 3]` or `[1, 3, side, side]`.
///
/// `Uint8` keeps the bytes; `Float32` is `(byte / 255 - mean) / std` per channel.
///
/// Source: the `[input]` table of `models/<name>.toml`.
pub(crate) fn tensor(window: &Array3<u8>, input: &Input) -> Tensor {
    match input.element {
        Element::Uint8 => Tensor::Uint8(arrange(window.clone(), input.layout)),
        Element::Float32 { mean, std } => {
            let mut values = window.mapv(f32::from);
            for (channel, mut plane) in values.axis_iter_mut(Axis(2)).enumerate() {
                let (mean, std) = (mean[channel], std[channel]);
                plane.mapv_inplace(|value| (value / 255.0 - mean) / std);
            }
            Tensor::Float32(arrange(values, input.layout))
        }
    }
}

fn arrange<T: Clone>(values: Array3<T>, layout: Layout) -> Array4<T> {
    let values = match layout {
        Layout::Nhwc => values,
        Layout::Nchw => values
            .permuted_axes([2, 0, 1])
            .as_standard_layout()
            .into_owned(),
    };
    values.insert_axis(Axis(0))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, arr3};

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
        let Tensor::Uint8(nhwc) = tensor(&window(), &input(Element::Uint8, Layout::Nhwc)) else {
            panic!()
        };
        assert_eq!((nhwc.shape(), nhwc[[0, 0, 1, 2]]), (&[1, 1, 2, 3][..], 204));
        let Tensor::Uint8(nchw) = tensor(&window(), &input(Element::Uint8, Layout::Nchw)) else {
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
        let Tensor::Float32(values) = tensor(&window(), &input(element, Layout::Nchw)) else {
            panic!()
        };
        let expected = [0.0, 0.4, 0.0, 0.8, 2.0, 1.2];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        }
        assert!(values.is_standard_layout());
    }
}
