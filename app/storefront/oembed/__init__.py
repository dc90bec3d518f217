"""oEmbed: how other systems turn an address of ours into an embed."""
