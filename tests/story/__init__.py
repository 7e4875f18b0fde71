"""The whole job from the first click to the revoked key, told once by plain forms and once in a real browser."""
