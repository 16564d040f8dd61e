"""Records on disk: Bundle, Run and journal."""
