"""The formats: one module each, with a function `render(run) -> str` that depends on the run alone."""
