"""What a merchant pastes: the snippets, and the page on which they are chosen."""
