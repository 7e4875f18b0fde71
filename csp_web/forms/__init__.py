"""The shape of input: fields, lengths, choices. Rules of the business live in the domain."""
