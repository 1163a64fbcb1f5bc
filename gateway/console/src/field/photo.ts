// Photos as they are sent: turned upright and no larger than what a desk looks at. Drawn anew, they tell nothing of the phone.
const SIDE_MAX = 1_600;
const QUALITY = 0.85;

/** As large as fits, in the same shape; never larger than it is. */
export function sizeOf(width: number, height: number): { width: number; height: number } {
  const factor = Math.min(1, SIDE_MAX / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** A JPEG; the file itself where this browser cannot read it: the gateway may. */
export async function smaller(file: Blob): Promise<Blob> {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
    const { width, height } = sizeOf(picture.width, picture.height);
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    canvas.getContext('2d')?.drawImage(picture, 0, 0, width, height);
    picture.close();
    const blob = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
    return blob ?? file;
  } catch {
    return file;
  }
}
