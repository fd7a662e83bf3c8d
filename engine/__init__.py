"""Runs graphs: sessions, the compiler and what a run needs."""
