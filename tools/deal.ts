/** Deals files to so many processes, in turn, so that neighbours of like cost are spread; no hand is empty. */
export function dealt(files: readonly string[], hands: number): readonly (readonly string[])[] {
  const parts = Array.from({ length: hands }, (_, hand) =>
    files.filter((_file, index) => index % hands === hand),
  );
  return parts.filter((part) => part.length > 0);
}
