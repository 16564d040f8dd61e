"""Conversion of Keras classifiers to ncnn's files: tf2onnx writes an .onnx file, the program pnnx converts it."""
