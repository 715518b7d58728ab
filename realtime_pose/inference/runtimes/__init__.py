"""Model runtimes: normalised crops in, heatmaps out, with torch, ONNX Runtime, OpenVINO or TensorRT."""
