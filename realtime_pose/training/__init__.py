"""Training: footage and motion with known truth go in, and fitted model weights come out."""
