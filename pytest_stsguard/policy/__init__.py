"""What a policy means. Pure: no I/O, no boto3, no moto."""
