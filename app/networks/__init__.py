"""The networks on which the word is passed: what they are, how one shares there, how one is seen to come from there."""
