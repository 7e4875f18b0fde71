"""The outside world behind small interfaces: files, mail, the queue of writers."""
