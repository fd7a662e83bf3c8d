"""What a program has around its graph: flags, logging, files, text conversion, tests."""
