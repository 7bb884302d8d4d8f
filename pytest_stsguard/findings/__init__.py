"""Findings, severities and the catalogue of controls."""
