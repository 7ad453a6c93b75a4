"""The pages that people log in on: server-rendered, over the same calls as the REST interface."""
