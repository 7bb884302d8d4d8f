"""Ending sessions: methods, journal, cleanup rule. The same for the simulation and for AWS."""
