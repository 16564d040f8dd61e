"""OpenVINO on the CPU, for .tflite and .onnx files."""
