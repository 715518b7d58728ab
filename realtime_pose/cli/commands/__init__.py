"""Commands, one a module: options in; a call of `app` or `evaluation`, then a table and files out."""
