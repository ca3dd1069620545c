"""How a network is run: PyTorch (training, GPU, reference), OpenVINO (many images), ONNX Runtime (one query).

Nothing is imported here, so that each program pays for the one that it uses.
"""
