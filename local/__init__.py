"""The laptop: an AWS endpoint in one process, and the engines behind it."""
