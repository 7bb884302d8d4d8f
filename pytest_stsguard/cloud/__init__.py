"""A simulated AWS that enforces: gate, STS, IMDS, trail. Needs `policy`."""
