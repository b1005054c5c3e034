"""Networks in torch: their shape, the one loop that trains them, and their export to ONNX."""
