"""Theft, revocation, proof: probes, verdicts, timeline."""
