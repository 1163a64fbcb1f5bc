// A map as all of them are: north is up, the integrator's own map lies under all where there is one.
import 'maplibre-gl/dist/maplibre-gl.css';
import { AttributionControl, Map as Canvas, NavigationControl, ScaleControl, setWorkerUrl } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import { theme } from '../state/theme';
import { baseIsKnown, hasAttribution } from './base-layers';
import { mapWords, styleOf } from './map-style';

const ZOOM_MAX = 19;

setWorkerUrl(workerUrl);

/** Within what `box` holds by then; undefined where that is gone. Throws where the browser has no WebGL. */
export async function makeMap(box: () => HTMLElement | null, label: string): Promise<Canvas | undefined> {
  await baseIsKnown();
  const container = box();
  if (!container) return undefined;
  const map = new Canvas({ container, style: styleOf(theme.value), locale: mapWords(label), attributionControl: false, maxZoom: ZOOM_MAX, renderWorldCopies: false, dragRotate: false });
  map.addControl(new NavigationControl({ showCompass: false }), 'top-right').addControl(new ScaleControl());
  if (hasAttribution()) map.addControl(new AttributionControl({ compact: false }), 'bottom-right');
  return map;
}
