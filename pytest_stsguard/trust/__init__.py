"""How narrow a trust policy is: decides, and gives a witness. Needs `policy` only."""
