"""What a page shows of a run, put together as plain data; templates hold no logic beyond loops."""
