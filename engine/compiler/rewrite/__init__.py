"""Rewrites of a plan's steps, one idea a file; each is a function from a Block to the same Block, improved in place."""
