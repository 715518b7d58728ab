"""Sessions: frame results in, an .rtpose file out; and the file read again, frame by frame or by seeking."""
