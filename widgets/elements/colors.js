/**
 * Colours that somebody else has chosen. Pure.
 */

/**
 * White on `#rrggbb` up to a relative luminance (WCAG 2.2), black above it; both are read equally well at 0.179.
 * @param {string} hex
 * @param {number} [limit]
 */
export function inkOn(hex, limit = 0.179) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part > 0.04045 ? ((part + 0.055) / 1.055) ** 2.4 : part / 12.92;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > limit ? "#000" : "#fff";
}

/** @param {string | undefined} color */
export const isColor = (color) => /^#[0-9a-f]{6}$/i.test(color ?? "");
