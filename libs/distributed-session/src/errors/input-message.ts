/** Returns the message about an invalid argument. A phrase follows the field's name; a sentence stands alone. */
export function inputMessage(field: string, expectation: string): string {
  const isSentence = /^[A-Z]/.test(expectation);
  return isSentence ? expectation : `${field} ${expectation}`;
}
