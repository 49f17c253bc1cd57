"""Making a smaller model of one that was taught."""
