"""ViTPose and mmpose's heatmap models: a frame and boxes in, keypoints out."""
