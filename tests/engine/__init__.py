"""The engine under every interleaving that can be had: tabs, faults and users against the invariants."""
