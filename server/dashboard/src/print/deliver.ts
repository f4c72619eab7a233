/** Gives the reader a file. */
export function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser has taken the file by the time this turn of the loop ends.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Opens the browser's own print window on a picture that fills a sheet of exactly that size, mm. */
export async function printPicture(
  picture: Blob,
  paper: { readonly width: number; readonly height: number },
): Promise<void> {
  const frame = document.createElement('iframe');
  frame.setAttribute('aria-hidden', 'true');
  frame.tabIndex = -1;
  frame.style.cssText = 'position:fixed;left:-100000px;width:1px;height:1px;border:0';
  document.body.append(frame);
  const [page, view] = [frame.contentDocument, frame.contentWindow];
  if (!page || !view) throw new Error('This browser opens no print window.');
  const style = page.createElement('style');
  style.textContent = `@page { size: ${paper.width}mm ${paper.height}mm; margin: 0 } body { margin: 0 } img { display: block; width: ${paper.width}mm; height: ${paper.height}mm }`;
  const image = page.createElement('img');
  image.src = URL.createObjectURL(picture);
  page.head.append(style);
  page.body.append(image);
  await image.decode();
  view.addEventListener('afterprint', () => {
    URL.revokeObjectURL(image.src);
    frame.remove();
  });
  view.focus();
  view.print();
}
