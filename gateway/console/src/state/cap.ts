// A CAP 1.2 message as fields in its own order, for people. Knows elements, not what they mean.

export interface CapField {
  /** The element's name; of a parameter or a code its `valueName`. */
  name: string;
  text: string;
}

/** More fields are no message that somebody reads. */
const FIELDS_MAX = 200;

/** Leaves in document order; what is no XML has none. */
export function fieldsOfCap(xml: string, parser: Pick<DOMParser, 'parseFromString'> = new DOMParser()): CapField[] {
  const { documentElement } = parser.parseFromString(xml, 'application/xml');
  const fields: CapField[] = [];
  const walk = (element: Element): void => {
    if (fields.length >= FIELDS_MAX) return;
    const children = [...element.children];
    const [name, value] = children;
    if (children.length === 2 && name?.localName === 'valueName' && value?.localName === 'value') {
      fields.push({ name: name.textContent ?? '', text: value.textContent ?? '' });
    } else if (children.length > 0) children.forEach(walk);
    else if (element.textContent) fields.push({ name: element.localName, text: element.textContent });
  };
  if (documentElement && documentElement.localName !== 'parsererror') walk(documentElement);
  return fields;
}
