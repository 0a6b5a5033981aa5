"""Pulling from insurers' apps: what an app calls its fields is said in a file, and no app needs code of its own."""
