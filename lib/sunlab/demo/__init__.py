"""The demonstration: a shop on three hosts loses one of them, and its customers hardly notice."""
