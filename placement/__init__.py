"""Decides where each node runs, lists the copies, reports and explains. Never runs a graph."""
