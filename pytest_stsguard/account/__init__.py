"""What is audited: one model, several sources."""
