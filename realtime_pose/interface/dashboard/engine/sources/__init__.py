"""Sources that a page can choose: camera numbers, paths and uploads in; checked sources out."""
