"""How precise each rule is, and what other thresholds would have given."""
