"""From a graph to one Python function: prune, place, copy, fold, fuse, schedule, emit."""
