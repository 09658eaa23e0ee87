"""What is said of shifts that were played: figures from recordings, and one page that opens without a network."""
