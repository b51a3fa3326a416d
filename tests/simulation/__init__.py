"""The whole engine, store included, in one thread, with faults and crashes on a dial and a seed.

``far_side`` is the provider and the people who use it; ``world`` the studio between its clients and its
providers; ``schedule`` what happens; ``invariants`` what must hold afterwards; ``run`` many of them.
A schedule is a pure function of its seed: the same seed gives the same trace.
"""
