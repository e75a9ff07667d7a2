"""Gait recognition in JAX: from sequences of silhouettes to identities."""
