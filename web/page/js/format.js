/** Numbers as texts. */

/** @param {number | null | undefined} value a number with four digits that count */
export function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 1e-3 || size >= 1e5 ? power(size) : size.toPrecision(4);
  return (value < 0 ? "−" : "") + text;
}

/** @param {number} size */
function power(size) {
  const [digits, exponent] = size.toExponential(2).split("e");
  return `${digits}e${exponent.replace("+", "").replace("-", "−")}`;
}

/** @param {number} value a whole number with thousands apart */
export const count = (value) => Math.round(value).toLocaleString("en-US");

/** @param {number | null | undefined} value a part of 1 */
export const percent = (value) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(1)} %`);
