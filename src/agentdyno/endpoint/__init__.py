"""The model server: what it replies, when it sends each chunk, and the journal of both."""
