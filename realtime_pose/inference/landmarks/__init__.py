"""MediaPipe's landmark models on our own runtime: frames and boxes in, keypoints out."""
