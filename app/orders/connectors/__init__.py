"""What other shops say, in our words: pure readers, one for each system, and the rule by which it adds up."""
