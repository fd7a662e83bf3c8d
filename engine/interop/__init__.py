"""Programs that say `import tensorflow`: the names that they import stand for this package's."""
