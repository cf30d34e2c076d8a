"""What the four functions share: the vocabulary, the channels, tables, queues and the policy."""
