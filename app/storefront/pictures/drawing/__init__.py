"""Draws the picture of a link's card: 1200 x 630, as previews show it. Pure: facts and bytes in, a PNG out.

Knows fonts and pixels, but no database, no request and no network. Pillow is loaded when the first one is drawn.
"""
