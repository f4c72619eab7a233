/** A line of text that lies on the picture: not seen, but found and read aloud. mm from the upper left corner. */
export interface SheetText {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

export interface PdfPage {
  /** mm */
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly made: Date;
  readonly jpeg: Uint8Array;
  /** px of the picture */
  readonly pixels: readonly [width: number, height: number];
  readonly texts: readonly SheetText[];
}

/** Points to the millimetre. */
const POINT = 72 / 25.4;

/**
 * A PDF 1.7 of one page: a picture over the whole sheet, and its words as invisible text (render mode 3) in a font that
 * every reader knows by name, so that a search finds them. ISO 32000-1, 7.5 and 9.7.
 */
export function pdfOf(page: PdfPage): Blob {
  const [w, h] = [points(page.width), points(page.height)];
  const content = ascii(
    [
      `q ${w} 0 0 ${h} 0 0 cm /Sheet Do Q`,
      'BT 3 Tr',
      ...page.texts.map(
        ({ text, x, y, size }) =>
          `/Words ${points(size)} Tf 1 0 0 1 ${points(x)} ${points(page.height - y)} Tm <${utf16(text)}> Tj`,
      ),
      'ET',
    ].join('\n'),
  );
  const [pw, ph] = page.pixels;
  const objects: readonly (readonly Uint8Array[])[] = [
    [ascii('<</Type/Catalog/Pages 2 0 R/ViewerPreferences<</PrintScaling/None>>>>')],
    [ascii('<</Type/Pages/Kids[3 0 R]/Count 1>>')],
    [
      ascii(
        `<</Type/Page/Parent 2 0 R/MediaBox[0 0 ${w} ${h}]/Contents 4 0 R` +
          '/Resources<</XObject<</Sheet 5 0 R>>/Font<</Words 6 0 R>>>>>>',
      ),
    ],
    stream('', content),
    stream(
      `/Type/XObject/Subtype/Image/Width ${pw}/Height ${ph}/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode`,
      page.jpeg,
    ),
    [
      ascii(
        '<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[7 0 R]>>',
      ),
    ],
    [
      ascii(
        '<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/DW 1000/FontDescriptor 8 0 R' +
          '/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>>>',
      ),
    ],
    [
      ascii(
        '<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[-25 -254 1000 880]/ItalicAngle 0' +
          '/Ascent 880/Descent -120/CapHeight 880/StemV 93>>',
      ),
    ],
    [ascii(`<</Title<FEFF${utf16(page.title)}>/Producer(onemap)/CreationDate(D:${stamp(page.made)})>>`)],
  ];
  return assembled(objects);
}

/** Objects numbered from 1, the table of their places, and the trailer. The last object is the document's information. */
function assembled(objects: readonly (readonly Uint8Array[])[]): Blob {
  const head = ascii('%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n');
  const parts: Uint8Array[] = [head];
  const places: number[] = [];
  let at = head.length;
  const put = (bytes: Uint8Array): void => {
    parts.push(bytes);
    at += bytes.length;
  };
  for (const [i, object] of objects.entries()) {
    places.push(at);
    put(ascii(`${i + 1} 0 obj\n`));
    for (const part of object) put(part);
    put(ascii('\nendobj\n'));
  }
  const table = at;
  const rows = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('');
  put(ascii(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`));
  put(
    ascii(
      `trailer\n<</Size ${objects.length + 1}/Root 1 0 R/Info ${objects.length} 0 R>>\nstartxref\n${table}\n%%EOF\n`,
    ),
  );
  return new Blob(parts as BlobPart[], { type: 'application/pdf' });
}

function stream(entries: string, bytes: Uint8Array): readonly Uint8Array[] {
  return [ascii(`<<${entries}/Length ${bytes.length}>>\nstream\n`), bytes, ascii('\nendstream')];
}

function points(mm: number): string {
  return String(Math.round(mm * POINT * 1000) / 1000);
}

/** Bytes of text whose characters are all below 256. */
function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** UTF-16, big end first, as hexadecimal digits. */
function utf16(text: string): string {
  let digits = '';
  for (let i = 0; i < text.length; i += 1) digits += text.charCodeAt(i).toString(16).padStart(4, '0');
  return digits;
}

/** `20260918194208Z` */
function stamp(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
}
