"""Trains, measures and exports the picture detector `synth`.

One module per step: `data` and `twins` prepare pixels, `augment` re-delivers them, `network` is the detector,
`train` fits it, `export` turns it into ONNX, `evaluate` measures that very file, `calibrate` gives its logit a
unit and `card` writes down what is known. Nothing here runs in production.
"""
