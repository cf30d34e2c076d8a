"""What an operator does with a deployed stack: look at a conversation, erase one, send deliveries
through again, bring dead letters back. docs/runbook.md says when."""
