"""Link cards: the pictures of 1200 by 630 that networks show with a link."""
