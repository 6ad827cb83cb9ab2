"""What travels: requests, responses, header fields, credentials, JSON. Knows no policy."""
