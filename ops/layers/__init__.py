"""Functions that compose several families: layers, losses, dropout, clipping, embeddings, checks."""
